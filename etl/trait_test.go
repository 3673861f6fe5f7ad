package etl

import (
	"reflect"
	"strings"
	"testing"
)

// A trait that is wrongly given spares a cell what it needs, so each is tried
// by the smallest cell that has it.
func TestTraits(t *testing.T) {
	const usual = "2026-01-31 08:00:00"
	for text, want := range map[string]trait{
		"":                           {},
		usual:                        {},
		"2026-01-31":                 {},
		" " + usual:                  {hasBlanks: true, hasUnusual: true},
		"2026-01-31\u00a0":           {hasBlanks: true, hasUnusual: true},
		"\u3000东湖":                   {hasBlanks: true, hasUnusual: true},
		"东湖\ufeff":                   {hasBlanks: true, hasUnusual: true},
		"、东湖。":                       {hasUnusual: true},
		"2026/01/31 08:00":           {hasUnusual: true},
		"２０26-01-31":                 {hasUnusual: true},
		"2026-01-31T08:00:00Z":       {hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00Z":          {hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00:00+08":     {hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00:00.5-0800": {hasUnusual: true, hasOffset: true},
		"2026-01-31T08:00:00+08:00":  {hasUnusual: true, hasOffset: true},
	} {
		for _, line := range []string{"x," + text + ",y", `x,"` + text + `",y`, `"a,""b""",` + text + `,""`} {
			traits := make([]trait, 3)
			seeLine(traits, []byte(line), ',')
			want := want
			if strings.Contains(line, `,"",`) { // the engine must be told what an empty text in quotes is
				want.hasBlanks = true
			}
			if traits[1] != want {
				t.Errorf("%q: %+v, want %+v", line, traits[1], want)
			}
		}
	}
	traits := make([]trait, 3)
	seeLine(traits, []byte(`2026-01-31 ,"a, b",`), ',')
	if want := []trait{{hasBlanks: true, hasUnusual: true}, {hasUnusual: true}, {}}; !reflect.DeepEqual(traits, want) {
		t.Errorf("%+v, want %+v", traits, want)
	}
}
