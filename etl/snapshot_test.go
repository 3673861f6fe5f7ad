package etl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSnapshotFiles holds the rules of full sets that come as files, in an
// order of their own.
func TestSnapshotFiles(t *testing.T) {
	w := newServed(t, `source: fund
name: 基金
target: fund_entry
files: '^fund_(?P<delivered>\d{8})\.csv$'
format: csv
snapshot: true
shrink: 60
key: [entry_id]
columns:
  - {from: id, to: entry_id, required: true}
  - {from: day, to: day, required: true}
  - {from: amount, to: amount}
`)
	put := func(day string, rows ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(w.in.Inbox, "fund_"+day+".csv"), []byte("id,day,amount\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	held := func(want string) {
		t.Helper()
		if got := ask(t, w.db, "select string_agg(source_key || '=' || amount, ' ' order by source_key) from core.fund_entry"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	put("20241003", "b,2024-09-02,2", "c,2024-09-03,3")
	w.pull(t)
	held("b=2.00 c=3.00")
	// An older set that comes late brings back nothing that is gone since.
	put("20241001", "a,2024-09-01,1", "b,2024-09-02,1")
	if load := w.pull(t).Loads[0]; load.Duplicate != 2 || load.Deleted != 0 {
		t.Errorf("got %+v, want two known rows", load)
	}
	held("b=2.00 c=3.00")
	put("20241005", "c,2024-09-03,4")
	if load := w.pull(t).Loads[0]; load.Deleted != 1 || load.Loaded != 1 {
		t.Errorf("got %+v, want one changed and one deleted", load)
	}
	held("c=4.00")
	// A row whose key cannot be read might be any of those that are held.
	put("20241006", "d,2024-09-04,5", ",2024-09-03,4")
	if load := w.pull(t).Loads[0]; load.KeptFor != 1 || load.Deleted != 0 || load.Quarantined != 1 {
		t.Errorf("got %+v, want nothing deleted", load)
	}
	held("c=4.00 d=5.00")
	query := "select source_key, amount, first_delivered_at from core.fund_entry order by all"
	if got, want := ask(t, w.rebuild(t), query), ask(t, w.db, query); got != want {
		t.Errorf("rebuilt\n%s\nwant\n%s", got, want)
	}
}

// TestExclusionTouchesItsTicketsMonth holds that a ticket taken out of a count
// makes its own month new, not the one in which that was decided.
func TestExclusionTouchesItsTicketsMonth(t *testing.T) {
	w := newServed(t, `source: tickets
name: 工单
target: ticket
files: '^tickets\.csv$'
format: csv
key: [ticket_id]
columns:
  - {from: id, to: ticket_id, required: true}
  - {from: at, to: reported_at, required: true}
`, `source: exclusions
name: 剔除
target: exclusion
files: '^exclusions\.csv$'
format: csv
key: [ticket_id]
columns:
  - {from: id, to: ticket_id, required: true}
  - {from: source, to: ticket_source, required: true}
  - {from: decided, to: decided_at}
`)
	for _, file := range [][2]string{{"tickets.csv", "id,at\n7,2024-09-05 08:00:00\n"}, {"exclusions.csv", "id,source,decided\n7,tickets,2024-11-01 08:00:00\n"}} {
		if err := os.WriteFile(filepath.Join(w.in.Inbox, file[0]), []byte(file[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		w.pull(t)
	}
	if got, want := ask(t, w.db, "select source, earliest_month from core.load order by source"), "exclusions|2024-09-01\ntickets|2024-09-01"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
