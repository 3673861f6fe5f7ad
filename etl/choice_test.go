package etl

import (
	"slices"
	"testing"
)

func TestChoice(t *testing.T) {
	for _, words := range [][]string{nil, {"a", "b"}, {"a", "--full-refresh"}, {"a", "--from=2026-10-01 08:00:00", "--to=2026-10-02 00:00:00"}} {
		c, err := ParseChoice(words)
		if err != nil || !slices.Equal(c.Words(), words) {
			t.Errorf("%q: got %q, %v", words, c.Words(), err)
		}
	}
	for _, words := range [][]string{{"--full-refresh"}, {"--from=2026-10-01"}, {"a", "--to=soon"}} {
		if _, err := ParseChoice(words); err == nil {
			t.Errorf("%q: no error", words)
		}
	}
}
