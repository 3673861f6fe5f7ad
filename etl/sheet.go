package etl

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// cell is one cell as the file stores it.
type cell struct {
	text string
	kind cellForm
}

type cellForm byte

const (
	textCell    cellForm = iota // also an empty one
	numberCell                  // a number, or a date: styles are not trusted
	boolCell                    // 1 or 0
	errorCell                   // #N/A and its like
	dateCell                    // an ISO 8601 text
	formulaCell                 // a formula of which no result is stored
)

// sheetReader reads a worksheet row by row.
type sheetReader struct {
	book  *workbook
	sheet sheetPart
	part  *xmlPart
	row   int64 // the row that was read last, from 1
	isEnd bool
}

func (book *workbook) open(sheet sheetPart) (*sheetReader, error) {
	part, err := book.part(sheet.part)
	if err != nil {
		return nil, err
	}
	return &sheetReader{book: book, sheet: sheet, part: part}, nil
}

func (s *sheetReader) close() error { return s.part.file.Close() }

// fault names the row in an error of the file.
func (s *sheetReader) fault(row int64, what, do string) error {
	return &FileError{Where: fmt.Sprintf("sheet %s, row %d", s.sheet.name, row), What: what, Do: do}
}

const saveAgain = "open it in Excel and save it again"

// next returns the number and the cells of the next row that the file
// stores, io.EOF after the last.
func (s *sheetReader) next() (int64, []cell, error) {
	for {
		token, err := s.part.next()
		if err == io.EOF {
			if !s.isEnd {
				return 0, nil, s.fault(s.row, "is the last one stored: the sheet is cut short", "export or copy it again")
			}
			return 0, nil, io.EOF
		}
		if err != nil {
			return 0, nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "row" && !s.isEnd {
				return s.readRow(token)
			}
		case xml.EndElement:
			s.isEnd = s.isEnd || token.Name.Local == "worksheet" || token.Name.Local == "sheetData"
		}
	}
}

func (s *sheetReader) readRow(start xml.StartElement) (int64, []cell, error) {
	number := s.row + 1
	if named := attribute(start, "r"); named != "" {
		var err error
		if number, err = strconv.ParseInt(named, 10, 64); err != nil || number <= s.row || number > MaxSheetRows {
			return 0, nil, s.fault(s.row+1, fmt.Sprintf("has the number %.20q", named), saveAgain)
		}
	}
	s.row = number
	var cells []cell
	follows := 0 // the column of a cell without a place
	for {
		token, err := s.part.next()
		if err == io.EOF {
			err = s.fault(number, "is cut short", "export or copy it again")
		}
		if err != nil {
			return 0, nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "c" {
				continue
			}
			column, c, err := s.readCell(token, follows)
			if err != nil {
				return 0, nil, err
			}
			follows = column + 1
			if c.text == "" && c.kind == textCell {
				continue
			}
			if column >= MaxColumns {
				return 0, nil, s.fault(number, fmt.Sprintf("has text beyond column %d", MaxColumns), "delete what stands far to the right of the table")
			}
			for len(cells) <= column {
				cells = append(cells, cell{})
			}
			cells[column] = c
		case xml.EndElement:
			if token.Name.Local == "row" {
				return number, cells, nil
			}
		}
	}
}

// readCell reads a cell to its end. A cell without a place follows the one
// before it.
func (s *sheetReader) readCell(start xml.StartElement, follows int) (column int, c cell, err error) {
	column = follows
	if named := attribute(start, "r"); named != "" {
		if column = columnOf(named); column < 0 {
			return 0, c, s.fault(s.row, fmt.Sprintf("has a cell named %.20q", named), saveAgain)
		}
	}
	kind := attribute(start, "t")
	var value, inline strings.Builder
	var inValue, inText, hasFormula bool
	phonetic := 0
	for {
		token, err := s.part.next()
		if err == io.EOF {
			err = s.fault(s.row, "is cut short", "export or copy it again")
		}
		if err != nil {
			return 0, c, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "v":
				inValue = true
			case "t":
				inText = true
			case "f":
				hasFormula = true
			case "rPh":
				phonetic++
			}
		case xml.CharData:
			if inValue {
				value.Write(token)
			} else if inText && phonetic == 0 {
				inline.Write(token)
			}
			if value.Len() > MaxFieldBytes || inline.Len() > MaxFieldBytes {
				return 0, c, s.fault(s.row, fmt.Sprintf("has a cell of more than %d KiB", MaxFieldBytes>>10), "shorten it")
			}
		case xml.EndElement:
			switch token.Name.Local {
			case "v":
				inValue = false
			case "t":
				inText = false
			case "rPh":
				phonetic--
			case "c":
				c, err := s.cellValue(kind, value.String(), inline.String(), hasFormula)
				return column, c, err
			}
		}
	}
}

func (s *sheetReader) cellValue(kind, value, inline string, hasFormula bool) (cell, error) {
	if hasFormula && value == "" && inline == "" && kind != "str" {
		return cell{kind: formulaCell}, nil
	}
	switch kind {
	case "s":
		at, err := strconv.Atoi(strings.TrimSpace(value))
		if value == "" {
			return cell{}, nil
		}
		if err != nil || at < 0 || at >= len(s.book.shared) {
			return cell{}, s.fault(s.row, fmt.Sprintf("names the shared text %.20q, which the workbook lacks", value), saveAgain)
		}
		return cell{text: s.book.shared[at]}, nil
	case "inlineStr":
		return cell{text: unescape(inline)}, nil
	case "str":
		// Some programs write a formula's type and leave out its result.
		if value == "" && hasFormula {
			return cell{kind: formulaCell}, nil
		}
		return cell{text: unescape(value)}, nil
	case "b":
		return cell{value, boolCell}, nil
	case "e":
		return cell{value, errorCell}, nil
	case "d":
		return cell{value, dateCell}, nil
	}
	if value == "" {
		return cell{text: unescape(inline)}, nil
	}
	return cell{strings.TrimSpace(value), numberCell}, nil
}

// columnOf returns the column of a place such as BC12, from 0; -1 if it is none.
func columnOf(place string) int {
	column := 0
	for i, b := range []byte(place) {
		switch {
		case b >= 'A' && b <= 'Z' && i < 3:
			column = column*26 + int(b-'A') + 1
		case b >= '0' && b <= '9' && i > 0:
			return column - 1
		default:
			return -1
		}
	}
	return -1
}
