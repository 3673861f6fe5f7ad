package reports

import (
	"errors"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// grid is a sheet before it is written. Two ways lead into the file, because
// neither can do everything: only the stream keeps a number beside a formula
// (and is light on long tables), and only the plain way keeps solid
// bars in cells.
type grid struct {
	*book
	name    string
	rows    []gridRow // by row − 1
	merges  [][2]string
	widths  map[int]float64
	charts  []hung
	ranked  int  // first row of the ranking on the first page
	isPlain bool // has solid bars
}

// hung is a chart that hangs over whole columns and rows.
type hung struct {
	from, to, at, rows int
	alt                string
	layers             []*excelize.Chart
}

type gridRow struct {
	height float64 // points, 0 is the file's default
	cells  []any   // by column − 1; nil or an excelize.Cell
}

func (b *book) grid(name string) *grid {
	return &grid{book: b, name: name, widths: map[int]float64{}}
}

func (g *grid) row(at int) *gridRow {
	for len(g.rows) < at {
		g.rows = append(g.rows, gridRow{})
	}
	return &g.rows[at-1]
}

func (g *grid) height(at int, points float64) { g.row(at).height = points }

// plainRows gives rows under a chart the height that it is measured in.
func (g *grid) plainRows(from, to int) {
	for at := from; at <= to; at++ {
		g.height(at, 15)
	}
}

// put sets a cell. A string is text whatever it looks like.
func (g *grid) put(col, at int, value any, s cellStyle) error {
	return g.putFormula(col, at, "", value, s)
}

// putFormula sets a cell with a formula and the number it gives.
func (g *grid) putFormula(col, at int, formula string, value any, s cellStyle) error {
	id, err := g.style(s)
	if err != nil {
		return err
	}
	r := g.row(at)
	for len(r.cells) < col {
		r.cells = append(r.cells, nil)
	}
	r.cells[col-1] = excelize.Cell{StyleID: id, Formula: formula, Value: value}
	return nil
}

// span sets a cell that reaches to another column.
func (g *grid) span(from, to, at int, value any, s cellStyle) error {
	for col := from + 1; col <= to; col++ {
		if err := g.put(col, at, nil, s); err != nil {
			return err
		}
	}
	g.merges = append(g.merges, [2]string{cellName(from, at), cellName(to, at)})
	return g.put(from, at, value, s)
}

// link makes a cell lead to a sheet.
func (g *grid) link(col, at int, text, sheet string, s cellStyle) error {
	return errors.Join(g.put(col, at, text, s), g.file.SetCellHyperLink(g.name, cellName(col, at), quoteSheet(sheet)+"!A1", "Location"))
}

// write puts the grid into the file.
func (g *grid) write() error {
	for col, width := range g.widths {
		letter := columnName(col)
		if err := g.file.SetColWidth(g.name, letter, letter, width); err != nil {
			return err
		}
	}
	if g.isPlain {
		return g.writePlain()
	}
	// A chart takes its size from the rows as the file has them: 15 points.
	for _, c := range g.charts {
		if err := g.drawAt(c.from, c.to, c.at, c.rows, c.alt, c.layers); err != nil {
			return err
		}
	}
	stream, err := g.file.NewStreamWriter(g.name)
	if err != nil {
		return err
	}
	for i, r := range g.rows {
		if len(r.cells) == 0 && r.height == 0 {
			continue
		}
		if err := stream.SetRow(cellName(1, i+1), r.cells, excelize.RowOpts{Height: r.height}); err != nil {
			return err
		}
	}
	for _, merge := range g.merges {
		if err := stream.MergeCell(merge[0], merge[1]); err != nil {
			return err
		}
	}
	return stream.Flush()
}

func (g *grid) writePlain() error {
	for i, r := range g.rows {
		if r.height > 0 {
			if err := g.file.SetRowHeight(g.name, i+1, r.height); err != nil {
				return err
			}
		}
		for j, value := range r.cells {
			if value == nil {
				continue
			}
			if err := g.writeCell(cellName(j+1, i+1), value.(excelize.Cell)); err != nil {
				return err
			}
		}
	}
	for _, merge := range g.merges {
		if err := g.file.MergeCell(g.name, merge[0], merge[1]); err != nil {
			return err
		}
	}
	return nil
}

func (g *grid) writeCell(at string, cell excelize.Cell) error {
	var err error
	switch value := cell.Value.(type) {
	case nil:
	case string:
		err = g.file.SetCellStr(g.name, at, value)
	case []excelize.RichTextRun:
		err = g.file.SetCellRichText(g.name, at, value)
	default:
		err = g.file.SetCellValue(g.name, at, value)
	}
	if cell.Formula != "" {
		return fmt.Errorf("cell %s: a sheet with bars cannot keep numbers beside formulas", at)
	}
	return errors.Join(err, g.file.SetCellStyle(g.name, at, at, cell.StyleID))
}

// cellName and columnName are sure of their numbers: ours are small.
func cellName(col, row int) string {
	return columnName(col) + fmt.Sprint(row)
}

func columnName(col int) string {
	name := ""
	for ; col > 0; col = (col - 1) / 26 {
		name = string(rune('A'+(col-1)%26)) + name
	}
	return name
}

// area is a range of cells, without its sheet.
func area(fromCol, fromRow, toCol, toRow int) string {
	return cellName(fromCol, fromRow) + ":" + cellName(toCol, toRow)
}

// fixed is a range with its sheet that does not move when it is copied.
func fixed(sheet string, fromCol, fromRow, toCol, toRow int) string {
	from := fmt.Sprintf("%s!$%s$%d", quoteSheet(sheet), columnName(fromCol), fromRow)
	if fromCol == toCol && fromRow == toRow {
		return from
	}
	return fmt.Sprintf("%s:$%s$%d", from, columnName(toCol), toRow)
}

func quoteSheet(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }
