package etl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
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
	if valid := validUTF8(content); valid < len(content) {
		line := bytes.Count(content[:valid], []byte("\n")) + 1
		return fmt.Errorf("%s: %w", file, &YAMLError{Line: line, text: fmt.Sprintf("line %d is not UTF-8; save the file as UTF-8, not as GBK or ANSI", line)})
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

// validUTF8 is how much of a text is UTF-8.
func validUTF8(content []byte) (length int) {
	for length < len(content) {
		r, size := utf8.DecodeRune(content[length:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		length += size
	}
	return length
}

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
