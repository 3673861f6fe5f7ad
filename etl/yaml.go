package etl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
)

// YAMLError is a YAML file that cannot be read as what it should be.
type YAMLError struct {
	Line      int  // from 1; 0 where it is not known
	IsUnknown bool // the key there is none that there is; else the form is wrong, or the kind of a value
	text      string
}

func (e *YAMLError) Error() string { return e.text }

// DecodeYAML reads one YAML document strictly: an unknown or repeated key is a
// YAMLError with line and column, and so is text in another encoding than UTF-8.
func DecodeYAML(file string, content []byte, into any) error {
	if err := checkText(content); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	err := yaml.NewDecoder(bytes.NewReader(content), yaml.Strict()).Decode(into)
	if err == nil {
		return nil
	}
	wrong := &YAMLError{text: "the file is empty"}
	if !errors.Is(err, io.EOF) {
		wrong.text = yaml.FormatError(err, false, true)
	}
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		wrong.Line = located.GetToken().Position.Line
	}
	var unknown *yaml.UnknownFieldError
	wrong.IsUnknown = errors.As(err, &unknown)
	return fmt.Errorf("%s: %w", file, wrong)
}

// checkText refuses what no text holds: another encoding, and control
// characters, also those that an escape such as "\0" makes. SQL cannot say them.
func checkText(content []byte) error {
	for line, text := range bytes.Split(content, []byte("\n")) {
		if !utf8.Valid(text) {
			return &YAMLError{Line: line + 1, text: fmt.Sprintf("line %d is not UTF-8; save the file as UTF-8, not as GBK or ANSI", line+1)}
		}
	}
	for _, token := range lexer.Tokenize(string(content)) {
		if strings.ContainsFunc(token.Value, isControl) || !utf8.ValidString(token.Value) {
			return &YAMLError{Line: token.Position.Line, text: fmt.Sprintf("line %d has a control character; write the text anew", token.Position.Line)}
		}
	}
	return nil
}

func isControl(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r) }

// YAMLLine is the line of the value at a path such as jobs[1].schedule, or of
// what it would stand in; 0 if there is neither.
func YAMLLine(content []byte, path string) int {
	for ; path != ""; path = path[:max(strings.LastIndexAny(path, ".["), 0)] {
		at, err := yaml.PathString("$." + path)
		if err != nil {
			continue
		}
		if node, err := at.ReadNode(bytes.NewReader(content)); err == nil && node != nil && node.GetToken() != nil {
			return node.GetToken().Position.Line
		}
	}
	return 0
}
