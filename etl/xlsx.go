package etl

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// readXLSX stages the sheets of a workbook that the definition names.
func (d *Definition) readXLSX(path, scratch string) (stage, error) {
	book, err := openWorkbook(path)
	if err != nil {
		return stage{}, err
	}
	defer book.close()
	sheets, err := d.findSheets(book)
	if err != nil {
		return stage{}, err
	}
	var writer *stageWriter
	cells := 0
	for _, sheet := range sheets {
		if writer, err = d.stageSheet(book, sheet, writer, filepath.Join(scratch, "stage.csv"), &cells); err != nil {
			return stage{}, err
		}
	}
	if writer == nil {
		return stage{}, &FileError{What: "has no rows", Do: "export it again"}
	}
	return writer.finish()
}

// stageSheet adds a sheet to the stage, which it makes with the first one. A
// sheet without any cell is passed over where a pattern picked it.
func (d *Definition) stageSheet(book *workbook, sheet sheetPart, writer *stageWriter, stagePath string, cells *int) (*stageWriter, error) {
	source, err := book.open(sheet)
	if err != nil {
		return writer, err
	}
	defer source.close()
	head, row, fields, err := readHead(source)
	if err != nil {
		return writer, err
	}
	if len(head) == 0 && row == 0 && d.sheets != nil {
		return writer, nil
	}
	names := make([][]string, len(head))
	for i, record := range head {
		names[i] = textOf(record)
	}
	h, err := d.findHeader(names)
	if err != nil {
		return writer, inSheet(err, sheet.name)
	}
	if writer == nil {
		if writer, err = newStageWriter(stagePath, d, h); err != nil {
			return writer, err
		}
	}
	writer.header, writer.sheet = h, sheet.name
	kinds := d.cellKinds(h)
	for at := h.record; at < len(head); at++ {
		harm := convertCells(head[at], kinds, book.epoch)
		if err := writer.write(int64(at+1), textOf(head[at]), harm); err != nil {
			return writer, err
		}
	}
	for row > 0 {
		if *cells += len(fields); *cells > MaxCells {
			return writer, source.fault(row, fmt.Sprintf("is where the workbook has more than %d cells", MaxCells), "split it into smaller workbooks")
		}
		harm := convertCells(fields, kinds, book.epoch)
		if err := writer.write(row, textOf(fields), harm); err != nil {
			return writer, err
		}
		if row, fields, err = source.next(); err == io.EOF {
			break
		} else if err != nil {
			return writer, err
		}
	}
	return writer, nil
}

// readHead returns the rows in which the header is looked for, each at its
// place, and the first row after them; row 0 if there is none.
func readHead(source *sheetReader) (head [][]cell, row int64, fields []cell, err error) {
	for {
		row, fields, err = source.next()
		if err == io.EOF {
			return head, 0, nil, nil
		}
		if err != nil || row > MaxHeaderRow {
			return head, row, fields, err
		}
		for int64(len(head)) < row-1 {
			head = append(head, nil)
		}
		head = append(head, fields)
	}
}

func inSheet(err error, name string) error {
	if wrong, isWrong := err.(*FileError); isWrong {
		wrong.Where = strings.TrimSuffix("sheet "+name+", "+wrong.Where, ", ")
	}
	return err
}

func textOf(cells []cell) []string {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = c.text
	}
	return texts
}

// cellKind says how a field of the sheet is read.
type cellKind struct {
	name string
	kind string // engine type of the target, "" for a column that is not read
}

// timeOfDay is the kind of a column that is appended to a date.
const timeOfDay = "TIME"

func (d *Definition) cellKinds(h header) map[int]cellKind {
	kinds := map[int]cellKind{}
	for _, column := range d.Columns {
		kind := targets[d.Target][column.To]
		if kind == "" {
			kind = text
		}
		if at, found := h.index[first(column.From)]; found {
			kinds[at] = cellKind{first(column.From), kind}
			if column.And != "" {
				kinds[at] = cellKind{first(column.From), day}
			}
		}
		if at, found := h.index[column.And]; found && column.And != "" {
			kinds[at] = cellKind{column.And, timeOfDay}
		}
	}
	return kinds
}

// serialLimit is a day in the year 2119; larger numbers are written dates
// such as 20260405.
const serialLimit = 80_000.0

// convertCells gives every cell that is read the text that it shows, in
// place, and names the first one whose value is lost: an error value, a
// formula that was never computed, a long id kept as a number.
func convertCells(cells []cell, kinds map[int]cellKind, epoch time.Time) damage {
	var harm damage
	note := func(reason, column, value string) {
		if harm.reason == "" {
			harm = damage{reason, column, value}
		}
	}
	for i := range cells {
		kind, isRead := kinds[i]
		if !isRead {
			continue
		}
		c := &cells[i]
		switch {
		case c.kind == errorCell:
			note("bad_value", kind.name, c.text)
		case c.kind == formulaCell:
			note("bad_value", kind.name, "a formula without a stored result")
		case c.kind == boolCell:
			c.text = map[string]string{"1": "TRUE", "0": "FALSE"}[c.text]
		case kind.kind == moment || kind.kind == day || kind.kind == timeOfDay:
			c.text = serialText(c.text, kind.kind, epoch)
		case c.kind == numberCell:
			var isWhole bool
			if c.text, isWhole = numberText(c.text); !isWhole && kind.kind == text {
				note("bad_number", kind.name, c.text)
			}
		}
	}
	return harm
}

// serialText returns a date number as text to the second, any other text as
// it is.
func serialText(cell, kind string, epoch time.Time) string {
	serial, err := strconv.ParseFloat(cell, 64)
	if err != nil || serial >= serialLimit || serial < 0 || serial < 1 && kind != timeOfDay {
		return cell
	}
	at := epoch.Add(time.Duration(math.Round(serial*86400)) * time.Second)
	switch {
	case kind == timeOfDay:
		return at.Format("15:04:05")
	case kind == day && serial == math.Trunc(serial):
		return at.Format("2006-01-02")
	}
	return at.Format("2006-01-02 15:04:05")
}

// numberText returns a stored number as Excel shows it: it keeps 15 digits,
// and what follows them in the file (1.1000000000000001) is noise. A number
// written in full stays as it is. Not whole is one that has lost digits: an id
// of 18 digits kept as 2.50912101108115E+17.
func numberText(stored string) (text string, isWhole bool) {
	if !strings.ContainsAny(stored, ".eE") {
		return stored, true
	}
	number, err := strconv.ParseFloat(stored, 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		return stored, true
	}
	if math.Abs(number) >= 1e15 {
		return stored, false
	}
	number, err = strconv.ParseFloat(strconv.FormatFloat(number, 'e', 14, 64), 64)
	if err != nil {
		return stored, false
	}
	return strconv.FormatFloat(number, 'f', -1, 64), true
}
