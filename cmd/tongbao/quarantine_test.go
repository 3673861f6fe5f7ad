package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tongbao"
	"tongbao/queries"
	"tongbao/warehouse"
)

// lines runs a command with -o json and returns its objects.
func lines(t *testing.T, args ...string) []map[string]string {
	t.Helper()
	var all []map[string]string
	for line := range strings.Lines(must(t, append(args, "-o", "json")...)) {
		var one map[string]string
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// sameAfterRebuild holds that a rebuild makes every core table again, the
// acts on quarantined rows included.
func sameAfterRebuild(t *testing.T, town string) {
	t.Helper()
	want := digests(t, town, "core")
	must(t, "rebuild", "-w", town, "--month", "2026-08") // its first month; core is whole
	got := digests(t, town, "core")
	for table := range got {
		if strings.HasPrefix(table, "core.month_") {
			delete(got, table)
			delete(want, table)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("after rebuild (-), before (+):\n%s", diff)
	}
}

// reconciled holds that every row of every load is accounted for.
func reconciled(t *testing.T, town string) {
	t.Helper()
	db := openWorking(t, town)
	defer db.Close()
	if n := ask(t, db, `select count(*) from core.load where rows_in <> rows_loaded + rows_duplicate + rows_quarantined
		or rows_quarantined <> (select count(*) from core.quarantine where quarantine.load_id = load.load_id)`)[0][0]; n != "0" {
		t.Errorf("%s loads are not reconciled", n)
	}
	// Acts move rows, and the month's account of its deliveries with them.
	all, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(q warehouse.Query) bool { return q.Table() == "core.month_load" })
	for m := tongbao.NewMonth(2026, 8); m <= tongbao.NewMonth(2026, 10); m++ {
		for _, row := range ask(t, db, "select load_id, rows_in, rows_current, rows_superseded, rows_quarantined from (\n"+all[at].Select(m)+"\n) where rows_superseded < 0 or source is null") {
			t.Errorf("%s: the rows of delivery %v do not add up (in, current, superseded, quarantined)", m, row)
		}
	}
}

// TestAliasThenReplay walks from an unmatched name to its rows in core.
func TestAliasThenReplay(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 3, pulled)
	unmatched := lines(t, "alias", "list", "--unmatched", "-w", town)
	at := slices.IndexFunc(unmatched, func(r map[string]string) bool { return strings.HasPrefix(r["spelling"], "锦苑") })
	if at < 0 {
		t.Fatalf("no spelling of 锦苑 waits: %v", unmatched)
	}
	spelling, nearest, _ := strings.Cut(unmatched[at]["nearest"], "、")
	nearest, spelling = spelling, unmatched[at]["spelling"]
	of := func(state string) []map[string]string {
		return lines(t, "quarantine", "list", "-w", town, "--reason", "unknown_grid", "--source", "tickets_12345", "--state", state)
	}
	waiting := len(of("open"))
	if waiting == 0 || nearest == "" {
		t.Fatalf("%d rows wait for %s, nearest %q", waiting, spelling, nearest)
	}
	// Nothing is guessed: without the act a replay takes nothing.
	if _, _, log := command(t, "quarantine", "replay", "-w", town); !strings.Contains(log, "0 rows left quarantine") {
		t.Errorf("a replay without any change: %s", log)
	}
	row := must(t, "alias", "add", spelling, nearest, "-w", town)
	if !strings.HasPrefix(row, spelling+",") {
		t.Errorf("got row %q", row)
	}
	for _, again := range [][]string{{"alias", "add", spelling, nearest, "-w", town}, {"alias", "add", "新名", "没有的网格", "-w", town},
		{"alias", "add", "新名", nearest, "--from", "2026-02-01", "--to", "2026-01-01", "-w", town}} {
		if code, _, log := command(t, again...); code != exitUsage {
			t.Errorf("%v: got exit %d, %s", again, code, log)
		}
	}
	_, _, log := command(t, "quarantine", "replay", "--reason", "unknown_grid", "-w", town)
	if !strings.Contains(log, "rows left quarantine") || len(of("open")) != 0 || len(of("replayed")) != waiting {
		t.Errorf("after the replay %d rows wait and %d are replayed, want 0 and %d\n%s", len(of("open")), len(of("replayed")), waiting, log)
	}
	for _, closed := range of("replayed") {
		if closed["closed_by"] == "" || closed["closed_at"] == "" {
			t.Errorf("a row left quarantine unnoticed: %v", closed)
		}
	}
	reconciled(t, town)
	db := openWorking(t, town)
	if got := ask(t, db, "select count(*) from core.ticket where file like '12345%' and ticket_id like 'BAD%'")[0][0]; got == "0" {
		t.Errorf("no replayed ticket is in core")
	}
	db.Close()
	sameAfterRebuild(t, town)

	// A rebuild that takes a waiting row in says so.
	silent := ownDemo(t, 3, pulled)
	must(t, "alias", "add", spelling, nearest, "-w", silent)
	if _, _, log := command(t, "rebuild", "-w", silent, "--month", "2026-08"); !strings.Contains(log, fmt.Sprintf("note: %d rows left quarantine", waiting)) {
		t.Errorf("a rebuild with a new spelling does not say that rows left quarantine:\n%s", log)
	}

	// The facts are those of a town that knew the spelling from the start.
	facts := `select md5(string_agg(fact, ' ' order by fact)) from (select cast(to_json(t) as varchar) as fact from (select * exclude (load_id) from core.ticket) as t)`
	ofTown := func(town string) string {
		db := openWorking(t, town)
		defer db.Close()
		return ask(t, db, facts)[0][0]
	}
	if got, want := ofTown(town), ofTown(silent); got != want {
		t.Errorf("replayed tickets differ from tickets that were taken at once")
	}
}

// TestKilledInReplay: the act is in raw/ before its rows are in core; the next
// pull finishes it.
func TestKilledInReplay(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 3, pulled)
	unmatched := lines(t, "alias", "list", "--unmatched", "-w", town)
	at := slices.IndexFunc(unmatched, func(r map[string]string) bool { return r["sources"] == "tickets_platform" })
	if at < 0 {
		t.Fatalf("no row of the platform waits for a grid: %v", unmatched)
	}
	known := lines(t, "alias", "list", "-w", town)
	must(t, "alias", "add", unmatched[at]["spelling"], known[len(known)-1]["grid_id"], "-w", town)
	calm := copyWorkspace(t, town)
	must(t, "quarantine", "replay", "-w", calm, "--source", "tickets_platform")
	output, err := start(t, []string{"FAILPOINT=etl.before_commit:2"}, "quarantine", "replay", "-w", town, "--source", "tickets_platform")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("not killed: %v\n%s", err, output)
	}
	must(t, "pull", "-w", town)
	must(t, "quarantine", "replay", "-w", town, "--source", "tickets_platform")
	count := func(town string) [][]string {
		db := openWorking(t, town)
		defer db.Close()
		return ask(t, db, "select state, count(*) from core.quarantine group by state union all select 'tickets', count(*) from core.ticket order by all")
	}
	if diff := cmp.Diff(count(town), count(calm)); diff != "" {
		t.Errorf("killed and repeated (-), undisturbed (+):\n%s", diff)
	}
	reconciled(t, town)
}

// edit changes cells of an exported sheet: for each row whose reason is the
// key, the named column gets the value.
func edit(t *testing.T, file, sheet, reason, column, value string) (edited int) {
	t.Helper()
	book, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	at, why := slices.Index(rows[0], column), slices.Index(rows[0], column+"·原因")
	if at < 0 || why != at+1 {
		t.Fatalf("%s has no reason beside %s: %v", sheet, column, rows[0])
	}
	for i, row := range rows {
		if i > 0 && why < len(row) && strings.HasPrefix(row[why], reason) {
			cell, err := excelize.CoordinatesToCellName(at+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := book.SetCellStr(sheet, cell, value); err != nil {
				t.Fatal(err)
			}
			edited++
		}
	}
	if err := book.Save(); err != nil {
		t.Fatal(err)
	}
	return edited
}

// TestExportFixImport walks from an export over a corrected cell to core.
func TestExportFixImport(t *testing.T) {
	town := ownDemo(t, 3, pulled)
	file := filepath.Join(t.TempDir(), "待修正.xlsx")
	must(t, "quarantine", "export", file, "-w", town, "--source", "tickets_12345")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got mode %v, %v; want 0600", info.Mode(), err)
	}
	if code, _, _ := command(t, "quarantine", "export", file, "-w", town); code == exitDone {
		t.Errorf("an export wrote over a file")
	}
	if code, _, log := command(t, "quarantine", "import", file, "-w", town); code != exitFailed || !strings.Contains(log, "no corrected row") {
		t.Errorf("an untouched export: exit %d, %s", code, log)
	}
	before := len(lines(t, "quarantine", "list", "-w", town, "--source", "tickets_12345"))
	fixed := edit(t, file, "tickets_12345", "日期无法识别", "上报时间", "2026-09-12 10:00:00")
	still := edit(t, file, "tickets_12345", "数字无法识别", "返工次数", "好几次")
	if fixed == 0 || still == 0 {
		t.Fatalf("%d and %d rows to correct", fixed, still)
	}
	_, _, log := command(t, "quarantine", "import", file, "-w", town)
	waiting := lines(t, "quarantine", "list", "-w", town, "--source", "tickets_12345")
	if len(waiting) != before-fixed {
		t.Errorf("%d rows wait, want %d - %d\n%s", len(waiting), before, fixed, log)
	}
	if n := len(lines(t, "quarantine", "list", "-w", town, "--state", "fixed")); n != fixed+still {
		t.Errorf("%d rows are fixed, want %d", n, fixed+still)
	}
	reconciled(t, town)
	if code, _, log := command(t, "quarantine", "import", file, "-w", town); code != exitDone || !strings.Contains(log, "taken in before") {
		t.Errorf("the same file again: exit %d, %s", code, log)
	}

	// What is still bad waits in the fixed file, and comes back by the inbox.
	second := filepath.Join(town, "data", "inbox", "再修正.xlsx")
	must(t, "quarantine", "export", second, "-w", town, "--file", "待修正.xlsx")
	if n := edit(t, second, "tickets_12345", "数字无法识别", "返工次数", "2"); n != still {
		t.Errorf("%d rows wait in the fixed file, want %d", n, still)
	}
	must(t, "pull", "-w", town)
	if n := len(lines(t, "quarantine", "list", "-w", town, "--source", "tickets_12345")); n != before-fixed-still {
		t.Errorf("%d rows wait, want %d", n, before-fixed-still)
	}
	reconciled(t, town)
	db := openWorking(t, town)
	if got := ask(t, db, "select count(*) from core.ticket where file in ('待修正.xlsx', '再修正.xlsx')")[0][0]; got == "0" {
		t.Errorf("no fixed ticket is in core")
	}
	db.Close()

	if code, _, _ := command(t, "quarantine", "dismiss", "-w", town, "--source", "tickets_12345"); code != exitUsage {
		t.Errorf("dismissed without a reason")
	}
	if code, _, _ := command(t, "quarantine", "dismiss", "-w", town, "--why", "x"); code != exitUsage {
		t.Errorf("dismissed everything")
	}
	must(t, "quarantine", "dismiss", "-w", town, "--source", "tickets_12345", "--reason", "future_time", "--why", "平台测试单")
	dismissed := lines(t, "quarantine", "list", "-w", town, "--state", "dismissed")
	if len(dismissed) == 0 || dismissed[0]["note"] != "平台测试单" {
		t.Errorf("got %v", dismissed)
	}
	sameAfterRebuild(t, town)
}
