package etl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/xuri/excelize/v2"

	"tongbao/warehouse"
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

// SampleFile reads the first rows of a file; what its ending does not say it
// is, is taken to be a CSV.
func SampleFile(ctx context.Context, path, sheet string) (Sample, error) {
	s := Sample{Name: filepath.Base(path), Format: strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))}
	var err error
	switch s.Format {
	case "xlsx":
		return s, s.readWorkbook(path, sheet)
	case "parquet":
		s.Rows, err = sampleParquet(ctx, path)
		return s, err
	case "jsonl", "ndjson":
		s.Format = "jsonl"
		s.Rows, err = sampleJSONL(path)
		return s, err
	}
	s.Format = "csv"
	return s, s.readCSV(path)
}

// namesItsColumns says whether the first row of a sample is its names for
// certain.
func (s Sample) namesItsColumns() bool {
	return s.Connect != nil || s.Format == "parquet" || s.Format == "jsonl"
}

func sampleParquet(ctx context.Context, path string) ([][]string, error) {
	if err := refuseNoParquet(path); err != nil {
		return nil, err
	}
	db, err := warehouse.Open(ctx, "", warehouse.Options{})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	found, err := db.Rows(ctx, fmt.Sprintf("select columns(*)::varchar from %s limit %d", parquetFile(path), discoverRows))
	if err != nil {
		return nil, &FileError{File: filepath.Base(path), What: "is no readable Parquet file: " + firstLine(err), Do: "export or copy it again"}
	}
	rows := [][]string{found.Columns}
	for _, cells := range found.Cells {
		row := make([]string, len(cells))
		for i, cell := range cells {
			row[i] = cell.String
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func sampleJSONL(path string) ([][]string, error) {
	if err := refuseNoJSONL(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var objects []map[string]string
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, MaxRecordBytes)
	for len(objects) < discoverRows && lines.Scan() {
		// A line that is no object is no part of a proposal; a pull lets it wait.
		object, harm := readObject(bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff"))))
		if harm.reason != "" {
			continue
		}
		for name := range object {
			seen[name] = true
		}
		objects = append(objects, object)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	rows := [][]string{sortedKeys(seen)}
	for _, object := range objects {
		row := make([]string, len(rows[0]))
		for i, name := range rows[0] {
			row[i] = object[name]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (s *Sample) readCSV(path string) error {
	if err := refuseNoCSV(path); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "tongbao-discover-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	plain, err := utf8File(path, filepath.Join(scratch, "utf8.csv"), "auto")
	if err != nil {
		return err
	}
	file, err := os.Open(plain)
	if err != nil {
		return err
	}
	defer file.Close()
	buffer := bufio.NewReaderSize(file, 1<<16)
	start, err := buffer.Peek(1 << 14)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
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
	return nil
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
