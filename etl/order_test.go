package etl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tongbao/data"
)

// TestRowNumbersOfLargeFile: the engine reads parts of a large file side by
// side; every row must still carry its own number in the file.
func TestRowNumbersOfLargeFile(t *testing.T) {
	const rows = 150_000 // of 260 bytes: several of the engine's parts
	definition, header := plainSource, "编号,正文"
	for i, to := range []string{"reported_at", "accepted_at", "filed_at", "dispatched_at", "signed_at", "first_contact_at", "disposed_at", "called_back_at", "closed_at"} {
		definition += fmt.Sprintf("  - {from: 时间%d, to: %s}\n", i, to)
		header += fmt.Sprintf(",时间%d", i)
	}
	w := newTown(t, definition)
	var text strings.Builder
	text.WriteString(header + "\n")
	for i := range rows {
		fmt.Fprintf(&text, "%d,%s%s\n", i+2, strings.Repeat("路灯不亮", 5), strings.Repeat(",2026-10-01 08:00:00", 9))
	}
	w.put("工单_20261102.csv", text.String())
	w.pull()
	const counts = "select count(*) || ' ' || count(*) filter (row_no <> ticket_id::bigint) from core.ticket"
	w.want(counts, fmt.Sprintf("%d 0", rows))

	// The engine reads groups of 2,048 rows side by side. The first row is row 1.
	p := newTown(t, strings.NewReplacer(`\.csv$`, `\.parquet$`, "format: csv", "format: parquet").Replace(definition))
	columns := "cast(range + 1 as varchar) as 编号, '路灯不亮' as 正文"
	for i := range 9 {
		columns += fmt.Sprintf(", '2026-10-01 08:00:00' as 时间%d", i)
	}
	p.exec(fmt.Sprintf("copy (select %s from range(%d)) to '%s/工单_20261102.parquet' (format parquet, row_group_size 2048)", columns, rows, p.in.Inbox))
	p.pull()
	p.want(counts, fmt.Sprintf("%d 0", rows))
}

// TestTypingKeepsOrder: the typing of none of the town's files has a join in
// its plan, which would lose their order.
func TestTypingKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, data.Sources); err != nil {
		t.Fatal(err)
	}
	definitions, err := ReadDefinitions(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	checked := 0
	for _, d := range definitions {
		if d.Format != "csv" || len(d.Delimiter) != 1 {
			continue
		}
		var names []string
		for _, name := range d.sources() {
			if name != sheetSource {
				names = append(names, name)
			}
		}
		path := filepath.Join(dir, d.Source+".csv")
		line := strings.Join(names, d.Delimiter) + "\n"
		if err := os.WriteFile(path, []byte(line+line), 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := d.readCSV(path, dir)
		if err != nil {
			t.Fatal(d.Source, err)
		}
		staged, err := w.db.Stage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		keeps, err := staged.KeepsOrder(context.Background(), newTyping(&d, st, "timestamp '2026-10-01'").create())
		staged.Close()
		if err != nil || !keeps {
			t.Errorf("%s: keeps the order %v, %v", d.Source, keeps, err)
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("only %d definitions were checked", checked)
	}
	staged, err := w.db.Stage(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	const joined = "create temp table t as select * from range(9) as a(x) left join range(9) as b(y) on x = y"
	if keeps, err := staged.KeepsOrder(context.Background(), joined); keeps || err != nil {
		t.Errorf("a join is said to keep the order: %v, %v", keeps, err)
	}
}
