package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
)

// TestReadable: a statistician may ask whatever is in the file that statisticians
// may have, and the file holds nothing of single building grids, of small
// cells, and no column that their bulletin leaves out.
func TestReadable(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	workspace, err := pipeline.FindWorkspace(town)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	readers, err := workspace.Readers()
	if err != nil {
		t.Fatal(err)
	}
	published, err := readers.Published(ctx, register.Statisticians, 0)
	if err != nil {
		t.Fatal(err)
	}
	sources := published.Sources
	if len(sources) != 1 || filepath.Base(sources[0].Path) != "warehouse.duckdb" {
		t.Fatalf("statisticians read %v", sources)
	}
	readable := map[string]warehouse.Relation{}
	for _, relation := range sources[0].Relations {
		readable[relation.Name] = relation
	}
	files := openVersion(t, publishedVersion(t, town))
	tables, err := files[0].Tables(ctx, warehouse.Layers...)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if _, isReadable := readable[table]; !isReadable {
			t.Errorf("%s lies in warehouse.duckdb, and no statistician may ask it", table)
		}
		for _, column := range []string{"file", "example_file", "example_row"} {
			if slices.Contains(tables[table], column) {
				t.Errorf("%s has the column %s", table, column)
			}
		}
		if schema, _, _ := strings.Cut(table, "."); !slices.Contains([]string{"indicator", "score", "ranking", "bulletin"}, schema) {
			continue
		}
		count := func(condition string) string {
			var rows warehouse.Rows
			if _, err := warehouse.Ask(ctx, warehouse.Question{SQL: "select count(*) from " + table + " where " + condition, Sources: sources, Limits: warehouse.FileLimits}, &rows, nil); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
			return rows.Cells[0][0].String
		}
		if slices.Contains(tables[table], "level") {
			if deep := count("level > 3"); deep != "0" {
				t.Errorf("%s: %s rows of building grids", table, deep)
			}
		} else if slices.Contains(tables[table], "grid_id") {
			if deep := count("grid_id in (select grid_id from core.month_unit where level = 4)"); deep != "0" {
				t.Errorf("%s: %s rows of building grids", table, deep)
			}
		}
		if slices.Contains(tables[table], "own_denominator") {
			small := "own_denominator between 1 and 2 and lower(indicator) in (select indicator from seed.rubric where line = 'welfare')"
			if cells := count(small); cells != "0" {
				t.Errorf("%s: %s small cells of welfare", table, cells)
			}
		}
	}
	all, err := readers.Published(ctx, register.Taskforce, tongbao.NewMonth(2026, 10))
	if err != nil || len(all.Sources) != 2 || all.Version != "v1" {
		t.Fatalf("the taskforce reads %v, %v", all, err)
	}
	// What is cut for statisticians the taskforce has whole, and once.
	whole := map[string]string{}
	for _, source := range all.Sources {
		for _, relation := range source.Relations {
			if whole[relation.Name] != "" {
				t.Errorf("the taskforce reads %s twice", relation.Name)
			}
			whole[relation.Name] = filepath.Base(source.Path)
		}
	}
	for table, file := range map[string]string{"score.total": "records.duckdb", "bulletin.long": "records.duckdb", "core.load": "records.duckdb",
		"indicator.value": "records.duckdb", "bulletin.community": "warehouse.duckdb"} {
		if whole[table] != file {
			t.Errorf("the taskforce reads %s from %q, want %s", table, whole[table], file)
		}
	}
	if got := ask(t, files[1], "select count(*) > 0 from score.total where level = 4"); got[0][0] != "true" {
		t.Error("records.duckdb lacks the totals of building grids")
	}
	for _, by := range []register.Audience{register.Leaders, register.Unit, register.Public} {
		if none, err := readers.Published(ctx, by, 0); err != nil || len(none.Sources) != 0 {
			t.Errorf("%s reads %v, %v", by, none, err)
		}
	}
}

// TestQuery asks over the command line, in every form.
func TestQuery(t *testing.T) {
	t.Parallel()
	town := copyWorkspace(t, demoTown(t)) // its audit log is written
	query := "select name, total, place from bulletin.community where month = $month order by place limit 1"
	table := must(t, "query", query, "-w", town, "--param", "month=2026-10")
	if !strings.Contains(table, "社区") || !strings.Contains(table, "place") {
		t.Errorf("table: %q", table)
	}
	var row struct{ Name, Total, Place string }
	if err := json.Unmarshal([]byte(must(t, "query", query, "-w", town, "--param", "month=2026-10", "-o", "json")), &row); err != nil || row.Place != "1" || row.Total == "" {
		t.Errorf("json: %+v, %v", row, err)
	}
	if got := must(t, "query", query, "-w", town, "--param", "month=2026-10", "-o", "csv"); got != "name,total,place\n"+row.Name+","+row.Total+",1\n" {
		t.Errorf("csv: %q", got)
	}
	file := filepath.Join(t.TempDir(), "answer.parquet")
	if err := os.WriteFile(file, []byte(must(t, "query", query, "-w", town, "--param", "month=2026-10", "-o", "parquet")), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := warehouse.Open(context.Background(), "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := ask(t, db, "select name, total, place from '"+file+"'"); len(got) != 1 || got[0][0] != row.Name || got[0][1] != row.Total {
		t.Errorf("parquet: %v, want %+v", got, row)
	}
	if list := must(t, "query", "-w", town); !strings.Contains(list, "bulletin.community") || strings.Contains(list, "core.ticket") {
		t.Errorf("tables: %s", list)
	}
	if tickets := must(t, "query", "select count(*) > 100 as many from core.month_ticket", "--records", "-w", town, "-o", "csv"); tickets != "many\ntrue\n" {
		t.Errorf("records: %q", tickets)
	}
	workspace, err := pipeline.FindWorkspace(town)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := workspace.OpenRegister(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	audited := map[string]int{}
	err = reg.EachAudit(context.Background(), register.AuditFilter{}, func(e register.AuditEntry) error {
		if text, _ := e.Detail["sql"].(string); text == query && e.Object == "command" && strings.HasPrefix(e.Account, "system") || e.Act == register.ActQueryEnded {
			audited[e.Act]++
		}
		return nil
	})
	if err != nil || audited[register.ActQuery] < 4 || audited[register.ActQueryEnded] < 5 {
		t.Errorf("audited %v, %v", audited, err)
	}
	for _, bad := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"query", "from core.month_ticket"}, exitUsage, `no table "core.month_ticket"`},
		{[]string{"query", "drop table bulletin.community"}, exitUsage, "only SELECT is answered"},
		{[]string{"query", "select total_ from bulletin.community"}, exitFailed, "total_"},
		{[]string{"query", query}, exitUsage, "$month has no value"},
		{[]string{"query", query, "--param", "month"}, exitUsage, "want name=value"},
		{[]string{"query", "from range(200000)"}, exitFailed, "more than 100000 rows"},
		{[]string{"status", "-o", "parquet"}, exitUsage, "want table, json or csv"},
	} {
		code, stdout, stderr := command(t, append(bad.args, "-w", town)...)
		if code != bad.code || stdout != "" || !strings.Contains(stderr, bad.says) {
			t.Errorf("%q: exit %d, %q, %q; want %d, %q", bad.args, code, stdout, stderr, bad.code, bad.says)
		}
	}
}
