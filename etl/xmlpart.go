package etl

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// part opens a part of the workbook for reading.
func (book *workbook) part(name string) (*xmlPart, error) {
	file := book.parts[strings.ToLower(strings.TrimPrefix(name, "/"))]
	if file == nil {
		return nil, &FileError{What: fmt.Sprintf("is a damaged workbook: it lacks its part %s", name), Do: "open it in Excel and save it again"}
	}
	reader, err := file.Open()
	if err != nil {
		return nil, &FileError{What: fmt.Sprintf("is a damaged workbook: %s: %v", name, err), Do: "open it in Excel and save it again"}
	}
	limited := &tokenLimit{source: reader}
	return &xmlPart{name: name, file: reader, limited: limited, decoder: xml.NewDecoder(limited)}, nil
}

// xmlPart is a part being read token by token.
type xmlPart struct {
	name    string
	file    io.ReadCloser
	limited *tokenLimit
	decoder *xml.Decoder
}

// tokenLimit ends the reading of a token that is longer than any cell may be.
type tokenLimit struct {
	source io.Reader
	read   int
}

var errTokenTooLong = fmt.Errorf("a text is longer than %d MiB", 4*MaxFieldBytes>>20)

func (t *tokenLimit) Read(buffer []byte) (int, error) {
	if t.read > 4*MaxFieldBytes {
		return 0, errTokenTooLong
	}
	n, err := t.source.Read(buffer)
	t.read += n
	return n, err
}

// next returns the next token, io.EOF after the last. Entities are never
// declared: a document type is refused, whatever it says.
func (p *xmlPart) next() (xml.Token, error) {
	p.limited.read = 0
	token, err := p.decoder.RawToken()
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, p.damaged(err)
	}
	if directive, isDirective := token.(xml.Directive); isDirective {
		return nil, p.damaged(fmt.Errorf("it declares <!%.20s…>, which no workbook needs", directive))
	}
	return token, nil
}

func (p *xmlPart) damaged(err error) error {
	return &FileError{Where: p.name, What: "cannot be read: " + err.Error(), Do: "open it in Excel and save it again"}
}
