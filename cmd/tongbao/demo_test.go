package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tongbao/data"
	"tongbao/warehouse"
)

// wholeDemo is the default demo town, run once for all tests that look at it;
// "make test" runs it once for all packages and names it in TONGBAO_DEMO.
var wholeDemo = sync.OnceValues(func() (string, error) {
	if town := os.Getenv("TONGBAO_DEMO"); town != "" {
		return town, nil
	}
	dir, err := shared()
	if err != nil {
		return "", err
	}
	town := filepath.Join(dir, "town")
	var said strings.Builder
	for _, args := range [][]string{{"init", town, "--demo"}, {"run", "-w", town, "--month", "2026-10"}} {
		var log strings.Builder
		if code := run(context.Background(), args, &log, &log); code != exitDone {
			return town, fmt.Errorf("tongbao %s: exit %d\n%s", strings.Join(args, " "), code, log.String())
		}
		said.WriteString(log.String())
	}
	return town, os.WriteFile(filepath.Join(dir, "log.txt"), []byte(said.String()), 0o600)
})

func demoTown(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the whole demo town takes most of a minute")
	}
	town, err := wholeDemo()
	if err != nil {
		t.Fatal(err)
	}
	return town
}

// openWorking opens a workspace's working file to look into it.
func openWorking(t *testing.T, town string) *warehouse.DB {
	t.Helper()
	db, err := warehouse.Open(context.Background(), filepath.Join(town, "data", "warehouse", "work.duckdb"), warehouse.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func ask(t *testing.T, db *warehouse.DB, query string) [][]string {
	t.Helper()
	rows, err := db.Rows(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]string
	for _, cells := range rows.Cells {
		var row []string
		for _, cell := range cells {
			row = append(row, cell.String)
		}
		texts = append(texts, row)
	}
	return texts
}

func readTruth(t *testing.T, town string) data.Truth {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(town, "data", "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth data.Truth
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	return truth
}

// TestDemoCounts holds every count of every unit and month against what the
// maker of the town intended.
func TestDemoCounts(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	truth, db := readTruth(t, town), openWorking(t, town)
	got := map[string]string{}
	for _, row := range ask(t, db, `
		with ticket as (
			select ticket.month, tree.ancestor_id as grid_id,
				count(*) filter (is_reported) as reported, count(*) filter (is_due) as due,
				count(*) filter (is_due and settled_at is not null) as settled, count(*) filter (is_due and is_on_time) as on_time,
				count(*) filter (is_closed) as closed, count(*) filter (is_overdue_open) as overdue
			from core.month_ticket as ticket inner join core.month_tree as tree on ticket.grid_id = tree.grid_id and ticket.month = tree.month
			where not is_excluded and tree.level in (2, 4) group by all
		), repair as (
			select repair.month, tree.ancestor_id as grid_id, count(*) filter (is_reported) as reported, count(*) filter (is_finished) as finished
			from core.month_repair as repair inner join core.month_tree as tree on repair.grid_id = tree.grid_id and repair.month = tree.month
			where not is_excluded and tree.level in (2, 4) group by all
		), activity as (
			select activity.month, tree.ancestor_id as grid_id, count(*) as done
			from core.month_activity as activity inner join core.month_tree as tree on activity.grid_id = tree.grid_id and activity.month = tree.month
			where activity.kind <> 'firm_visit' and tree.level in (2, 4) group by all
		)
		select strftime(unit.month, '%Y-%m'), unit.grid_id, concat_ws(' ', coalesce(ticket.reported, 0), coalesce(ticket.due, 0), coalesce(ticket.settled, 0),
			coalesce(ticket.on_time, 0), coalesce(ticket.closed, 0), coalesce(ticket.overdue, 0), coalesce(repair.reported, 0), coalesce(repair.finished, 0), coalesce(activity.done, 0))
		from core.month_unit as unit left join ticket using (month, grid_id) left join repair using (month, grid_id) left join activity using (month, grid_id)
		where unit.level in (2, 4)`) {
		got[row[0]+" "+row[1]] = row[2]
	}
	want := map[string]string{}
	for _, u := range truth.Units {
		want[u.Month.String()+" "+u.GridID] = fmt.Sprint(u.Reported, " ", u.Due, " ", u.Settled, " ", u.OnTime, " ", u.Closed, " ", u.OverdueOpen, " ", u.Repairs, " ", u.RepairsFinished, " ", u.Activities)
	}
	if len(want) < 24*(8+147) {
		t.Fatalf("the truth has %d units and months", len(want))
	}
	wrong := 0
	for key, counts := range want {
		if got[key] != counts {
			if wrong++; wrong <= 10 {
				t.Errorf("%s: got %s, want %s (reported due settled on-time closed overdue repairs finished activities)", key, got[key], counts)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d units and months are wrong", wrong, len(want))
	}
}

// TestDemoRowsAreAccountedFor holds rows per file, ids per source, and every
// quarantined row with its reason against what was planted.
func TestDemoRowsAreAccountedFor(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	truth, db := readTruth(t, town), openWorking(t, town)
	files := map[string]string{}
	for _, row := range ask(t, db, "select file, rows_in, rows_loaded + rows_duplicate + rows_quarantined from core.load") {
		files[row[0]] = row[1]
		if row[1] != row[2] {
			t.Errorf("%s: %s rows in, %s accounted for", row[0], row[1], row[2])
		}
	}
	want := map[string]string{}
	var planted []string
	for name, file := range truth.Files {
		want[name] = fmt.Sprint(file.Rows)
		for _, bad := range file.Bad {
			planted = append(planted, fmt.Sprintf("%s row %d %s: %s", name, bad.Row, bad.Column, bad.Reason))
		}
	}
	if diff := cmp.Diff(files, want); diff != "" {
		t.Errorf("rows per file: got (-), want (+):\n%s", diff)
	}
	var quarantined []string
	for _, row := range ask(t, db, "select file, row_no, coalesce(column_name, ''), reason from core.quarantine") {
		quarantined = append(quarantined, fmt.Sprintf("%s row %s %s: %s", row[0], row[1], row[2], row[3]))
	}
	slices.Sort(planted)
	slices.Sort(quarantined)
	if diff := cmp.Diff(quarantined, planted); diff != "" {
		t.Errorf("quarantine: got (-), want (+):\n%s", diff)
	}
	for source, table := range map[string]string{
		"tickets_12345": "ticket", "tickets_platform": "ticket", "repairs": "repair", "repair_fund": "fund_entry", "activities": "activity",
		"plans": "plan", "returns": `"return"`, "events": "event", "exclusions": "exclusion",
	} {
		got := ask(t, db, fmt.Sprintf("select count(*) from core.%s where source = '%s'", table, source))[0][0]
		if want := fmt.Sprint(truth.Sources[source].Keys); got != want {
			t.Errorf("%s: %s rows in core, want %s", source, got, want)
		}
	}
}

// TestDemoAgain holds that a second run takes nothing in and publishes nothing.
func TestDemoAgain(t *testing.T) {
	t.Parallel()
	town := copyWorkspace(t, demoTown(t)) // others read the town meanwhile
	code, _, log := command(t, "run", "-w", town, "--month", "2026-10")
	if code != exitDone || !strings.Contains(log, "has not changed since v1") || !strings.Contains(log, "were taken in before") {
		t.Errorf("exit %d\n%s", code, log)
	}
	if got := readManifest(t, town, "2026-10").Version; got != 1 {
		t.Errorf("got version %d, want 1", got)
	}
}

// digests returns a digest of every table of the schemas. Of core.load it leaves
// out what depends on the order in which deliveries were taken in: what a load
// found when it came.
func digests(t *testing.T, town string, schemas ...string) map[string]string {
	t.Helper()
	db, err := warehouse.Open(context.Background(), filepath.Join(town, "data", "warehouse", "work.duckdb"), warehouse.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables, err := db.Tables(context.Background(), schemas...)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for table := range tables {
		columns := "*"
		if table == "core.load" {
			columns += " exclude (rows_loaded, rows_duplicate, earliest_month)"
		}
		schema, name, _ := strings.Cut(table, ".")
		rows, err := db.Rows(context.Background(), fmt.Sprintf(`select count(*) || ' ' || coalesce(sum(hash(fact)::hugeint), 0) from (select %s from %s."%s") as fact`, columns, schema, name))
		if err != nil {
			t.Fatal(err)
		}
		sums[table] = rows.Cells[0][0].String
	}
	return sums
}

// TestAnyOrder takes the same deliveries in, in many pulls and in shuffled
// order, and by rebuild; the tables must be the same.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	plain := ownDemo(t, 2, published)

	t.Run("rebuild", func(t *testing.T) {
		want := digests(t, plain, "core", "indicator", "score", "ranking", "bulletin")
		must(t, "rebuild", "-w", plain, "--month", "2026-10")
		if diff := cmp.Diff(digests(t, plain, "core", "indicator", "score", "ranking", "bulletin"), want); diff != "" {
			t.Errorf("after rebuild (-), before (+):\n%s", diff)
		}
	})
	want := digests(t, plain, "core", "indicator", "score", "ranking", "bulletin")
	for range 2 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("shuffle %d", seed), func(t *testing.T) {
			town := ownDemo(t, 2, delivered)
			inbox := filepath.Join(town, "data", "inbox")
			held := filepath.Join(town, "held")
			if err := os.Rename(inbox, held); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(inbox, 0o755); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(held)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(seed, 1))
			r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
			for i, entry := range entries {
				if err := os.Rename(filepath.Join(held, entry.Name()), filepath.Join(inbox, entry.Name())); err != nil {
					t.Fatal(err)
				}
				if i%7 == 6 {
					must(t, "pull", "-w", town)
				}
			}
			must(t, "run", "-w", town, "--month", "2026-10")
			if diff := cmp.Diff(digests(t, town, "core", "indicator", "score", "ranking", "bulletin"), want); diff != "" {
				t.Errorf("shuffled (-), in order (+):\n%s", diff)
			}
		})
	}
}
