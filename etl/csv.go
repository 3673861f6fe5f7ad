package etl

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// readCSV stages a CSV delivery; scratch is a folder for what it writes.
func (d *Definition) readCSV(path, scratch string) (stage, error) {
	if err := refuseNoCSV(path); err != nil {
		return stage{}, err
	}
	utf8Path, regular, shape, err := d.lookThrough(path, filepath.Join(scratch, "utf8.csv"))
	if err != nil {
		return stage{}, err
	}
	if shape.records > MaxRows {
		return stage{}, &FileError{What: fmt.Sprintf("has %d rows, at most %d are read", shape.records, MaxRows), Do: "split it"}
	}
	if regular && len(d.Delimiter) == 1 {
		if h, err := d.findHeader([][]string{shape.header}); err == nil {
			return stage{path: utf8Path, delimiter: d.Delimiter, newline: shape.newline, isFile: true,
				header: h, records: shape.records - 1, traits: shape.traits}, nil
		}
	}
	return d.readCSVCarefully(utf8Path, filepath.Join(scratch, "stage.csv"))
}

// lookThrough says where the file lies as UTF-8, decoded into spare if need be,
// and what a scan learned of it. Mostly one reading tells all.
func (d *Definition) lookThrough(path, spare string) (utf8Path string, regular bool, shape csvShape, err error) {
	if d.Encoding == "auto" || d.Encoding == "utf-8" {
		if regular, shape, _ = scanCSV(path, d.Delimiter[0]); regular {
			return path, true, shape, nil
		}
	}
	if utf8Path, err = utf8File(path, spare, d.Encoding); err != nil {
		return "", false, shape, err
	}
	regular, shape, err = scanCSV(utf8Path, d.Delimiter[0])
	return utf8Path, regular, shape, err
}

// refuseNoCSV recognises what people save under the name of a CSV.
func refuseNoCSV(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	start := make([]byte, 1024)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	start = bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(start[:n], []byte("\xef\xbb\xbf"))))
	switch {
	case len(start) == 0:
		return &FileError{What: "is empty", Do: "export it again"}
	case bytes.HasPrefix(start, []byte("<!doctype")), bytes.HasPrefix(start, []byte("<html")):
		return &FileError{What: "is a web page, not a table", Do: "the sign-in of the platform may have expired; export it again"}
	case bytes.HasPrefix(start, []byte("pk\x03\x04")), bytes.HasPrefix(start, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return &FileError{What: "is an Excel workbook or an archive, not text", Do: "save it under its own kind of name, or let the definition say format: xlsx"}
	case bytes.HasPrefix(start, []byte("par1")):
		return &FileError{What: "is a Parquet file, not text", Do: "let the definition say format: parquet"}
	case bytes.HasPrefix(start, []byte("<?xml")):
		return &FileError{What: "is XML, not a table of text", Do: "export it again"}
	}
	return nil
}

// csvShape is what a scan learned about a regular CSV.
type csvShape struct {
	header  []string
	records int64 // with the header
	newline string
	traits  []trait
}

// scanCSV reads the bytes of a CSV once and says whether it is regular: UTF-8,
// every record has the header's fields, one kind of line end, no text after a
// closing quote, no line too long. What is not regular is read carefully; what
// is regular the engine reads alike, which a test holds.
func scanCSV(path string, delimiter byte) (regular bool, shape csvShape, err error) {
	file, err := os.Open(path)
	if err != nil {
		return false, shape, err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, MaxFieldBytes)
	delimiters, regular := 0, true
	separator := []byte{delimiter}
	for number := int64(1); ; number++ {
		line, err := reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return false, shape, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return false, shape, err
		}
		if bytes.IndexByte(line, 0) >= 0 {
			return false, shape, &FileError{Where: fmt.Sprintf("row %d", number), What: "holds a NUL byte", Do: "export it again; the file is damaged"}
		}
		atEnd := len(line) == 0 || line[len(line)-1] != '\n'
		if !(atEnd && len(line) == 0) {
			if number == 1 {
				line = bytes.TrimPrefix(line, byteOrderMark)
			}
			fields, end, ok := measureLine(line, delimiter, separator)
			if number == 1 {
				delimiters, shape.newline = fields, end
				shape.header = splitHeader(line, delimiter)
				shape.traits = make([]trait, fields+1)
			}
			// Only the last line may lack its end.
			regular = regular && ok && fields == delimiters && (end == shape.newline || atEnd) && utf8.Valid(line)
			shape.records++
			if regular && number > 1 {
				seeLine(shape.traits, line[:len(line)-len(end)], delimiter)
			}
		}
		if !regular || atEnd {
			return regular && shape.records > 1 && shape.newline != "", shape, nil
		}
	}
}

// measureLine counts the delimiters of a record on one line and names its
// line end. It is not ok with a record that is not on one line, has a lone
// carriage return, or text after a closing quote.
func measureLine(line []byte, delimiter byte, separator []byte) (delimiters int, end string, ok bool) {
	body := bytes.TrimSuffix(line, []byte("\n"))
	if len(body) < len(line) {
		end = "\n"
		if bytes.HasSuffix(body, []byte("\r")) {
			body, end = body[:len(body)-1], "\r\n"
		}
	}
	if bytes.IndexByte(body, '\r') >= 0 {
		return 0, end, false
	}
	if bytes.IndexByte(body, '"') < 0 {
		return bytes.Count(body, separator), end, len(body) > 0
	}
	const start, plain, quoted, closed = 0, 1, 2, 3
	state := start
	for _, b := range body {
		switch {
		case state == quoted:
			if b == '"' {
				state = closed
			}
		case b == delimiter:
			delimiters++
			state = start
		case b == '"' && state != plain:
			state = quoted // an opening quote, or the second of a doubled one
		case state == closed:
			return 0, end, false
		default:
			state = plain
		}
	}
	return delimiters, end, state != quoted
}

// splitHeader splits a header line; nothing where it is no record of its own.
func splitHeader(line []byte, delimiter byte) []string {
	reader := csv.NewReader(bytes.NewReader(line))
	reader.Comma = rune(delimiter)
	names, err := reader.Read()
	if err != nil || len(names) > MaxColumns {
		return nil
	}
	return names
}

var byteOrderMark = []byte("\ufeff")

// readCSVCarefully stages a CSV record by record. A record with too few or too
// many fields, or with text after a closing quote, is damage of that row; a
// quote that is never closed is an error of the file.
func (d *Definition) readCSVCarefully(path, stagePath string) (stage, error) {
	file, err := os.Open(path)
	if err != nil {
		return stage{}, err
	}
	defer file.Close()
	reader, err := newRecordReader(file, d.Delimiter)
	if err != nil {
		return stage{}, err
	}
	var head [][]string
	var damages []damage
	for len(head) < MaxHeaderRow {
		record, harm, err := reader.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return stage{}, err
		}
		head, damages = append(head, record), append(damages, harm)
	}
	h, err := d.findHeader(head)
	if err != nil {
		return stage{}, err
	}
	if h.width > MaxColumns {
		return stage{}, &FileError{Where: fmt.Sprintf("row %d", h.record), What: fmt.Sprintf("has %d columns, at most %d are read", h.width, MaxColumns), Do: "export only the columns that are needed"}
	}
	writer, err := newStageWriter(stagePath, d, h)
	if err != nil {
		return stage{}, err
	}
	row := int64(h.record)
	for i := h.record; i < len(head); i++ {
		row++
		if err := writer.write(row, head[i], checkWidth(head[i], h.width, damages[i])); err != nil {
			return stage{}, err
		}
	}
	for len(head) == MaxHeaderRow {
		record, harm, err := reader.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return stage{}, err
		}
		row++
		if err := writer.write(row, record, checkWidth(record, h.width, harm)); err != nil {
			return stage{}, err
		}
	}
	return writer.finish()
}

// checkWidth finds what is wrong with the number and length of fields.
func checkWidth(record []string, width int, harm damage) damage {
	if harm.reason != "" || len(record) == 0 {
		return harm
	}
	for i, cell := range record {
		if len(cell) > MaxFieldBytes {
			return damage{"ragged_row", "", fmt.Sprintf("field %d is longer than %d KiB", i+1, MaxFieldBytes>>10)}
		}
		if i >= width && cell != "" {
			return damage{"ragged_row", "", fmt.Sprintf("%d fields, the header has %d", len(record), width)}
		}
	}
	if len(record) < width {
		return damage{"ragged_row", "", fmt.Sprintf("%d fields, the header has %d", len(record), width)}
	}
	return harm
}
