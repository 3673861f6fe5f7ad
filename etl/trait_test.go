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
		"240201100000000001":           {hasUnusual: true},
		"2402011000000000011":          {hasUnusual: true, hasOther: true},
		" 7":                           {hasBlanks: true, hasUnusual: true},
		"-7":                           {hasUnusual: true, hasOther: true},
		"７":                            {hasUnusual: true, hasOther: true},
		usual:                          {hasOther: true},
		"2026-01-31":                   {hasOther: true},
		" " + usual:                    {hasBlanks: true, hasOther: true},
		"2026-01-31\u00a0":             {hasBlanks: true, hasOther: true},
		" \u3000 ":                     {hasBlanks: true},
		"2026-01-31T08:00:00Z ":        {hasBlanks: true, hasUnusual: true, hasOffset: true, hasOther: true},
		"2026-01-31 08:00+08:00\u3000": {hasBlanks: true, hasUnusual: true, hasOffset: true, hasOther: true},
		"\u3000东湖":                     {hasBlanks: true, hasUnusual: true, hasOther: true},
		"东湖\ufeff":                     {hasBlanks: true, hasUnusual: true, hasOther: true},
		"、东湖。":                         {hasUnusual: true, hasOther: true},
		"2026/01/31 08:00":             {hasUnusual: true, hasOther: true},
		"２０26-01-31":                   {hasUnusual: true, hasOther: true},
		"2026-01-31T08:00:00Z":         {hasUnusual: true, hasOffset: true, hasOther: true},
		"2026-01-31 08:00Z":            {hasUnusual: true, hasOffset: true, hasOther: true},
		"2026-01-31 08:00:00+08":       {hasUnusual: true, hasOffset: true, hasOther: true},
		"2026-01-31 08:00:00.5-0800":   {hasUnusual: true, hasOffset: true, hasOther: true},
		"2026-01-31T08:00:00+08:00":    {hasUnusual: true, hasOffset: true, hasOther: true},
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
	if want := []trait{{hasBlanks: true, hasOther: true}, {hasUnusual: true, hasOther: true}, {}}; !reflect.DeepEqual(traits, want) {
		t.Errorf("%+v, want %+v", traits, want)
	}
}

// TestTraitsChangeNothing types single cells by their traits and without.
func TestTraitsChangeNothing(t *testing.T) {
	w := newTown(t)
	d := parse(t, plainSource+"  - {from: 时间, to: reported_at}\n  - {from: 返工, to: rework_count, default: \"0\"}\n")
	typed := func(st stage) (text string) {
		typing := newTyping(&d, st, "timestamp '2026-11-02'")
		err := w.db.Write(context.Background(), func(ctx context.Context, tx *warehouse.Tx) error {
			if _, err := tx.Exec(ctx, typing.create()); err != nil {
				return err
			}
			var number int
			err := tx.QueryRow(ctx, "select concat_ws('|', is_note, t_ticket_id, t_summary, t_reported_at, t_rework_count, fault_value), fault from typed").Scan(&text, &number)
			if number > 0 {
				text += "|" + typing.faults[number-1].column + " " + typing.faults[number-1].reason
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	changesNothing := func(row string) {
		st, err := d.readCSV(write(t, "a.csv", []byte("编号,正文,时间,返工\n"+row+"\n")), t.TempDir())
		if err != nil || !st.isFile {
			t.Fatalf("%q: %v", row, err)
		}
		plain := st
		plain.traits = nil
		if got, want := typed(st), typed(plain); got != want {
			t.Errorf("%q: got %s, want %s", row, got, want)
		}
	}
	for _, moment := range []string{"2026-01-31 08:00:00", "2026-02-30", "0000-01-01", "2026-01-31 24:00:00", "2026-01-31 23:59:60",
		"2026/1/31 8:00", "20260131", "2026年1月31日", "２０26-01-31", "2026-01-31 08:00:00.5", "2026-01-31 08:00:00 UTC",
		"2026-01-31T00:00:00Z", "2026-01-31T00:00Z", "2026-01-31 00:00:00+00", "2026-01-31 00:00:00 +0000", "2026-01-31T00:00:00-03:30", "2026-01-31 08:00:00+15"} {
		for _, around := range []string{"%s", "%s ", "\u3000%s\u00a0", `"%s"`, `" %s "`} {
			changesNothing(" 1,\"\"," + fmt.Sprintf(around, moment) + ",1")
		}
	}
	for _, number := range []string{"", "0", "007", " 7", "７", "7.0", "7.5", "-7", "+7", "1,000", "1e3", "2.5091210110811E+17", "240201100000000001", "9223372036854775807", "99999999999999999999", "十"} {
		changesNothing(fmt.Sprintf(`"%[1]s",x,2026-01-31,"%[1]s"`, number))
	}
}

// TestUsualMoment holds the comparison of eight bytes at once against one of
// each byte, with every byte in every place, alone and beside one that is wrong.
func TestUsualMoment(t *testing.T) {
	for _, form := range []string{"0000-00-00", "0000-00-00 00:00:00"} {
		fits := func(cell []byte) bool {
			for i := range cell {
				if isDigit := cell[i] >= '0' && cell[i] <= '9'; form[i] == '0' && !isDigit || form[i] != '0' && cell[i] != form[i] {
					return false
				}
			}
			return true
		}
		for i := range form {
			for b := range 256 {
				for _, beside := range []byte{form[max(0, i-1)], '9', 0xff} {
					cell := []byte(form)
					cell[max(0, i-1)] = beside
					cell[i] = byte(b)
					if isUsualMoment(cell) != fits(cell) {
						t.Fatalf("%q: %v", cell, isUsualMoment(cell))
					}
				}
			}
		}
	}
	for _, text := range []string{"", "0000-00-0", "0000-00-00 ", "0000-00-00 00:00:0", "0000-00-00 00:00:000"} {
		if isUsualMoment([]byte(text)) {
			t.Errorf("%q is none", text)
		}
	}
}
