package etl

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/xuri/excelize/v2"
)

// discoverRows is how many rows a proposal is made from.
const discoverRows = 1000

// Sample is the first rows of a table that nothing is known of.
type Sample struct {
	Name                       string // of the file or table
	Format                     string
	Encoding, Delimiter, Sheet string
	Rows                       [][]string
	Target                     string   // "" is guessed by the names
	Connect                    *Connect // of a table, in place of Format
}

// SampleFile reads the first rows of a CSV or a workbook.
func SampleFile(path, sheet string) (Sample, error) {
	s := Sample{Name: filepath.Base(path), Format: "csv"}
	if strings.EqualFold(filepath.Ext(path), ".xlsx") {
		s.Format = "xlsx"
		return s, s.readWorkbook(path, sheet)
	}
	if err := refuseNoCSV(path); err != nil {
		return s, err
	}
	scratch, err := os.MkdirTemp("", "tongbao-discover-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(scratch)
	plain, err := utf8File(path, filepath.Join(scratch, "utf8.csv"), "auto")
	if err != nil {
		return s, err
	}
	file, err := os.Open(plain)
	if err != nil {
		return s, err
	}
	defer file.Close()
	buffer := bufio.NewReaderSize(file, 1<<16)
	start, err := buffer.Peek(1 << 14)
	if err != nil && !errors.Is(err, io.EOF) {
		return s, err
	}
	s.Delimiter = guessDelimiter(string(start))
	reader := csv.NewReader(buffer)
	reader.Comma, reader.FieldsPerRecord, reader.LazyQuotes = []rune(s.Delimiter)[0], -1, true
	for len(s.Rows) < discoverRows {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			s.Rows = append(s.Rows, record)
		}
	}
	return s, nil
}

func (s *Sample) readWorkbook(path, sheet string) error {
	if err := refuseNoXLSX(path); err != nil {
		return err
	}
	book, err := excelize.OpenFile(path, excelize.Options{UnzipSizeLimit: MaxUnzipped})
	if err != nil {
		return &FileError{File: s.Name, What: "is no readable workbook: " + err.Error(), Do: "open it in Excel and save it again without a password"}
	}
	defer book.Close()
	sheets := book.GetSheetList()
	s.Sheet = sheet
	if sheet == "" && len(sheets) > 0 {
		s.Sheet = sheets[0]
	}
	rows, err := book.Rows(s.Sheet)
	if err != nil {
		return &FileError{File: s.Name, What: fmt.Sprintf("has no sheet %q; it has %s", s.Sheet, strings.Join(sheets, ", ")), Do: "name one with --sheet"}
	}
	defer rows.Close()
	for len(s.Rows) < discoverRows && rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return err
		}
		s.Rows = append(s.Rows, cells)
	}
	return rows.Error()
}

// guessDelimiter takes the sign that stands equally often in the first lines.
func guessDelimiter(start string) string {
	lines := strings.SplitN(start, "\n", 12)
	if len(lines) > 2 {
		lines = lines[:len(lines)-1]
	}
	best, most := ",", 0
	for _, sign := range []string{",", "\t", ";", "|"} {
		least := 1 << 30
		for _, line := range lines {
			if strings.TrimSpace(line) != "" {
				least = min(least, strings.Count(line, sign))
			}
		}
		if least < 1<<30 && least > most {
			best, most = sign, least
		}
	}
	return best
}
