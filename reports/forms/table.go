// Package forms writes tables that people take away and, later, fill in: what
// a question answered, as CSV or a workbook. It knows nothing of what a table
// means.
package forms

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// TableWriter takes a table row by row; a cell is text as the engine prints
// it, null is not valid. Close finishes the file.
type TableWriter interface {
	Head(names, types []string) error
	Row(cells []sql.NullString) error
	Close() error
}

// GuardFormula keeps a spreadsheet from running text as a formula; numbers
// stay numbers.
func GuardFormula(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
		return cell
	}
	if strings.Trim(cell[1:], "0123456789.") == "" && (cell[0] == '-' || cell[0] == '+') {
		return cell
	}
	return "'" + cell
}

// NewCSV writes UTF-8 with the mark by which Excel knows it.
func NewCSV(to io.Writer) TableWriter { return &csvWriter{to: to} }

type csvWriter struct {
	to  io.Writer
	csv *csv.Writer
}

func (w *csvWriter) Head(names, _ []string) error {
	if _, err := io.WriteString(w.to, "\ufeff"); err != nil {
		return err
	}
	w.csv = csv.NewWriter(w.to)
	record := make([]string, len(names))
	for i, name := range names {
		record[i] = GuardFormula(name)
	}
	return w.csv.Write(record)
}

func (w *csvWriter) Row(cells []sql.NullString) error {
	record := make([]string, len(cells))
	for i, cell := range cells {
		record[i] = GuardFormula(cell.String)
	}
	return w.csv.Write(record)
}

func (w *csvWriter) Close() error {
	if w.csv == nil {
		return nil
	}
	w.csv.Flush()
	return w.csv.Error()
}

// maxCell is the longest text that a cell of a workbook holds; excelize would
// cut it without a word.
const maxCell = 32_767

// maxDigits is how many digits a number of a workbook keeps.
const maxDigits = 15

// NewBook writes a workbook: the table, and on a second sheet the lines of
// about, such as the query and what it was asked of.
func NewBook(to io.Writer, sheet, aboutSheet string, about [][2]string) TableWriter {
	return &bookWriter{to: to, sheet: sheet, aboutSheet: aboutSheet, about: about}
}

type bookWriter struct {
	to                io.Writer
	sheet, aboutSheet string
	about             [][2]string
	file              *excelize.File
	stream            *excelize.StreamWriter
	types             []string
	row               int
	head, day         int // styles
}

func (w *bookWriter) Head(names, types []string) (err error) {
	w.file, w.types = excelize.NewFile(), types
	if err = w.file.SetSheetName("Sheet1", w.sheet); err != nil {
		return err
	}
	if w.head, err = w.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err != nil {
		return err
	}
	format := "yyyy-mm-dd"
	if w.day, err = w.file.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
		return err
	}
	if w.stream, err = w.file.NewStreamWriter(w.sheet); err != nil {
		return err
	}
	if err = w.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if len(names) > 0 {
		if err = w.stream.SetColWidth(1, len(names), 16); err != nil {
			return err
		}
	}
	cells := make([]any, len(names))
	for i, name := range names {
		cells[i] = excelize.Cell{StyleID: w.head, Value: name}
	}
	w.row = 1
	return w.stream.SetRow("A1", cells)
}

func (w *bookWriter) Row(cells []sql.NullString) error {
	w.row++
	values := make([]any, len(cells))
	for i, cell := range cells {
		if !cell.Valid {
			continue
		}
		if len(cell.String) > maxCell && len([]rune(cell.String)) > maxCell {
			return fmt.Errorf("row %d: a text of more than %d characters has no place in a workbook; take CSV or Parquet", w.row, maxCell)
		}
		values[i] = w.value(cell.String, w.types[i])
	}
	return w.stream.SetRow(fmt.Sprintf("A%d", w.row), values)
}

// value is a cell by the engine's type: numbers as numbers unless a digit
// would be lost, dates as dates, everything else as text.
func (w *bookWriter) value(text, kind string) any {
	switch base, _, _ := strings.Cut(kind, "("); base {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "DECIMAL", "FLOAT", "DOUBLE":
		digits := strings.NewReplacer("-", "", ".", "").Replace(text)
		var number float64
		if _, err := fmt.Sscan(text, &number); err == nil && (len(digits) <= maxDigits || base == "FLOAT" || base == "DOUBLE") && number-number == 0 {
			return number
		}
	case "DATE":
		if day, err := time.Parse(time.DateOnly, text); err == nil && day.Year() >= 1900 && day.Year() < 9999 {
			return excelize.Cell{StyleID: w.day, Value: day}
		}
	}
	return text
}

func (w *bookWriter) Close() error {
	if w.file == nil {
		return nil
	}
	defer w.file.Close()
	if err := w.stream.Flush(); err != nil {
		return err
	}
	if _, err := w.file.NewSheet(w.aboutSheet); err != nil {
		return err
	}
	for i, line := range w.about {
		text := []rune(line[1])
		if err := w.file.SetSheetRow(w.aboutSheet, fmt.Sprintf("A%d", i+1), &[]any{line[0], string(text[:min(len(text), maxCell)])}); err != nil {
			return err
		}
	}
	if err := w.file.SetColWidth(w.aboutSheet, "B", "B", 100); err != nil {
		return err
	}
	_, err := w.file.WriteTo(w.to)
	return err
}
