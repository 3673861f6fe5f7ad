package reports

import (
	"fmt"
	"strconv"
	"unicode"

	"github.com/xuri/excelize/v2"
)

// book writes the workbook: the same sections as the page, a sheet each.
type book struct {
	*bulletin
	file   *excelize.File
	styles map[string]int
}

// Fonts of the workbook, as Chinese offices have them.
const (
	bookFont      = "宋体"
	bookTitleFont = "黑体"
)

func (m *bulletin) book() (*excelize.File, error) {
	b := &book{bulletin: m, file: excelize.NewFile(), styles: map[string]int{}}
	if err := b.file.SetSheetName("Sheet1", m.words.Sheets["summary"]); err != nil {
		return nil, err
	}
	if err := b.writeSummary(m.words.Sheets["summary"]); err != nil {
		return nil, fmt.Errorf("sheet %s: %w", m.words.Sheets["summary"], err)
	}
	for _, s := range m.Sheets {
		name := m.words.Sheets[s.ID]
		if _, err := b.file.NewSheet(name); err != nil {
			return nil, err
		}
		if err := b.writeSheet(name, s); err != nil {
			return nil, fmt.Errorf("sheet %s: %w", name, err)
		}
	}
	b.file.SetActiveSheet(0)
	return b.file, b.file.SetDocProps(&excelize.DocProperties{
		Title: m.text("title"), Creator: m.text("office"), Language: "zh-CN",
		Created: m.Month.Next().First().Format("2006-01-02T15:04:05Z"), Modified: m.Month.Next().First().Format("2006-01-02T15:04:05Z"),
	})
}

// style makes a cell style once for each name.
func (b *book) style(name string) (int, error) {
	if id, found := b.styles[name]; found {
		return id, nil
	}
	hair := []excelize.Border{{Type: "bottom", Color: lineColor, Style: 1}}
	font := func(size float64, bold bool, color string) *excelize.Font {
		return &excelize.Font{Family: bookFont, Size: size, Bold: bold, Color: color}
	}
	left := &excelize.Alignment{Vertical: "center", WrapText: true}
	right := &excelize.Alignment{Vertical: "center", Horizontal: "right"}
	format := func(code string) *string { return &code }
	style, known := map[string]*excelize.Style{
		"title":   {Font: &excelize.Font{Family: bookTitleFont, Size: 18, Bold: true, Color: inkColor}, Border: []excelize.Border{{Type: "bottom", Color: accentColor, Style: 5}}, Alignment: &excelize.Alignment{Vertical: "center"}},
		"meta":    {Font: font(10, false, mutedColor), Alignment: &excelize.Alignment{Vertical: "center"}},
		"section": {Font: &excelize.Font{Family: bookTitleFont, Size: 13, Bold: true, Color: inkColor}, Alignment: &excelize.Alignment{Vertical: "center"}},
		"text":    {Font: font(11, false, inkColor), Alignment: left},
		"link":    {Font: &excelize.Font{Family: bookFont, Size: 11, Color: blueColor, Underline: "single"}},
		"head": {Font: font(10.5, true, inkColor), Alignment: &excelize.Alignment{Vertical: "center", Horizontal: "center", WrapText: true},
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{heatColors[1]}}, Border: []excelize.Border{{Type: "bottom", Color: inkColor, Style: 1}}},
		"words":   {Font: font(10.5, false, inkColor), Alignment: left, Border: hair},
		"integer": {Font: font(10.5, false, inkColor), Alignment: right, Border: hair, CustomNumFmt: format("#,##0")},
		"score":   {Font: font(10.5, false, inkColor), Alignment: right, Border: hair, CustomNumFmt: format("0.00")},
		"rate":    {Font: font(10.5, false, inkColor), Alignment: right, Border: hair, CustomNumFmt: format("0.0")},
		"signed":  {Font: font(10.5, false, inkColor), Alignment: right, Border: hair, CustomNumFmt: format("+0.00;[Red]−0.00;0.00")},
		"moves":   {Font: font(10.5, false, inkColor), Alignment: right, Border: hair, CustomNumFmt: format("▲0;[Red]▼0;持平")},
		"money":   {Font: font(10.5, false, inkColor), Alignment: right, Border: hair, CustomNumFmt: format("#,##0.00;[Red]−#,##0.00")},
		"muted":   {Font: font(10.5, false, mutedColor), Alignment: right, Border: hair},
	}[name]
	if !known {
		return 0, fmt.Errorf("no style %q", name)
	}
	id, err := b.file.NewStyle(style)
	b.styles[name] = id
	return id, err
}

var kindStyles = map[kind]string{
	words: "words", code: "words", date: "words", rank: "integer", integer: "integer", score: "score", rate: "rate", signed: "signed", moves: "moves", money: "money",
}

// put writes a value with a style. Text is set as text, so that what looks
// like a formula stays text.
func (b *book) put(sheet string, col, row int, value any, style string) error {
	cell, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		return err
	}
	id, err := b.style(style)
	if err != nil {
		return err
	}
	switch value := value.(type) {
	case nil:
	case string:
		err = b.file.SetCellStr(sheet, cell, value)
	default:
		err = b.file.SetCellValue(sheet, cell, value)
	}
	if err != nil {
		return err
	}
	return b.file.SetCellStyle(sheet, cell, cell, id)
}

// putCell writes a cell of a section: numbers as numbers with a format,
// everything else as the page shows it.
func (b *book) putCell(sheet string, col, at int, c column, one row) error {
	raw := one[c.Key]
	if isNumber(c.Kind) && raw != "" && !(c.Kind == rank && one["is_tied"] == "true") {
		number, err := strconv.ParseFloat(raw, 64)
		if err != nil {
			return fmt.Errorf("column %s: %q is no number", c.Key, raw)
		}
		return b.put(sheet, col, at, number, kindStyles[c.Kind])
	}
	style := kindStyles[c.Kind]
	if isNumber(c.Kind) {
		style = "muted"
	}
	return b.put(sheet, col, at, show(raw, c.Kind, b.words, one), style)
}

// displayWidth counts Chinese characters as two.
func displayWidth(text string) float64 {
	width := 0.0
	for _, r := range text {
		width++
		if unicode.Is(unicode.Han, r) || r > 0x2e80 {
			width++
		}
	}
	return width
}
