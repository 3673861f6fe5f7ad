package etl

import (
	"errors"
	"testing"
)

// TestYAMLText: what is no text is refused with its line, however it is
// written; what a person may well write is not.
func TestYAMLText(t *testing.T) {
	for _, one := range []struct {
		text string
		line int // that is wrong, 0 if none is
	}{
		{"a: 1\nb: \"青\\t禾\\n\"\n", 0},
		{"a: |\n  青禾\n  镇\n# 注\nb: x\r\n", 0},
		{"a: 1\nb: \xc7\xe0\xba\xcc\n", 2},
		{"a: 1\nb: x\x00y\n", 2},
		{"a: 1\nb: \"x\\0y\"\n", 2},
		{"a: 1\nb: \"x\\x07y\"\n", 2},
		{"a: 1\nb: \"x\\u0000y\"\n", 2},
		{"a: 1\nb: 1\nc: 2\n", 3},
	} {
		var into struct{ A, B string }
		err := DecodeYAML("a.yaml", []byte(one.text), &into)
		var wrong *YAMLError
		if (err != nil) != (one.line > 0) || err != nil && (!errors.As(err, &wrong) || wrong.Line != one.line) {
			t.Errorf("%q: got %v, want an error in line %d", one.text, err, one.line)
		}
	}
}
