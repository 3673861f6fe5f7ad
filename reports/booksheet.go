package reports

import (
	"errors"
	"strings"

	"github.com/xuri/excelize/v2"
)

// maxBesideChart rows leave room for a chart below a table on one page.
const (
	maxBesideChart = 16
	leastChartRows = 8 // a chart with fewer says nothing
)

// writeSheet writes the sections of a sheet one below the other.
func (b *book) writeSheet(name string, s sheet) error {
	g := b.grid(name)
	columns := 1
	for _, section := range s.Sections {
		columns = max(columns, len(section.Columns))
	}
	c := b.lineCheck(s)
	g.measure(s, c)
	var tables []table
	at := 4
	for _, section := range s.Sections {
		t, err := g.writeSection(section, at)
		if err != nil {
			return err
		}
		tables = append(tables, t)
		at = t.end + 2
		b.places[section.ID] = t
		// The sums stand between the scores and the long list of points.
		if c != nil && section.ID == "line_unit" {
			if t, err = g.writeCheck(c, at); err != nil {
				return err
			}
			tables, columns = append(tables, t), max(columns, t.columns)
			at = t.end + 2
		}
	}
	pages := 0
	if only := tables[0]; len(tables) == 1 && only.end-only.head <= maxBesideChart {
		pages = g.chartBelow(only, columns)
	}
	if err := g.head(b.words.Sheets[s.ID], columns); err != nil {
		return err
	}
	for _, col := range g.hidden(s) {
		if err := g.file.SetColVisible(g.name, columnName(col), false); err != nil {
			return err
		}
	}
	return errors.Join(g.print(tables, columns, pages), g.write())
}

// chartBelow fills the page below a short table with its picture; the table
// and the chart are then one page.
func (g *grid) chartBelow(t table, columns int) (pages int) {
	var title string
	var layers []*excelize.Chart
	tall := 2 * (t.end - t.head)
	switch t.section.ID {
	case "community":
		title, layers = g.words.Charts["weighted"], g.weightedBars()
		tall *= 2
	case "line_unit":
		title, layers = g.words.Sheets[t.section.Filter]+" · "+g.words.Columns["score"], []*excelize.Chart{g.tableBars(t, "score")}
	default:
		return 0
	}
	// As tall as the page has room: one that is taller would shrink the table.
	_, room := g.page(columns)
	for at := 1; at <= t.end+2; at++ {
		room -= g.heightOf(at)
	}
	if tall = min(tall, int(room/15)); tall < leastChartRows {
		return 0
	}
	g.height(t.end+2, 22)
	g.plainRows(t.end+3, t.end+2+tall)
	g.charts = append(g.charts, hung{from: 1, to: columns, at: t.end + 3, rows: tall, alt: title, layers: layers})
	if err := g.put(1, t.end+2, title, sectionStyle); err != nil {
		return 0
	}
	return 1
}

// head writes the title, the line below it and the way back.
func (g *grid) head(title string, columns int) error {
	for col := range columns {
		if err := g.put(col+1, 1, nil, titleStyle.sized(15)); err != nil {
			return err
		}
	}
	g.height(1, 30)
	g.height(2, 16)
	return errors.Join(
		g.put(1, 1, title, titleStyle.sized(15)),
		g.link(1, 2, g.words.Text["back"], g.sheetName("summary"), linkStyle),
		g.put(2, 2, g.origin(columns), metaStyle),
	)
}

// origin says what the sheet is a part of, as far as its columns have room.
func (g *grid) origin(columns int) string {
	parts := []string{g.text("title"), g.words.Editions[string(g.Options.Edition)], g.state(), g.text("rubric"), g.text("office")}
	room := 0.0
	for col := 2; col <= columns; col++ {
		room += g.widths[col]
	}
	for len(parts) > 1 && displayWidth(strings.Join(parts, " · ")) > room {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, " · ")
}

func (s cellStyle) sized(size float64) cellStyle { s.Size = size; return s }

// table says where a section stands: its title, head, first and last row.
type table struct {
	sheet                           string
	section                         section
	title, head, from, end, columns int
}

// at is the column of a key, 0 where the edition leaves it out.
func (t table) at(key string) int {
	for i, c := range t.section.Columns {
		if c.Key == key {
			return i + 1
		}
	}
	return 0
}

// writeSection writes title, head and rows from a row on.
func (g *grid) writeSection(s section, at int) (table, error) {
	t := table{sheet: g.name, section: s, title: at, head: at + 1, columns: len(s.Columns)}
	g.height(at, 22)
	if err := g.put(1, at, g.words.Sections[s.ID], sectionStyle); err != nil {
		return t, err
	}
	weights := g.weightRow(s)
	if weights != nil {
		t.head++
		if err := g.writeWeights(s, weights, at+1); err != nil {
			return t, err
		}
	}
	if err := g.writeHeads(s, t.head); err != nil {
		return t, err
	}
	t.from = t.head + 1
	rows := g.book.rows(s)
	if len(rows) == 0 {
		t.end = t.from
		return t, g.put(1, t.from, g.words.Text["empty"], metaStyle)
	}
	t.end = t.head + len(rows)
	for n, one := range rows {
		if err := g.writeRow(t, t.from+n, one, weights); err != nil {
			return t, err
		}
	}
	return t, g.dress(t)
}

func (g *grid) writeHeads(s section, at int) error {
	tall := 1
	for i, c := range s.Columns {
		title, look := g.words.column(s.ID, c.Key), headStyle
		if isNumber(c.Kind) {
			look.Align = "right"
		}
		look.Indent = indent(s, i)
		tall = max(tall, linesOf(title, g.widths[i+1]-1.5))
		if err := g.put(i+1, at, title, look); err != nil {
			return err
		}
	}
	g.height(at, rowHeight+lineHeight*float64(tall-1)+2)
	return nil
}

// indent keeps a text away from the number before it.
func indent(s section, at int) int {
	if at > 0 && !isNumber(s.Columns[at].Kind) && isNumber(s.Columns[at-1].Kind) {
		return 1
	}
	return 0
}

func (g *grid) writeRow(t table, at int, one row, weights map[string]int64) error {
	tall := 1
	for i, c := range t.section.Columns {
		value, look, err := g.value(c, one)
		if err != nil {
			return err
		}
		formula := ""
		if c.Key == "total" && weights != nil {
			formula = g.totalFormula(t, at, one, weights)
		}
		if !isNumber(c.Kind) {
			look.Indent = indent(t.section, i)
		}
		if look.Wrap {
			tall = max(tall, linesOf(g.shown(c, one), roomFor(g.widths[i+1])))
		}
		if err := g.putFormula(i+1, at, formula, value, look); err != nil {
			return err
		}
	}
	g.height(at, min(rowHeight+lineHeight*float64(tall-1), 400))
	return nil
}

// dress adds what depends on the values: shades, colours, filters, names.
func (g *grid) dress(t table) error {
	for i, c := range t.section.Columns {
		cells := area(i+1, t.from, i+1, t.end)
		var err error
		switch {
		case c.Heat:
			err = g.heat(g.name, cells)
		case c.Kind == moves || c.Kind == signed:
			err = g.colourChanges(g.name, cells)
		}
		if err != nil {
			return err
		}
	}
	all := area(1, t.head, len(t.section.Columns), t.end)
	if t.end-t.head > 20 {
		if err := g.file.AutoFilter(g.name, all, nil); err != nil {
			return err
		}
	}
	name := t.section.ID
	if t.section.Filter != "" {
		name += "_" + t.section.Filter
	}
	return g.file.SetDefinedName(&excelize.DefinedName{Name: name, RefersTo: fixed(g.name, 1, t.head, len(t.section.Columns), t.end)})
}
