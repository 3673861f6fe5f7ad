package reports

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"tongbao/templates"
)

// The type of the workbook, as Chinese offices have it: a serif for titles,
// one sans for everything else, four sizes in points.
const (
	bookSans    = "微软雅黑"
	bookSerif   = "宋体"
	titleSize   = 19.0
	sectionSize = 11.5
	bodySize    = 10.0
	noteSize    = 8.5
)

// cellStyle is how a cell looks. Equal styles are one style of the file.
type cellStyle struct {
	Serif, Bold, Wrap, Link, Top, Shrink bool
	Size                                 float64 // 0 is bodySize
	Color, Fill                          string  // Color "" is ink
	Align                                string  // "" is left
	Indent                               int
	Rule                                 string // colour of the line below, "" for none
	RuleStyle                            int    // 1 hair-thin, 2 medium, 5 thick
	Format                               string // number format
}

var (
	titleStyle   = cellStyle{Serif: true, Bold: true, Size: titleSize, Rule: accentColor, RuleStyle: 5}
	metaStyle    = cellStyle{Size: noteSize, Color: mutedColor}
	sectionStyle = cellStyle{Bold: true, Size: sectionSize}
	noteStyle    = cellStyle{Size: noteSize, Color: mutedColor, Wrap: true, Top: true}
	linkStyle    = cellStyle{Size: noteSize, Color: blueColor, Link: true}
	headStyle    = cellStyle{Bold: true, Color: mutedColor, Size: noteSize + 0.5, Wrap: true, Rule: inkColor, RuleStyle: 1}
	weightStyle  = cellStyle{Size: noteSize, Color: mutedColor, Align: "right", Format: "0"}
	textStyle    = cellStyle{Wrap: true, Top: true}
	bulletStyle  = cellStyle{Size: 6, Color: accentColor, Align: "right", Indent: 1}
	numberStyle  = cellStyle{Align: "right", Top: true, Color: mutedColor}
	bodyStyle    = cellStyle{Rule: lineColor, RuleStyle: 1}
)

// kindFormats are the number formats of the kinds of columns; {same} is the
// locale's word for a place that did not move. Text is "@", so that what looks
// like a formula stays text even when somebody edits the cell.
var kindFormats = map[kind]string{
	words: "@", code: "@", listed: "@", date: "yyyy-mm-dd", month: "yyyy-mm", rank: "0", integer: "#,##0", score: "0.00", rate: "0.0",
	exact: "+0.000000;−0.000000;0", exactly: "0.000000", signed: "+0.00;−0.00;0.00", moves: `▲0;▼0;"{same}"`, money: "#,##0.00;−#,##0.00",
}

// cellStyleOf is how a column of a section looks.
func (b *book) cellStyleOf(k kind) cellStyle {
	s := bodyStyle
	s.Format = strings.ReplaceAll(kindFormats[k], "{same}", b.words.Text["same"])
	if isNumber(k) {
		s.Align = "right"
	} else {
		s.Wrap = isText(k)
		if !s.Wrap {
			s.Align = "left"
		}
	}
	return s
}

// with returns the style with another number format.
func (s cellStyle) with(format string) cellStyle { s.Format = format; return s }

// muted returns the style in grey.
func (s cellStyle) muted() cellStyle { s.Color = mutedColor; return s }

// style makes a style of the file once.
func (b *book) style(s cellStyle) (int, error) {
	if id, found := b.styles[s]; found {
		return id, nil
	}
	id, err := b.file.NewStyle(s.excel())
	b.styles[s] = id
	return id, err
}

func (s cellStyle) excel() *excelize.Style {
	font := &excelize.Font{Family: bookSans, Size: s.Size, Bold: s.Bold, Color: s.Color}
	if s.Serif {
		font.Family = bookSerif
	}
	if font.Size == 0 {
		font.Size = bodySize
	}
	if font.Color == "" {
		font.Color = inkColor
	}
	style := &excelize.Style{Font: font, Alignment: &excelize.Alignment{Horizontal: s.Align, Vertical: "center", WrapText: s.Wrap, ShrinkToFit: s.Shrink, Indent: s.Indent}}
	if s.Indent > 0 && s.Align == "" {
		style.Alignment.Horizontal = "left" // no indent without a side
	}
	if s.Top {
		style.Alignment.Vertical = "top"
	}
	if s.Fill != "" {
		style.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{s.Fill}}
	}
	if s.Rule != "" {
		style.Border = []excelize.Border{{Type: "bottom", Color: s.Rule, Style: s.RuleStyle}}
	}
	if s.Format != "" {
		style.CustomNumFmt = &s.Format
	}
	return style
}

// colourChanges colours what fell and what rose.
func (b *book) colourChanges(sheet, area string) error {
	for _, c := range []struct{ criteria, color string }{{"<", accentColor}, {">", goodColor}} {
		id, err := b.file.NewConditionalStyle(&excelize.Style{Font: &excelize.Font{Color: c.color}})
		if err != nil {
			return err
		}
		err = b.file.SetConditionalFormat(sheet, area, []excelize.ConditionalFormatOptions{{Type: "cell", Criteria: c.criteria, Value: "0", Format: &id}})
		if err != nil {
			return err
		}
	}
	return nil
}

// heat shades a range from light to the blue that dark text still reads on.
func (b *book) heat(sheet, area string) error {
	return b.file.SetConditionalFormat(sheet, area, []excelize.ConditionalFormatOptions{{
		Type: "3_color_scale", Criteria: "=", MinType: "num", MinValue: "60", MinColor: heatColors[0],
		MidType: "num", MidValue: "80", MidColor: heatColors[1], MaxType: "num", MaxValue: "100", MaxColor: heatColors[4],
	}})
}

// heatSteps shades a range in the steps of the page, where white text begins
// at the step that carries it. Between two numbers, because a text such as
// 未报 counts as more than any number.
func (b *book) heatSteps(sheet, area string) error {
	for step, color := range heatColors {
		style := &excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}, Font: &excelize.Font{Color: inkColor}}
		if templates.IsDarkStep(step) {
			style.Font.Color = "#ffffff"
		}
		id, err := b.file.NewConditionalStyle(style)
		if err != nil {
			return err
		}
		from, to := templates.HeatFloor+templates.HeatWidth*float64(step), templates.HeatFloor+templates.HeatWidth*float64(step+1)-0.001
		if step == 0 {
			from = 0
		}
		if step == len(heatColors)-1 {
			to = 200
		}
		err = b.file.SetConditionalFormat(sheet, area, []excelize.ConditionalFormatOptions{{
			Type: "cell", Criteria: "between", MinValue: fmt.Sprint(from), MaxValue: fmt.Sprint(to), Format: &id,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// bars draws a bar on a scale from nought in each cell. The stream drops the
// extension that makes bars solid, so sheets with bars are not streamed.
func (b *book) bars(sheet, area, most string) error {
	return b.file.SetConditionalFormat(sheet, area, []excelize.ConditionalFormatOptions{{
		Type: "data_bar", Criteria: "=", MinType: "num", MinValue: "0", MaxType: "num", MaxValue: most, BarColor: paleColor, BarSolid: true,
	}})
}
