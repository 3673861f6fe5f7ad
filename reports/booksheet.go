package reports

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// Widths of columns in characters; a text wider than the most is wrapped.
const (
	leastWidth = 7.0
	mostWidth  = 46.0
	rowHeight  = 17.0 // points a line
)

// writeSheet writes the sections of a sheet one below the other.
func (b *book) writeSheet(name string, s sheet) error {
	widths := map[int]float64{}
	row, firstHead, columns := 3, 0, 1
	for _, section := range s.Sections {
		columns = max(columns, len(section.Columns))
	}
	last, err := excelize.ColumnNumberToName(columns)
	if err != nil {
		return err
	}
	if err := b.head(name, last, s.ID); err != nil {
		return err
	}
	for _, section := range s.Sections {
		if err := b.put(name, 1, row, b.words.Sections[section.ID], "section"); err != nil {
			return err
		}
		row++
		if firstHead == 0 {
			firstHead = row
		}
		if row, err = b.writeSection(name, section, row, widths); err != nil {
			return err
		}
		row++
	}
	for col, width := range widths {
		letter, err := excelize.ColumnNumberToName(col)
		if err != nil {
			return err
		}
		if err := b.file.SetColWidth(name, letter, letter, min(max(width+2, leastWidth), mostWidth)); err != nil {
			return err
		}
	}
	if s.ID == "ranking" {
		if err := b.rankingChart(name, row+1, firstHead); err != nil {
			return err
		}
		if err := b.trendChart(name, row+22); err != nil {
			return err
		}
	}
	return b.layout(name, firstHead, len(s.Sections) == 1, s.ID == "ranking")
}

// head writes the title and the line below it.
func (b *book) head(sheet, lastColumn, id string) error {
	if err := b.put(sheet, 1, 1, b.text("title")+" · "+b.words.Sheets[id], "title"); err != nil {
		return err
	}
	style, err := b.style("title")
	if err != nil {
		return err
	}
	return errors.Join(
		b.file.SetCellStyle(sheet, "A1", lastColumn+"1", style), b.file.SetRowHeight(sheet, 1, 34),
		b.put(sheet, 1, 2, b.text("office")+" · "+b.text("issue")+" · "+b.state()+" · "+b.text("rubric"), "meta"),
	)
}

// writeSection writes head and rows from a row on and returns the next free row.
func (b *book) writeSection(sheet string, s section, at int, widths map[int]float64) (int, error) {
	for i, c := range s.Columns {
		title := b.words.Columns[c.Key]
		widths[i+1] = max(widths[i+1], displayWidth(title))
		if err := b.put(sheet, i+1, at, title, "head"); err != nil {
			return 0, err
		}
	}
	rows := b.rows(s)
	if len(rows) == 0 {
		return at + 2, b.put(sheet, 1, at+1, b.words.Text["empty"], "meta")
	}
	for n, one := range rows {
		tall := 1
		for i, c := range s.Columns {
			tall = max(tall, 1+int((displayWidth(show(one[c.Key], c.Kind, b.words, one))-1)/mostWidth))
			widths[i+1] = max(widths[i+1], min(displayWidth(show(one[c.Key], c.Kind, b.words, one)), mostWidth))
			if err := b.putCell(sheet, i+1, at+1+n, c, one); err != nil {
				return 0, err
			}
		}
		if err := b.file.SetRowHeight(sheet, at+1+n, rowHeight*float64(tall)); err != nil {
			return 0, err
		}
	}
	end := at + len(rows)
	for i, c := range s.Columns {
		if c.Heat {
			letter, err := excelize.ColumnNumberToName(i + 1)
			if err != nil {
				return 0, err
			}
			if err := b.heat(sheet, fmt.Sprintf("%s%d:%s%d", letter, at+1, letter, end)); err != nil {
				return 0, err
			}
		}
	}
	if len(rows) > 20 {
		letter, err := excelize.ColumnNumberToName(len(s.Columns))
		if err != nil {
			return 0, err
		}
		if err := b.file.AutoFilter(sheet, fmt.Sprintf("A%d:%s%d", at, letter, end), nil); err != nil {
			return 0, err
		}
	}
	return end + 1, nil
}

// heat shades a range from light to the blue that dark text still reads on.
func (b *book) heat(sheet, area string) error {
	return b.file.SetConditionalFormat(sheet, area, []excelize.ConditionalFormatOptions{{
		Type: "2_color_scale", Criteria: "=", MinType: "num", MinValue: fmt.Sprint(heatFloor), MinColor: heatColors[0],
		MaxType: "num", MaxValue: "100", MaxColor: heatColors[4],
	}})
}

// layout sets panes and print: A4, all columns on a page's width, the heads on
// every page.
func (b *book) layout(sheet string, headRow int, isOneTable, isOnePage bool) error {
	orientation, fitWidth, fitHeight, size := "landscape", 1, 0, 9
	isFit := true
	if isOnePage {
		fitHeight = 1 // charts must not be cut
	}
	left, top := 0.5, 0.7
	err := errors.Join(
		b.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &isFit}),
		b.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Orientation: &orientation, Size: &size, FitToWidth: &fitWidth, FitToHeight: &fitHeight}),
		b.file.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &left, Right: &left, Top: &top, Bottom: &top}),
		b.file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: "&L" + b.text("office") + "&R" + b.words.Text["page"]}),
	)
	if err != nil || !isOneTable {
		return err
	}
	return errors.Join(
		b.file.SetPanes(sheet, &excelize.Panes{Freeze: true, XSplit: 2, YSplit: headRow, TopLeftCell: fmt.Sprintf("C%d", headRow+1), ActivePane: "bottomRight"}),
		b.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$%d:$%d", sheet, headRow, headRow), Scope: sheet}),
	)
}

// writeSummary writes the first sheet: the sentences, what to decide, and
// links to the others.
func (b *book) writeSummary(name string) error {
	if err := b.head(name, "H", "summary"); err != nil {
		return err
	}
	row := 4
	block := func(title string, sentences [][]part) error {
		if err := b.put(name, 1, row, title, "section"); err != nil {
			return err
		}
		row++
		for _, sentence := range sentences {
			end := fmt.Sprintf("H%d", row)
			err := errors.Join(b.file.MergeCell(name, fmt.Sprintf("A%d", row), end), b.put(name, 1, row, plain(sentence), "text"),
				b.file.SetRowHeight(name, row, 18*float64(1+int(displayWidth(plain(sentence)))/100)+4))
			if err != nil {
				return err
			}
			row++
		}
		row++
		return nil
	}
	if err := block(b.words.Text["summary"], b.summary()); err != nil {
		return err
	}
	if err := block(b.words.Text["decide"], b.decisions()); err != nil {
		return err
	}
	if err := block(b.words.Sheets["method"], [][]part{{{Text: b.text("foot")}}}); err != nil {
		return err
	}
	if err := b.put(name, 1, row, b.words.Text["contents"], "section"); err != nil {
		return err
	}
	const across = 6
	for i, s := range b.Sheets {
		if i%across == 0 {
			row++
		}
		cell, err := excelize.CoordinatesToCellName(1+i%across, row)
		if err != nil {
			return err
		}
		err = errors.Join(b.put(name, 1+i%across, row, b.words.Sheets[s.ID], "link"),
			b.file.SetCellHyperLink(name, cell, fmt.Sprintf("'%s'!A1", b.words.Sheets[s.ID]), "Location"))
		if err != nil {
			return err
		}
	}
	if err := b.file.SetColWidth(name, "A", "H", 14); err != nil {
		return err
	}
	return b.layout(name, 3, false, true)
}

// rankingChart draws the totals as bars below the table.
func (b *book) rankingChart(sheet string, row, headRow int) error {
	count := len(b.tables["community"])
	total := 0
	for i, c := range communityColumns() {
		if c.Key == "total" {
			total = i + 1
		}
	}
	letter, err := excelize.ColumnNumberToName(total)
	if err != nil {
		return err
	}
	first, last := headRow+1, headRow+count
	isOn, least := true, 0.0
	return b.file.AddChart(sheet, fmt.Sprintf("A%d", row), &excelize.Chart{
		Type: excelize.Bar,
		Series: []excelize.ChartSeries{{
			Name:       fmt.Sprintf("'%s'!$%s$%d", sheet, letter, headRow),
			Categories: fmt.Sprintf("'%s'!$B$%d:$B$%d", sheet, first, last), Values: fmt.Sprintf("'%s'!$%s$%d:$%s$%d", sheet, letter, first, letter, last),
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{blueColor}},
		}},
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: b.words.Charts["total"]}}}, Legend: excelize.ChartLegend{Position: "none"},
		PlotArea: excelize.ChartPlotArea{ShowVal: isOn}, YAxis: excelize.ChartAxis{Minimum: &least}, XAxis: excelize.ChartAxis{ReverseOrder: true},
		Dimension: excelize.ChartDimension{Width: 640, Height: 380}, GapWidth: gap(60),
	})
}

func gap(percent uint) *uint { return &percent }

// trendChart writes the twelve months beside and draws them as lines.
func (b *book) trendChart(sheet string, row int) error {
	if err := b.put(sheet, 1, row, b.words.Sections["trend"], "section"); err != nil {
		return err
	}
	months, places := []string{}, map[string]int{}
	for _, one := range b.tables["trend"] {
		if month := one["of_month"][:7]; places["m"+month] == 0 {
			months = append(months, month)
			places["m"+month] = len(months) + 2
			if err := b.put(sheet, len(months)+2, row+1, month, "head"); err != nil {
				return err
			}
		}
	}
	var series []excelize.ChartSeries
	last, err := excelize.ColumnNumberToName(len(months) + 2)
	if err != nil {
		return err
	}
	for i, unit := range b.tables["community"] {
		at := row + 2 + i
		if err := b.put(sheet, 2, at, unit["name"], "words"); err != nil {
			return err
		}
		for _, one := range b.tables["trend"] {
			if one["name"] == unit["name"] {
				if err := b.putCell(sheet, places["m"+one["of_month"][:7]], at, column{Key: "total", Kind: score}, one); err != nil {
					return err
				}
			}
		}
		series = append(series, excelize.ChartSeries{
			Name:       fmt.Sprintf("'%s'!$B$%d", sheet, at),
			Categories: fmt.Sprintf("'%s'!$C$%d:$%s$%d", sheet, row+1, last, row+1), Values: fmt.Sprintf("'%s'!$C$%d:$%s$%d", sheet, at, last, at),
		})
	}
	least := b.trendFloor()
	return b.file.AddChart(sheet, fmt.Sprintf("A%d", row+3+len(series)), &excelize.Chart{
		Type: excelize.Line, Series: series, Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: b.words.Charts["trend"]}}},
		Legend: excelize.ChartLegend{Position: "right"}, YAxis: excelize.ChartAxis{Minimum: &least}, Dimension: excelize.ChartDimension{Width: 980, Height: 400},
	})
}

// trendFloor is where the trend's axis begins: the five points below the
// lowest total.
func (b *book) trendFloor() float64 {
	least := 95.0
	for _, one := range b.tables["trend"] {
		if total, err := strconv.ParseFloat(one["total"], 64); err == nil {
			least = min(least, math.Floor(total/5)*5)
		}
	}
	return least
}
