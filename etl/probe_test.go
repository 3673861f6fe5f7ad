package etl

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// probe tries a definition against its server and holds that nothing is kept:
// no row, no load, no file, no watermark.
func probe(t *testing.T, w *served) (Probed, string, error) {
	t.Helper()
	in, db := w.in, w.fresh(t)
	in.Raw = t.TempDir()
	probed, err := Probe(t.Context(), db, in, in.Definitions[0].Source, "")
	if held := ask(t, w.db, "select (select count(*) from core.repair) + (select count(*) from core.load) + (select count(*) from core.quarantine)"); held != "0" {
		t.Errorf("a trial changed the town's own tables: %s rows", held)
	}
	if files, _ := filepath.Glob(filepath.Join(w.in.Raw, "*")); len(files) > 0 {
		t.Errorf("a trial left %q in raw/", files)
	}
	return probed, ask(t, db, "select coalesce(string_agg(rows || ' ' || reason, ', ' order by reason), '') from (select reason, count(*) as rows from core.quarantine group by reason)"), err
}

// wantTrial holds a trial of 1,500 rows, of which every tenth names no grid.
func wantTrial(t *testing.T, probed Probed, reasons string, err error) {
	t.Helper()
	if load := probed.Load; err != nil || probed.Fetch.Rows != ProbeRows || load.In != ProbeRows || load.Loaded != 900 || load.Quarantined != 100 || reasons != "100 unknown_grid" {
		t.Errorf("got %+v, %q, %v; want %d rows in = 900 loaded + 100 with an unknown grid", probed, reasons, err, ProbeRows)
	}
}

func testPostgresProbe(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists repair", repairTable, `insert into repair (id, "所属网格", reported, updated_at)
		select i, case when i % 10 = 0 then '无此楼' else '一号楼' end, '2024-10-01 08:00+08', timestamptz '2024-10-02 00:00+08' + i * interval '1 second' from generate_series(1, 1500) as i`)
	definition := repairsFrom(fromRepairTable)
	w := newServed(t, definition)
	probed, reasons, err := probe(t, w)
	wantTrial(t, probed, reasons, err)
	if got := strings.Join(probed.Passed, " "); got != "photo secret" {
		t.Errorf("passed by %s, want the columns that the definition does not name", got)
	}
	// A window of it, a query, and a column that is not there.
	w.in.Choice = Choice{Sources: []string{"repairs_db"}, From: time.Date(2024, 10, 2, 0, 24, 50, 0, time.UTC)}
	if probed, reasons, err = probe(t, w); err != nil || probed.Load.In != 11 || reasons != "2 unknown_grid" || probed.Fetch.Kind != kindBackfill {
		t.Errorf("a window: got %+v, %q, %v; want its 11 rows", probed, reasons, err)
	}
	w.in.Choice = Choice{}
	w.define(t, repairsFrom(`  {kind: postgres, url_env: TONGBAO_TEST_PG, cursor: updated_at,
    query: 'select id, "所属网格", reported, updated_at, secret from repair where updated_at >= $cursor order by id -- the newest last'}`))
	probed, reasons, err = probe(t, w)
	wantTrial(t, probed, reasons, err)
	if !slices.Equal(probed.Load.NewColumns, []string{"secret"}) || !slices.Contains(probed.Load.MissingColumns, "budget") {
		t.Errorf("got new columns %q and missing ones %q", probed.Load.NewColumns, probed.Load.MissingColumns)
	}
	w.define(t, strings.Replace(definition, "to: repair_id", "to: repair_id, pattern: 'R.*'", 1))
	probed, reasons, err = probe(t, w)
	wantError(t, err, "1000 of 1000 rows are bad", "max_bad_share")
	if probed.Load.In != ProbeRows || reasons != "1000 bad_pattern" {
		t.Errorf("got %+v, %q beside the refusal", probed.Load, reasons)
	}
	w.define(t, strings.Replace(definition, "from: id,", "from: number,", 1))
	_, _, err = probe(t, w)
	wantError(t, err, "lacks number", "photo")
	// No rows at all is an answer, too; a full set without rows would be refused.
	execPostgres(t, address, "delete from repair")
	w.define(t, definition)
	if probed, _, err = probe(t, w); err != nil || probed.Fetch.Rows != 0 || probed.Fetch.Server == "" {
		t.Errorf("an empty table: got %+v, %v", probed, err)
	}
	w.define(t, definition+"snapshot: true\n")
	w.in.Choice = Choice{}
	_, _, err = probe(t, w)
	wantError(t, err, "full set", "is empty")
}

func testMariaDBProbe(t *testing.T, address string) {
	execMariaDB(t, address, "drop table if exists repair", "create table repair (id bigint unsigned primary key, 所属网格 varchar(20), reported datetime, updated_at datetime, photo blob)",
		"insert into repair select seq, if(seq % 10 = 0, '无此楼', '一号楼'), '2024-10-01', '2024-10-02', null from seq_1_to_1500")
	w := newServed(t, repairsFrom(fromMariaDB))
	probed, reasons, err := probe(t, w)
	wantTrial(t, probed, reasons, err)
	if got := strings.Join(probed.Passed, " "); got != "photo" {
		t.Errorf("passed by %s, want photo", got)
	}
	w.define(t, repairsFrom("  {kind: mysql, url_env: TONGBAO_TEST_MY, query: 'select id, 所属网格, reported from repair order by id'}"))
	probed, reasons, err = probe(t, w)
	wantTrial(t, probed, reasons, err)
	t.Setenv("TONGBAO_TEST_MY", strings.Replace(address, "geheim", "s3cret", 1))
	_, _, err = probe(t, w)
	wantError(t, err, "Access denied", "check address, account and password")
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the password stands in %v", err)
	}
}

func TestProbeHTTP(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	p := startPlatform(t, 1500)
	for i := range p.rows {
		if i%10 == 9 {
			p.rows[i]["所属网格"] = "无此楼"
		}
	}
	p.size = 100
	for _, page := range []string{byNumber, byCursor, byLink} {
		w := newServed(t, listFrom(p, page))
		p.asked = nil
		probed, reasons, err := probe(t, w)
		wantTrial(t, probed, reasons, err)
		if len(p.asked) != 10 {
			t.Errorf("%s: asked for %d pages, want 10", page, len(p.asked))
		}
		if !slices.Contains(probed.Load.NewColumns, "where.lat") {
			t.Errorf("got new columns %q", probed.Load.NewColumns)
		}
	}
	w := newServed(t, strings.ReplaceAll(listFrom(p, byLink), "cursor: updated_at", "cursor: changed_at"))
	_, _, err := probe(t, w)
	wantError(t, err, "no item has the field changed_at")
}

func TestProbeOpen311(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	start := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	var at []time.Time
	for i := range 1500 {
		at = append(at, start.Add(time.Duration(i)*time.Hour))
	}
	for _, form := range []string{"json", "xml"} {
		g := startGeoreport(t, 400, at...)
		w := newServed(t, requestsFrom(g.URL, form, ", cap: 400"))
		w.in.Now = func() time.Time { return start.Add(2000 * 24 * time.Hour) }
		probed, reasons, err := probe(t, w)
		if err != nil || probed.Load.In != ProbeRows || probed.Load.Loaded != ProbeRows || reasons != "" || g.wrong != "" {
			t.Errorf("%s: got %+v, %q, %v", form, probed, reasons, err)
		}
		if g.asked > 12 {
			t.Errorf("%s: asked %d times for %d requests", form, g.asked, ProbeRows)
		}
	}
}

// TestProbeKinds holds what a trial takes of files and of servers.
func TestProbeKinds(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	p := startPlatform(t, 3)
	w := newServed(t, listFrom(p, byLink))
	file := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(file, []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Probe(t.Context(), w.db, w.in, "repairs_db", file); err == nil || !strings.Contains(err.Error(), "not read from a file") {
		t.Errorf("a file for a server: got %v", err)
	}
	w = newServed(t, fmt.Sprintf(ledger, "", "", "", "", ""))
	w.in.Choice = Choice{Sources: []string{"ledger"}, From: time.Now()}
	if _, err := Probe(t.Context(), w.db, w.in, "ledger", file); err == nil || !strings.Contains(err.Error(), "are for servers") {
		t.Errorf("a window of files: got %v", err)
	}
}
