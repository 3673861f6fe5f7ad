package etl

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// stage is a delivery as rows of text that the engine can read with every
// setting given: either the file itself, when it is a regular CSV in UTF-8 or
// Parquet, or a CSV that the careful readers wrote, with row number, sheet and
// damage in front.
type stage struct {
	path      string
	delimiter string
	newline   string
	isFile    bool   // path holds the delivery's own fields
	reader    string // SQL that gives them as f0, f1 …, where path is no CSV
	header    header
	records   int64   // data records that the reader must find
	traits    []trait // of its fields, where they are known
}

// trait is what is known of a field; nothing is taken for granted.
func (st stage) trait(field int) trait {
	if field < len(st.traits) {
		return st.traits[field]
	}
	return anything
}

// stagePrefix are the fields in front of the columns of a careful stage.
var stagePrefix = []string{"row_no", "sheet", "damage"}

// sheetSource is the source column that a sheet's own name stands for.
const sheetSource = "@sheet"

// damage is why a reader could not give a row; it goes to quarantine as it is.
type damage struct{ reason, column, value string }

// text packs a damage into one field of the stage.
func (d damage) text() string {
	if d.reason == "" {
		return ""
	}
	return d.reason + "|" + strings.ReplaceAll(d.column, "|", "/") + "|" + d.value
}

// stageWriter writes the careful readers' stage: the fields of stagePrefix,
// and the definition's source columns in the order of its sources().
type stageWriter struct {
	file    *os.File
	buffer  *bufio.Writer
	csv     *csv.Writer
	record  []string
	sources []string
	header  header
	sheet   string // being read
	rows    int64
	traits  []trait // of the sources
}

// sources lists the source columns that a definition reads, each once.
func (d *Definition) sources() []string {
	var names []string
	seen := map[string]bool{}
	for _, column := range d.Columns {
		for _, name := range []string{first(column.From), column.And} {
			if name != "" && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

func first(names Names) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func newStageWriter(path string, d *Definition, h header) (*stageWriter, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, chunkBytes)
	sources := d.sources()
	return &stageWriter{
		file: file, buffer: buffer, csv: csv.NewWriter(buffer), header: h,
		sources: sources, record: make([]string, len(stagePrefix)+len(sources)), traits: make([]trait, len(sources)),
	}, nil
}

// write adds a row; fields are those of the file. A row without any text in
// the columns that matter is no row.
func (w *stageWriter) write(row int64, fields []string, d damage) error {
	blank := d.reason == ""
	values := w.record[len(stagePrefix):]
	for i, name := range w.sources {
		values[i] = ""
		at, found := w.header.index[name]
		if found && at < len(fields) {
			values[i] = fields[at]
		} else if name == sheetSource {
			values[i] = w.sheet
		}
		values[i] = strings.TrimFunc(values[i], isBlank)
		seeText(&w.traits[i], []byte(values[i]))
		if name != sheetSource {
			blank = blank && values[i] == ""
		}
	}
	if blank {
		return nil
	}
	if w.rows++; w.rows > MaxRows {
		return &FileError{Where: fmt.Sprintf("row %d", row), What: fmt.Sprintf("has more than %d rows", MaxRows), Do: "split it"}
	}
	w.record[0], w.record[1], w.record[2] = strconv.FormatInt(row, 10), w.sheet, d.text()
	return w.csv.Write(w.record)
}

// finish closes the stage and returns it.
func (w *stageWriter) finish() (stage, error) {
	w.csv.Flush()
	err := w.csv.Error()
	if flushing := w.buffer.Flush(); err == nil {
		err = flushing
	}
	if closing := w.file.Close(); err == nil {
		err = closing
	}
	return stage{path: w.file.Name(), delimiter: ",", newline: "\n", header: w.header, records: w.rows, traits: w.traits}, err
}
