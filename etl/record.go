package etl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// recordReader reads a CSV record by record, where the engine does not. Unlike
// the standard library's reader it goes on after a record that is not well
// formed, takes a quote within a field for what it is (27" 显示器), keeps line
// ends within quotes, counts empty lines, and never holds more than a record
// may have, which an unclosed quote makes of the rest of the file. It drops a
// byte order mark, and ends a record at a lone carriage return in a file
// without line feeds, as old Macs wrote them.
type recordReader struct {
	source    *bufio.Reader
	delimiter []byte
	isMac     bool
	row       int64 // records read
	offset    int64 // bytes read
	text      []byte
	ends      []int // of the fields in text
}

func newRecordReader(source io.Reader, delimiter string) (*recordReader, error) {
	r := &recordReader{source: bufio.NewReaderSize(source, chunkBytes), delimiter: []byte(delimiter)}
	start, err := r.source.Peek(chunkBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(start) > 0 && bytes.IndexByte(start, '\n') < 0 {
		r.isMac = bytes.IndexByte(start[:len(start)-1], '\r') >= 0
	}
	if bytes.HasPrefix(start, byteOrderMark) {
		r.offset = int64(len(byteOrderMark))
		_, err = r.source.Discard(len(byteOrderMark))
		return r, err
	}
	return r, nil
}

type fieldState byte

const (
	atStart  fieldState = iota // of a field
	inPlain                    // in a field without quotes
	inQuotes                   // in a quoted field
	atClosed                   // after a quote that closes the field or is the first of two
)

// next returns the fields of the next record, none for an empty line, and
// what is wrong with it; io.EOF after the last.
func (r *recordReader) next() (fields []string, harm damage, err error) {
	r.row++
	r.text, r.ends = r.text[:0], r.ends[:0]
	state, length := atStart, 0
	for ; ; length++ {
		b, err := r.source.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && state == inQuotes:
			return nil, harm, &FileError{Where: fmt.Sprintf("row %d", r.row), What: "a quote is opened and never closed", Do: "close or double the quote, or export the file again"}
		case errors.Is(err, io.EOF) && length == 0:
			return nil, harm, io.EOF
		case errors.Is(err, io.EOF):
			return r.fields(), harm, nil
		case err != nil:
			return nil, harm, err
		case b == 0:
			return nil, harm, &FileError{Where: fmt.Sprintf("byte %d", r.offset), What: "is a NUL byte", Do: "export it again; the file is damaged"}
		case length >= MaxRecordBytes:
			return nil, harm, &FileError{Where: fmt.Sprintf("row %d", r.row), What: fmt.Sprintf("is longer than %d MiB; perhaps a quote is opened and never closed", MaxRecordBytes>>20),
				Do: "close or double the quote, or export the file again"}
		}
		r.offset++
		switch {
		case state == inQuotes:
			if b == '"' {
				state = atClosed
			} else {
				r.text = append(r.text, b)
			}
		case b == '\n' || b == '\r' && r.endsLine():
			if length == 0 {
				return nil, harm, nil
			}
			return r.fields(), harm, nil
		case b == r.delimiter[0] && r.follows(r.delimiter[1:]):
			r.ends = append(r.ends, len(r.text))
			state = atStart
		case b == '"' && (state == atStart || state == atClosed):
			if state == atClosed {
				r.text = append(r.text, '"')
			}
			state = inQuotes
		default:
			if state == atClosed {
				harm = damage{"ragged_row", "", fmt.Sprintf("text follows the closing quote of field %d", len(r.ends)+1)}
			}
			r.text, state = append(r.text, b), inPlain
		}
	}
}

// endsLine takes the line feed after a carriage return.
func (r *recordReader) endsLine() bool { return r.isMac || r.follows([]byte{'\n'}) }

// follows takes the bytes if they come next.
func (r *recordReader) follows(rest []byte) bool {
	next, _ := r.source.Peek(len(rest))
	if !bytes.Equal(next, rest) {
		return false
	}
	n, _ := r.source.Discard(len(rest))
	r.offset += int64(n)
	return true
}

func (r *recordReader) fields() []string {
	all := string(r.text)
	fields := make([]string, 0, len(r.ends)+1)
	start := 0
	for _, end := range append(r.ends, len(all)) {
		fields = append(fields, all[start:end])
		start = end
	}
	return fields
}
