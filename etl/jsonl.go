package etl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// readJSONL stages JSON lines: one object a line. An object within the object
// gives columns such as location.lat, a list is one text. Numbers stay as they
// are written, so that an id of 18 digits keeps them.
func (d *Definition) readJSONL(path, scratch string) (stage, error) {
	if err := refuseNoJSONL(path); err != nil {
		return stage{}, err
	}
	utf8Path, err := utf8File(path, filepath.Join(scratch, "utf8.jsonl"), d.Encoding)
	if err != nil {
		return stage{}, err
	}
	file, err := os.Open(utf8Path)
	if err != nil {
		return stage{}, err
	}
	defer file.Close()
	// The columns are known only at the end; the writer reads by source name.
	sources := d.sources()
	h := header{index: map[string]int{}}
	for i, name := range sources {
		h.index[name] = i
	}
	writer, err := newStageWriter(filepath.Join(scratch, "stage.csv"), d, h)
	if err != nil {
		return stage{}, err
	}
	seen := map[string]bool{}
	lines := bufio.NewReaderSize(file, MaxRecordBytes)
	for row := int64(1); ; row++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return stage{}, &FileError{Where: fmt.Sprintf("row %d", row), What: fmt.Sprintf("is longer than %d MiB", MaxRecordBytes>>20), Do: "export it again with one object a line"}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return stage{}, err
		}
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		if len(line) > 0 {
			object, harm := readObject(line)
			fields := d.pick(object, seen)
			if err := writer.write(row, fields, harm); err != nil {
				return stage{}, err
			}
		}
		if err != nil {
			break
		}
	}
	if len(seen) == 0 {
		return stage{}, &FileError{What: "holds no line that is a JSON object", Do: "export it as JSON lines, one object a line"}
	}
	names := sortedKeys(seen)
	if _, missing := d.matchHeader(names); len(missing) > 0 {
		return stage{}, d.lacks("", missing, names)
	}
	return writer.finish()
}

// refuseNoJSONL recognises JSON that is not one object a line, and no JSON.
func refuseNoJSONL(path string) error {
	if err := refuseNoCSV(path); err != nil {
		return err
	}
	start, err := firstBytes(path, 64)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\ufeff"))), []byte("[")) {
		return &FileError{Where: "row 1", What: "is one list, not an object a line", Do: "export it as JSON lines"}
	}
	return nil
}

// pick lists an object's values in the order of the definition's sources, and
// notes which columns were there.
func (d *Definition) pick(object map[string]string, seen map[string]bool) []string {
	for name := range object {
		if len(seen) < MaxColumns {
			seen[name] = true
		}
	}
	var fields []string
	done := map[string]bool{}
	add := func(alternatives Names) {
		if name := first(alternatives); name == "" || done[name] {
			return
		}
		done[alternatives[0]] = true
		value := ""
		for _, name := range alternatives {
			if found, is := object[name]; is {
				value = found
				break
			}
		}
		fields = append(fields, value)
	}
	for _, column := range d.Columns {
		add(column.From)
		if column.And != "" {
			add(Names{column.And})
		}
	}
	return fields
}

// readObject flattens one JSON object to texts.
func readObject(line []byte) (map[string]string, damage) {
	broken := func(why string) (map[string]string, damage) {
		return nil, damage{"ragged_row", "", why}
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return broken("is no JSON object")
	}
	object := map[string]string{}
	if err := flatten(decoder, "", object, 1); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the JSON object is cut short")
		}
		return broken(err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return broken("text follows the JSON object")
	}
	return object, damage{}
}

// flatten reads an object whose brace is read already.
func flatten(decoder *json.Decoder, prefix string, object map[string]string, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("objects lie in each other more than %d deep", MaxDepth)
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name := prefix + fmt.Sprint(token)
		if _, twice := object[name]; twice {
			return fmt.Errorf("the column %s stands twice", name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		switch {
		case value[0] == '{':
			object[name] = ""
			inner := json.NewDecoder(bytes.NewReader(value))
			inner.UseNumber()
			if _, err := inner.Token(); err != nil {
				return err
			}
			if err := flatten(inner, name+".", object, depth+1); err != nil {
				return err
			}
		case value[0] == '"':
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
			// The library answers half of a surrogate pair with U+FFFD.
			if strings.Count(text, string(utf8.RuneError)) > bytes.Count(value, replacement)+strings.Count(strings.ToLower(string(value)), `\ufffd`) {
				return fmt.Errorf("the column %s holds half a character", name)
			}
			object[name] = text
		case string(value) == "null":
			object[name] = ""
		default: // a number, true, false or a list
			object[name] = string(value)
		}
		if strings.ContainsRune(object[name], 0) {
			return fmt.Errorf("the column %s holds a NUL character", name)
		}
		if len(object[name]) > MaxFieldBytes {
			return fmt.Errorf("the column %s is longer than %d KiB", name, MaxFieldBytes>>10)
		}
	}
	_, err := decoder.Token()
	return err
}
