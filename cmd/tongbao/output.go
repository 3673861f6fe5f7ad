package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"tongbao/reports/forms"
	"tongbao/warehouse"
)

// print writes rows to stdout in the form that --output asks for. Null is an
// empty cell, in JSON null.
func (a *app) print(rows warehouse.Rows) error {
	switch a.output {
	case "json":
		return a.printJSON(rows)
	case "csv":
		return a.printCSV(rows)
	}
	a.printTable(rows)
	return nil
}

// printJSON writes one object a line. Values are text as the engine prints
// them, so that decimals and 18-digit ids keep every digit.
func (a *app) printJSON(rows warehouse.Rows) error {
	for _, row := range rows.Cells {
		var line strings.Builder
		for i, cell := range row {
			key, err := json.Marshal(rows.Columns[i])
			if err != nil {
				return err
			}
			value := []byte("null")
			if cell.Valid {
				if value, err = json.Marshal(cell.String); err != nil {
					return err
				}
			}
			fmt.Fprintf(&line, ",%s:%s", key, value)
		}
		if _, err := fmt.Fprintf(a.stdout, "{%s}\n", strings.TrimPrefix(line.String(), ",")); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printCSV(rows warehouse.Rows) error {
	writer := csv.NewWriter(a.stdout)
	if err := writer.Write(rows.Columns); err != nil {
		return err
	}
	for _, row := range rows.Cells {
		record := make([]string, len(row))
		for i, cell := range row {
			record[i] = forms.GuardFormula(cell.String)
		}
		if err := writer.Write(record); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

func (a *app) printTable(rows warehouse.Rows) {
	widths := make([]int, len(rows.Columns))
	for i, name := range rows.Columns {
		widths[i] = displayWidth(name)
		for _, row := range rows.Cells {
			widths[i] = max(widths[i], displayWidth(row[i].String))
		}
	}
	a.printLine(rows.Columns, widths)
	for _, row := range rows.Cells {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = strings.Map(printable, cell.String)
		}
		a.printLine(cells, widths)
	}
}

func (a *app) printLine(cells []string, widths []int) {
	var line strings.Builder
	for i, cell := range cells {
		line.WriteString(cell)
		line.WriteString(strings.Repeat(" ", widths[i]-displayWidth(cell)+2))
	}
	fmt.Fprintln(a.stdout, strings.TrimRight(line.String(), " "))
}

// printable keeps control characters of delivered text off the terminal.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return '·'
	}
	return r
}

// displayWidth counts Chinese characters as two columns.
func displayWidth(text string) int {
	width := 0
	for _, r := range text {
		width++
		if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) ||
			r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60) {
			width++
		}
	}
	return width
}
