package etl

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tongbao/warehouse"
)

// rowFile is a delivery in the making: what a connector reads, one JSON object
// a line, every value a text or null as the server gave it. It gets its name
// only when it is whole.
type rowFile struct {
	file   *os.File
	buffer *bufio.Writer
	sum    hash.Hash
	line   []byte

	names   []string // of all rows so far, in the order of their first row
	seen    map[string]bool
	shape   []string // columns of the next row
	keys    [][]byte // what goes before each value of it
	cursor  int      // place of the cursor in shape, -1 if none
	mark    mark
	rows    int64
	bytes   int64
	longest int64
	most    int64    // rows that are wanted, 0 for all
	passed  []string // columns of a table that were passed by: the definition does not name them
}

// errEnough ends the reading of a sample: it has the rows that are wanted.
var errEnough = errors.New("enough rows")

const rowFileSuffix = ".jsonl"

func newRowFile(dir, cursorName string, m mark) (*rowFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "fetch.tmp"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	f := &rowFile{file: file, sum: sha256.New(), seen: map[string]bool{}, cursor: -1, mark: m}
	f.mark.column = cursorName
	f.buffer = bufio.NewWriterSize(io.MultiWriter(file, f.sum), chunkBytes)
	return f, nil
}

// columns says what the next rows hold. Two names that differ only by case
// would be one column to the engine.
func (f *rowFile) columns(names []string) error {
	if slices.Equal(f.shape, names) {
		return nil
	}
	f.shape, f.keys, f.cursor = slices.Clone(names), nil, -1
	for i, name := range names {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		before := ","
		if i == 0 {
			before = "{"
		}
		f.keys = append(f.keys, []byte(before+string(quoted)+":"))
		if name == f.mark.column {
			f.cursor = i
		}
		if slices.Contains(names[:i], name) {
			return &FileError{Where: "read rows", What: "two columns have the name " + name, Do: "give one of them another name in the query"}
		}
		if f.seen[name] {
			continue
		}
		for _, other := range f.names {
			if strings.EqualFold(other, name) {
				return &FileError{Where: "read rows", What: fmt.Sprintf("the columns %s and %s differ only by case", other, name), Do: "give one of them another name in a query"}
			}
		}
		f.seen[name] = true
		f.names = append(f.names, name)
		if len(f.names) > MaxColumns {
			return &FileError{Where: "read rows", What: fmt.Sprintf("more than %d columns", MaxColumns), Do: "name the columns that are needed in a query"}
		}
	}
	return nil
}

// row writes one row; nil is null. The last one that is wanted gives errEnough.
func (f *rowFile) row(values [][]byte) error {
	if len(f.keys) == 0 {
		return &FileError{Where: fmt.Sprintf("row %d", f.rows+1), What: "has no fields", Do: "check the table, or the path of items"}
	}
	line := f.line[:0]
	for i, value := range values {
		line = append(line, f.keys[i]...)
		if value == nil {
			line = append(line, "null"...)
			continue
		}
		isPlain, isText := inspect(value)
		switch {
		case isPlain:
			line = append(append(append(line, '"'), value...), '"')
		case !isText:
			return &FileError{Where: fmt.Sprintf("row %d, column %s", f.rows+1, f.shape[i]), What: "holds bytes that are no UTF-8 text, or a NUL", Do: "correct it at the source, or leave the column out"}
		default:
			var text bytes.Buffer
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(string(value)); err != nil {
				return err
			}
			line = append(line, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
		}
		if len(value) > MaxFieldBytes {
			return &FileError{Where: fmt.Sprintf("row %d, column %s", f.rows+1, f.shape[i]), What: fmt.Sprintf("a value of more than %d bytes", MaxFieldBytes), Do: "leave the column out"}
		}
	}
	f.line = append(line, '}', '\n')
	f.rows++
	f.bytes += int64(len(f.line))
	f.longest = max(f.longest, int64(len(f.line)))
	if f.cursor >= 0 {
		f.mark.see(values[f.cursor])
	}
	_, err := f.buffer.Write(f.line)
	if err == nil && f.rows == f.most {
		err = errEnough
	}
	return err
}

// inspect says whether a value needs no escape, and whether it is text.
func inspect(value []byte) (isPlain, isText bool) {
	isPlain = true
	isASCII := true
	for _, b := range value {
		switch {
		case b == 0:
			return false, false
		case b >= utf8.RuneSelf:
			isASCII = false
		case b < ' ' || b == '"' || b == '\\':
			isPlain = false
		}
	}
	if !isASCII && !utf8.Valid(value) {
		return false, false
	}
	return isPlain, true
}

// land gives the delivery its name and its sidecar. Without the sidecar it
// does not count: the next fetch clears it away and reads it again.
func (f *rowFile) land(rawDir string, item delivery) (delivery, error) {
	err := f.buffer.Flush()
	err = errors.Join(err, f.file.Sync(), f.file.Close())
	if err != nil {
		return item, err
	}
	item.SHA256, item.Bytes = hex.EncodeToString(f.sum.Sum(nil)), f.bytes
	target := rawPath(rawDir, item)
	warehouse.Failpoint("fetch.streamed")
	if err := os.Rename(f.file.Name(), target); err != nil {
		return item, err
	}
	sidecar, err := json.MarshalIndent(item, "", "  ")
	if err != nil {
		return item, err
	}
	warehouse.Failpoint("fetch.named")
	return item, writeSynced(target+sidecarSuffix, bytes.NewReader(sidecar))
}

// restart forgets the rows so far: the list is read anew.
func (f *rowFile) restart() error {
	f.sum.Reset()
	f.names, f.seen, f.shape, f.keys, f.cursor = nil, map[string]bool{}, nil, nil, -1
	f.rows, f.bytes, f.longest = 0, 0, 0
	f.mark.raw, f.mark.moment, f.mark.number = nil, time.Time{}, nil
	f.buffer.Reset(io.MultiWriter(f.file, f.sum))
	if err := f.file.Truncate(0); err != nil {
		return err
	}
	_, err := f.file.Seek(0, io.SeekStart)
	return err
}

// content names what was written so far.
func (f *rowFile) content() (string, error) {
	err := f.buffer.Flush()
	return hex.EncodeToString(f.sum.Sum(nil)), err
}

// discard removes what was written; after land it does nothing.
func (f *rowFile) discard() {
	f.file.Close()
	os.Remove(f.file.Name())
}

// clearUnlanded removes fetched files that never got their sidecar.
func clearUnlanded(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"+rowFileSuffix))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := os.Stat(file + sidecarSuffix); errors.Is(err, os.ErrNotExist) {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// readFetched stages a fetched delivery: the engine reads its lines with every
// column named and nothing guessed.
func (d *Definition) readFetched(path string, item delivery) (stage, error) {
	h, missing := d.matchHeader(item.Fetch.Columns)
	if len(missing) > 0 {
		return stage{}, &FileError{What: "the rows lack " + strings.Join(missing, ", "),
			Do: "add the column's new name to " + d.file + ", or correct its table, query or items"}
	}
	var fields, names []string
	for _, at := range h.index {
		name := item.Fetch.Columns[at]
		field := fmt.Sprintf("%s: 'VARCHAR'", literal(name))
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
			names = append(names, fmt.Sprintf("%s as f%d", quoteName(name), at))
		}
	}
	if len(fields) == 0 {
		return stage{}, &FileError{What: "the rows have none of the definition's columns", Do: "correct the names in " + d.file}
	}
	reader := fmt.Sprintf(`(select %s from read_json(%s, auto_detect = false, format = 'newline_delimited',
        ignore_errors = false, maximum_object_size = %d, columns = {%s}))`,
		strings.Join(names, ", "), literal(path), max(16*MaxFieldBytes, item.Fetch.Longest+1), strings.Join(fields, ", "))
	return stage{path: path, isFile: true, reader: reader, header: h, records: item.Fetch.Rows}, nil
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
