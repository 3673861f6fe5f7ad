package etl

import (
	"slices"
	"testing"
	"time"

	"tongbao"
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

func TestWaitingWords(t *testing.T) {
	all := Waiting{Source: "a", Reason: "bad_date", File: "x=y.csv", Month: tongbao.MonthOf(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)), Row: 7}
	for _, w := range []Waiting{{}, {Source: "a"}, all} {
		if got, err := ParseWaiting(w.Words()); err != nil || got != w {
			t.Errorf("%q: got %+v, %v", w.Words(), got, err)
		}
	}
	for _, words := range [][]string{{"a"}, {"--month=October"}, {"--row=x"}, {"--state=open"}} {
		if _, err := ParseWaiting(words); err == nil {
			t.Errorf("%q: no error", words)
		}
	}
}
