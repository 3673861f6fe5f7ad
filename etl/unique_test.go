package etl

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const vouchers = `source: fund
name: 基金
target: fund_entry
files: '^fund_(?P<delivered>\d{8})\.csv$'
format: csv
key: [entry_id]
columns:
  - {from: id, to: entry_id, required: true}
  - {from: day, to: day, required: true}
  - {from: amount, to: amount}
  - {from: 发票号, to: note, unique: true}
`

// TestUniqueAcrossLoads holds that a voucher that was counted in one month
// cannot be counted again in another, that the row which has it stays, and that
// a rebuild lets the same rows wait, whatever came first.
func TestUniqueAcrossLoads(t *testing.T) {
	w := newServed(t, vouchers)
	put := func(day, rows string) Load {
		t.Helper()
		if err := os.WriteFile(filepath.Join(w.in.Inbox, "fund_"+day+".csv"), []byte("id,day,amount,发票号\n"+rows), 0o600); err != nil {
			t.Fatal(err)
		}
		return w.pull(t).Loads[0]
	}
	const (
		held    = "select string_agg(source_key || '=' || coalesce(note, ''), ' ' order by source_key) from core.fund_entry"
		waiting = "select coalesce(string_agg(file || ':' || row_no || ' ' || reason || ' ' || coalesce(detail, ''), ', ' order by file, row_no), '') from core.quarantine where state = 'open'"
	)
	want := func(query, want string) {
		t.Helper()
		if got := ask(t, w.db, query); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	// Versions of one row share nothing, though they say the same.
	put("20241103", "a,2024-10-01,1,V1\na,2024-10-01,2,V1\nb,2024-10-01,1,V2\nc,2024-10-01,1,\nd,2024-10-01,1,\n")
	want(held, "a=V1 b=V2 c= d=")
	// Within a delivery both wait; across deliveries the second one.
	if load := put("20241203", "e,2024-11-01,1,V1\nf,2024-11-01,1,V3\ng,2024-11-01,1,V3\nh,2024-11-01,1,V4\n"); load.Loaded != 1 || load.Quarantined != 3 {
		t.Errorf("got %+v, want 1 loaded and 3 that wait", load)
	}
	want(held, "a=V1 b=V2 c= d= h=V4")
	want(waiting, "fund_20241203.csv:2 taken_value a, fund_20241203.csv:3 shared_value , fund_20241203.csv:4 shared_value ")
	// A voucher may move in one delivery: b gives V2 up and i takes it.
	put("20241204", "b,2024-10-01,1,V5\ni,2024-11-01,1,V2\n")
	want(held, "a=V1 b=V5 c= d= h=V4 i=V2")
	// An older delivery that comes late finds its voucher taken. A rebuild
	// takes it first, and it waits all the same.
	put("20241101", "j,2024-10-01,1,V4\n")
	want(waiting, "fund_20241101.csv:2 taken_value h, fund_20241203.csv:2 taken_value a, fund_20241203.csv:3 shared_value , fund_20241203.csv:4 shared_value ")
	same := func() {
		t.Helper()
		db := w.rebuild(t)
		for _, query := range []string{held, "select file, row_no from core.quarantine where state = 'open' order by all", "select file, rows_loaded, rows_duplicate, rows_quarantined from core.load order by all"} {
			if got, want := ask(t, db, query), ask(t, w.db, query); got != want {
				t.Errorf("rebuilt\n%s\nwant\n%s", got, want)
			}
		}
	}
	same()
	// Of two rows that share a value a person takes one; then the other is taken.
	replay := func(row int64, want string) {
		t.Helper()
		report, err := Replay(t.Context(), w.db, w.in, Waiting{File: "fund_20241203.csv", Row: row}, time.Date(2024, 12, 9, 8, 0, int(row), 0, time.UTC), "test")
		if got := fmt.Sprint(taken(report)); err != nil || got != want {
			t.Errorf("row %d: %s rows left quarantine, %v; want %s", row, got, err, want)
		}
	}
	replay(2, "0")
	replay(3, "1")
	replay(4, "0")
	want(waiting, "fund_20241101.csv:2 taken_value h, fund_20241203.csv:2 taken_value a, fund_20241203.csv:4 taken_value f")
	// The row that has it is corrected, and the value is free.
	put("20241205", "a,2024-10-01,1,V6\n")
	replay(2, "1")
	want(held, "a=V6 b=V5 c= d= e=V1 f=V3 h=V4 i=V2")
	same()
}

// TestUniqueOfRowsThatWait holds that a row gives its value up only when the
// version that says so is taken in.
func TestUniqueOfRowsThatWait(t *testing.T) {
	w := newServed(t, vouchers)
	for _, delivery := range [][2]string{
		{"20241103", "a,2024-10-01,1,V1\nb,2024-10-01,1,V2\nc,2024-10-01,1,V3\n"},
		{"20241203", "a,2024-10-01,1,V4\nd,2024-11-01,1,V4\ne,2024-11-01,1,V1\n" + // a and d share V4, so a keeps V1
			"b,昨天,1,V5\nf,2024-11-01,1,V2\n" + // b has no day, and keeps V2
			"c,2024-10-01,1,\ng,2024-11-01,1,V3\n"}, // c has none any more
	} {
		if err := os.WriteFile(filepath.Join(w.in.Inbox, "fund_"+delivery[0]+".csv"), []byte("id,day,amount,发票号\n"+delivery[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.pull(t)
	if got, want := ask(t, w.db, "select string_agg(source_key || '=' || coalesce(note, ''), ' ' order by source_key) from core.fund_entry"), "a=V1 b=V2 c= g=V3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := ask(t, w.db, "select string_agg(row_no || ' ' || reason, ', ' order by row_no) from core.quarantine"),
		"2 shared_value, 3 shared_value, 4 taken_value, 5 bad_date, 6 taken_value"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func taken(report Report) (rows int64) {
	for _, load := range report.Loads {
		rows += load.In
	}
	return rows
}

// TestUniqueMasked holds that values are compared as core keeps them: hashed.
func TestUniqueMasked(t *testing.T) {
	w := newServed(t, `source: repairs
name: 维修
target: repair
files: '^repairs_(?P<delivered>\d{8})\.csv$'
format: csv
key: [repair_id]
columns:
  - {from: id, to: repair_id, required: true}
  - {from: at, to: reported_at, required: true}
  - {from: grid, to: grid, required: true}
  - {from: home, to: home_key, mask: hash_in_grid, unique: true}
`)
	for day, row := range map[string]string{"20241103": "1,2024-10-01,一号楼,501", "20241104": "2,2024-10-01,一号楼,501"} {
		if err := os.WriteFile(filepath.Join(w.in.Inbox, "repairs_"+day+".csv"), []byte("id,at,grid,home\n"+row+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.pull(t)
	if got, want := ask(t, w.db, "select file, value, reason, detail from core.quarantine"), "repairs_20241104.csv|***|taken_value|1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
