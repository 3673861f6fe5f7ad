package etl

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tongbao/warehouse"
)

// A trait that is wrongly given spares a cell what it needs, so each is tried
// by the smallest cell that has it.
func TestTraits(t *testing.T) {
	const usual = "2026-01-31 08:00:00"
	for text, want := range map[string]trait{
		"":                             {},
		usual:                          {},
		"2026-01-31":                   {},
		" " + usual:                    {hasBlanks: true},
		"2026-01-31\u00a0":             {hasBlanks: true},
		" \u3000 ":                     {hasBlanks: true},
		"2026-01-31T08:00:00Z ":        {hasBlanks: true, hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00+08:00\u3000": {hasBlanks: true, hasUnusual: true, hasOffset: true},
		"\u3000东湖":                     {hasBlanks: true, hasUnusual: true},
		"东湖\ufeff":                     {hasBlanks: true, hasUnusual: true},
		"、东湖。":                         {hasUnusual: true},
		"2026/01/31 08:00":             {hasUnusual: true},
		"２０26-01-31":                   {hasUnusual: true},
		"2026-01-31T08:00:00Z":         {hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00Z":            {hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00:00+08":       {hasUnusual: true, hasOffset: true},
		"2026-01-31 08:00:00.5-0800":   {hasUnusual: true, hasOffset: true},
		"2026-01-31T08:00:00+08:00":    {hasUnusual: true, hasOffset: true},
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
	if want := []trait{{hasBlanks: true}, {hasUnusual: true}, {}}; !reflect.DeepEqual(traits, want) {
		t.Errorf("%+v, want %+v", traits, want)
	}
}

// TestTraitsChangeNothing types single cells by their traits and without.
func TestTraitsChangeNothing(t *testing.T) {
	w := newTown(t)
	d := parse(t, plainSource+"  - {from: 时间, to: reported_at}\n")
	typed := func(st stage) (text string) {
		err := w.db.Write(context.Background(), func(ctx context.Context, tx *warehouse.Tx) error {
			if _, err := tx.Exec(ctx, newTyping(&d, st, "timestamp '2026-11-02'").create()); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "select concat_ws('|', is_note, t_ticket_id, t_summary, t_reported_at, fault, fault_value) from typed").Scan(&text)
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, moment := range []string{"2026-01-31 08:00:00", "2026-02-30", "0000-01-01", "2026-01-31 24:00:00", "2026-01-31 23:59:60",
		"2026/1/31 8:00", "20260131", "2026年1月31日", "２０26-01-31", "2026-01-31 08:00:00.5", "2026-01-31 08:00:00 UTC",
		"2026-01-31T00:00:00Z", "2026-01-31T00:00Z", "2026-01-31 00:00:00+00", "2026-01-31 00:00:00 +0000", "2026-01-31T00:00:00-03:30", "2026-01-31 08:00:00+15"} {
		for _, around := range []string{"%s", "%s ", "\u3000%s\u00a0", `"%s"`, `" %s "`} {
			st, err := d.readCSV(write(t, "a.csv", fmt.Appendf(nil, "编号,正文,时间\n 1,\"\","+around+"\n", moment)), t.TempDir())
			if err != nil || !st.isFile {
				t.Fatalf("%q: %v", moment, err)
			}
			plain := st
			plain.traits = nil
			if got, want := typed(st), typed(plain); got != want {
				t.Errorf("%q in %q: got %s, want %s", moment, around, got, want)
			}
		}
	}
}
