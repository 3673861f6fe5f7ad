package etl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const repairTable = `create table repair (id bigint primary key, "所属网格" varchar(20), state text, reported timestamptz, finished timestamp,
	budget numeric(14,2), common boolean, updated_at timestamptz, photo bytea, secret text)`

const heldRepairs = "select source_key, grid_id, reported_at, finished_at, budget, is_common, updated_at from core.repair order by source_key"

func TestPostgres(t *testing.T) {
	address := startPostgres(t)
	t.Setenv("TONGBAO_TEST_PG", address)
	t.Run("table", func(t *testing.T) { testPostgresTable(t, address) })
	t.Run("types", func(t *testing.T) { testPostgresTypes(t, address) })
	t.Run("query", func(t *testing.T) { testPostgresQuery(t, address) })
	t.Run("refusals", func(t *testing.T) { testPostgresRefusals(t, address) })
	t.Run("snapshot", func(t *testing.T) { testSnapshot(t, address) })
	t.Run("cut", func(t *testing.T) { testPostgresCut(t, address) })
	t.Run("backfill first", func(t *testing.T) { testBackfillFirst(t, address) })
	t.Run("pending", func(t *testing.T) { testPending(t, address) })
	t.Run("probe", func(t *testing.T) { testPostgresProbe(t, address) })
}

const fromRepairTable = "  {kind: postgres, url_env: TONGBAO_TEST_PG, table: public.repair, cursor: updated_at}"

// testPostgresTable walks the life of a table: first fetch, nothing new, late
// and corrected rows, rows without a cursor, the future, backfill, rebuild.
func testPostgresTable(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists repair", repairTable, `insert into repair values
		(900719925474099312, '一号楼', 'open', '2024-10-01 08:00:00+08', null, 12.30, true, '2024-10-01 08:00:00+08', '\x00', 'x'),
		(2, '一号楼', 'done', '2024-10-02 00:00:00+00', '2024-10-03 09:30:00', 1234567890.10, false, '2024-10-03 02:00:00+00', null, 'x')`)
	w := newServed(t, repairsFrom(fromRepairTable))
	report := w.pull(t)
	if got, want := ask(t, w.db, heldRepairs), `2|g1|2024-10-02 08:00:00|2024-10-03 09:30:00|1234567890.10|false|2024-10-03 10:00:00
900719925474099312|g1|2024-10-01 08:00:00||12.30|true|2024-10-01 08:00:00`; got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := ask(t, w.db, "select watermark, fetch_kind, rows_in from core.load"), "2024-10-03 10:00:00|full|2"; got != want {
		t.Errorf("got load %s, want %s", got, want)
	}
	raw, err := os.ReadFile(filepath.Join(w.in.Raw, "repairs_db", report.Loads[0].SHA256[:12]+"_"+report.Loads[0].File))
	if err != nil {
		t.Fatal(err)
	}
	// What the definition does not name stays where it is.
	if want := `{"id":"900719925474099312","所属网格":"一号楼","state":"open","reported":"2024-10-01 08:00:00+08","finished":null,"budget":"12.30","common":"true","updated_at":"2024-10-01 08:00:00+08"}`; !strings.HasPrefix(string(raw), want+"\n") {
		t.Errorf("landed %s, want %s", raw, want)
	}

	// The overlap brings the last row again, and then the very same rows are no delivery.
	w.pull(t)
	if report = w.pull(t); len(report.Loads) != 0 || len(report.Fetches) != 1 || !report.Fetches[0].IsUnchanged {
		t.Errorf("an idle pull: got %+v", report)
	}
	execPostgres(t, address,
		`insert into repair values (3, '一号楼', 'open', '2024-10-03', null, null, null, '2024-10-03 09:55:00+08')`, // late, within the overlap
		`insert into repair values (4, '一号楼', 'open', '2024-10-03', null, null, null, null)`,                     // no cursor
		`insert into repair values (5, '一号楼', 'open', '2024-10-03', null, null, null, '2999-01-01')`,             // a clock of its own
		`insert into repair values (6, '无此楼', 'open', '2024-10-03', null, null, null, '2024-10-04')`,
		`update repair set budget = 99, updated_at = '2024-10-04 12:00+08' where id = 2`)
	report = w.pull(t)
	if load := report.Loads[0]; load.In != 5 || load.Loaded != 3 || load.Quarantined != 2 {
		t.Errorf("got %+v, want 5 in = 3 loaded + 2 quarantined", load)
	}
	if got := ask(t, w.db, "select string_agg(source_key, ' ' order by source_key), max(budget) filter (where source_key = '2') from core.repair"); got != "2 3 4 900719925474099312|99.00" {
		t.Errorf("got %s", got)
	}
	// The row of 2999 must not hide what comes after it. The watermark is at
	// most the server's now, which this test's tickets lie before.
	watermark, err := Watermark(t.Context(), w.db, "repairs_db")
	if err != nil || watermark > time.Now().AddDate(0, 0, 1).Format(civilForm) {
		t.Errorf("got watermark %s, %v", watermark, err)
	}
	w.in.Choice = Choice{Sources: []string{"repairs_db"}, From: time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2024, 10, 2, 0, 0, 0, 0, time.UTC)}
	execPostgres(t, address, "update repair set budget = 77 where id = 900719925474099312", "delete from repair where id = 5")
	report = w.pull(t)
	if load := report.Loads[0]; load.In != 1 || load.Loaded != 1 {
		t.Errorf("backfill: got %+v", load)
	}
	if after, _ := Watermark(t.Context(), w.db, "repairs_db"); after != watermark {
		t.Errorf("a backfill moved the watermark from %s to %s", watermark, after)
	}
	w.in.Choice = Choice{Sources: []string{"repairs_db"}, Full: true}
	if report = w.pull(t); report.Fetches[0].Kind != kindFull || report.Loads[0].In != 5 {
		t.Errorf("full refresh: got %+v", report)
	}
	w.in.Choice = Choice{}
	again := w.rebuild(t)
	for _, query := range []string{heldRepairs, "select load_id, watermark, fetch_kind from core.load order by all"} {
		if got, want := ask(t, again, query), ask(t, w.db, query); got != want {
			t.Errorf("rebuilt:\n%s\nwant\n%s", got, want)
		}
	}
}

// testPostgresTypes lands one row of every type that has an exact text.
func testPostgresTypes(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists every", "drop type if exists mood", "create type mood as enum ('好', 'bad')", `create table every as select
		1::bigint as id, '一号楼'::text as "所属网格", timestamptz '2024-10-01 00:00:00.123456Z' as reported,
		123456789012345678.123456789::numeric as n, 'NaN'::numeric as nan, 0.1::float8 as f8, 1e22::float8 as big, 0.1::float4 as f4, true as b,
		'{"a": 1.10}'::json as j, '好'::mood as e, 'ab'::char(5) as c, date '2026-02-28' as d, time '10:00:01' as tm, interval '1 day 2 hours' as i,
		'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as u, '10.0.0.1'::inet as ip, E'a"b\\c\nd\te<&>'::text as q, 'infinity'::timestamp as inf, B'101' as bits`)
	w := newServed(t, repairsFrom(`  {kind: postgres, url_env: TONGBAO_TEST_PG, query: 'select * from every'}`))
	report := w.pull(t)
	raw, err := os.ReadFile(filepath.Join(w.in.Raw, "repairs_db", report.Loads[0].SHA256[:12]+"_"+report.Loads[0].File))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"1","所属网格":"一号楼","reported":"2024-10-01 08:00:00.123456+08","n":"123456789012345678.123456789","nan":"NaN","f8":"0.1","big":"1e+22","f4":"0.1","b":"true",` +
		`"j":"{\"a\": 1.10}","e":"好","c":"ab   ","d":"2026-02-28","tm":"10:00:01","i":"P1DT2H","u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","ip":"10.0.0.1","q":"a\"b\\c\nd\te<&>","inf":"infinity","bits":"101"}` + "\n"
	if string(raw) != want {
		t.Errorf("landed\n%s\nwant\n%s", raw, want)
	}
	for kind, value := range map[string]string{"bytea": `'\\x01'::bytea`, "integer[]": "array[1]", "point": "point(1,2)", "money": "'1'::money", "record": "row(1,2)", "int4range": "int4range(1,2)"} {
		w.define(t, repairsFrom(`  {kind: postgres, url_env: TONGBAO_TEST_PG, query: "select 1 as id, `+value+` as odd"}`))
		_, err := w.tryPull()
		wantError(t, err, "column odd", kind, "connect.query")
	}
}

// testPostgresQuery reads by an integer cursor with $cursor and an overlap.
func testPostgresQuery(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists entry", `create table entry (no bigint, id text, "所属网格" text, reported date)`,
		`insert into entry select i, 'r' || i, '一号楼', date '2024-10-01' from generate_series(1, 10) as i`)
	w := newServed(t, repairsFrom(`  {kind: postgres, url_env: TONGBAO_TEST_PG, query: 'select no, id, "所属网格", reported from entry where no > $cursor', cursor: no, cursor_type: integer, overlap: 2}`))
	if load := w.pull(t).Loads[0]; load.Loaded != 10 {
		t.Fatalf("got %+v", load)
	}
	execPostgres(t, address, `insert into entry values (11, 'r11', '一号楼', '2024-10-02')`)
	report := w.pull(t)
	if load := report.Loads[0]; load.In != 3 || load.Loaded != 1 || load.Duplicate != 2 || report.Fetches[0].From != "8" {
		t.Errorf("got %+v %+v, want three rows from 8 on, two of them known", load, report.Fetches[0])
	}
	if watermark, _ := Watermark(t.Context(), w.db, "repairs_db"); watermark != "11" {
		t.Errorf("got watermark %s, want 11", watermark)
	}
}

// testBackfillFirst holds that a backfill before anything else does not make
// later pulls believe that they know what lies before it.
func testBackfillFirst(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists repair", repairTable,
		"insert into repair select i, '一号楼', 'open', '2024-10-01', null, i, null, timestamptz '2024-10-01 00:00+08' + i * interval '1 day' from generate_series(1, 10) as i")
	w := newServed(t, repairsFrom(fromRepairTable))
	w.in.Choice = Choice{Sources: []string{"repairs_db"}, From: time.Date(2024, 10, 9, 0, 0, 0, 0, time.UTC)}
	if load := w.pull(t).Loads[0]; load.Loaded != 3 {
		t.Errorf("got %+v, want 3 rows", load)
	}
	w.in.Choice = Choice{}
	w.pull(t)
	if got := countRepairs(t, w); got != "10 10" {
		t.Errorf("got %s rows, want 10", got)
	}
}

func testPostgresRefusals(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists repair", repairTable, "drop table if exists twin", `create table twin ("ID" int, id int, "所属网格" text, reported date)`)
	for _, c := range []struct {
		name, connect string
		want          []string
	}{
		{"no such table", "{kind: postgres, url_env: TONGBAO_TEST_PG, table: nowhere}", []string{"nowhere", "connect.table", "repairs_db (postgres at 127.0.0.1:"}},
		{"no such cursor", "{kind: postgres, url_env: TONGBAO_TEST_PG, table: repair, cursor: update_at}", []string{"no column update_at", "nearest: updated_at"}},
		{"cursor not selected", `{kind: postgres, url_env: TONGBAO_TEST_PG, query: 'select id from repair where updated_at > $cursor', cursor: updated_at}`, []string{"no column updated_at"}},
		{"a write", `{kind: postgres, url_env: TONGBAO_TEST_PG, query: 'with gone as (delete from repair returning id) select * from gone'}`, []string{"read-only"}},
		{"a slow one", `{kind: postgres, url_env: TONGBAO_TEST_PG, timeout: 1s, query: 'select pg_sleep(20)::text as id'}`, []string{"connect.timeout"}},
		{"one name twice", `{kind: postgres, url_env: TONGBAO_TEST_PG, query: 'select 1 as id, 2 as id'}`, []string{"two columns have the name id"}},
		{"names that differ by case", "{kind: postgres, url_env: TONGBAO_TEST_PG, query: 'select * from twin'}", []string{"differ only by case"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newServed(t, repairsFrom("  "+c.connect))
			_, err := w.tryPull()
			wantError(t, err, c.want...)
			if files, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*")); len(files) > 0 {
				t.Errorf("a refused fetch left %q", files)
			}
		})
	}
}

// testSnapshot holds the rules of a full set.
func testSnapshot(t *testing.T, address string) {
	fill := "insert into repair select i, '一号楼', 'open', timestamptz '2024-09-01 08:00+08' + i * interval '1 day', null, null, null, null from generate_series(1, 20) as i"
	execPostgres(t, address, "drop table if exists repair", repairTable, fill)
	w := newServed(t, repairsFrom("  {kind: postgres, url_env: TONGBAO_TEST_PG, table: repair}", "snapshot: true"))
	w.pull(t)
	execPostgres(t, address, "delete from repair where id in (3, 5)", "update repair set budget = 1 where id = 7", "update repair set reported = null where id = 8")
	load := w.pull(t).Loads[0]
	if load.In != 18 || load.Loaded != 1 || load.Quarantined != 1 || load.Deleted != 2 || load.Earliest.String() != "2024-09" {
		t.Errorf("got %+v, want 18 in, 1 loaded, 1 quarantined, 2 deleted from 2024-09 on", load)
	}
	// The row in quarantine is not gone.
	if got := ask(t, w.db, "select count(*), count(*) filter (where source_key = '8') from core.repair"); got != "18|1" {
		t.Errorf("got %s, want 18|1", got)
	}
	execPostgres(t, address, "delete from repair where id > 12")
	_, err := w.tryPull()
	wantError(t, err, "full set", "8 of the 18", "20 percent", "shrink")
	if got := ask(t, w.db, "select count(*) from core.repair"); got != "18" {
		t.Errorf("a refused set changed core: %s rows", got)
	}
	execPostgres(t, address, "delete from repair")
	_, err = w.tryPull()
	wantError(t, err, "is empty")
	// What is refused comes back by itself once the source is whole again.
	execPostgres(t, address, fill)
	w.pull(t)
	w.pull(t)
	if got := ask(t, w.db, "select count(*), max(budget) from core.repair"); got != "20|" {
		t.Errorf("got %s, want the 20 rows of the source", got)
	}
	if got, want := ask(t, w.rebuild(t), heldRepairs), ask(t, w.db, heldRepairs); got != want {
		t.Errorf("rebuilt:\n%s\nwant\n%s", got, want)
	}
}

// testPostgresCut cuts the line in the middle of the rows at many places:
// nothing may be landed or loaded, and the next pull repairs it.
func testPostgresCut(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists repair", repairTable,
		"insert into repair select i, '一号楼', 'open', '2024-10-01 08:00+08', null, i, null, '2024-10-02' from generate_series(1, 20000) as i")
	parsed := strings.Split(strings.Split(address, "@")[1], "/")[0]
	proxy := startCutter(t, parsed)
	t.Setenv("TONGBAO_TEST_PG", proxy.through(t, address))
	w := newServed(t, repairsFrom(fromRepairTable))
	for _, budget := range []int64{1, 40, 400, 1500, 30_000, 300_000, 1_000_000} {
		proxy.budget.Store(budget)
		report, err := w.tryPull()
		wantError(t, err, "repairs_db (postgres at "+proxy.address)
		if got := ask(t, w.db, "select (select count(*) from core.repair), (select count(*) from core.load)"); got != "0|0" || len(report.Loads) > 0 {
			t.Fatalf("after a cut at %d bytes: %s, %+v", budget, got, report)
		}
		if files, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*")); len(files) > 0 {
			t.Errorf("a cut fetch left %q", files)
		}
	}
	if proxy.cuts.Load() < 7 {
		t.Fatalf("only %d connections were cut", proxy.cuts.Load())
	}
	// A dead line ends by the time-out.
	proxy.budget.Store(-1)
	w.define(t, repairsFrom("  {kind: postgres, url_env: TONGBAO_TEST_PG, table: public.repair, cursor: updated_at, timeout: 1s}"))
	_, err := w.tryPull()
	wantError(t, err, "timeout")
	proxy.budget.Store(0)
	w.define(t, repairsFrom(fromRepairTable))
	if load := w.pull(t).Loads[0]; load.Loaded != 20000 {
		t.Errorf("got %+v", load)
	}
}

// testPending holds that a delivery that landed and was not loaded is taken
// first by the next pull, and that one that lacks its sidecar is read again.
func testPending(t *testing.T, address string) {
	execPostgres(t, address, "drop table if exists repair", repairTable,
		"insert into repair select i, '一号楼', 'open', '2024-10-01 08:00+08', null, i, null, '2024-10-02' from generate_series(1, 10) as i")
	w := newServed(t, repairsFrom(fromRepairTable))
	good := w.in.Core["repair"]
	w.in.Core["repair"] = "select error('the power is gone')"
	if _, err := w.tryPull(); err == nil {
		t.Fatal("the broken load passed")
	}
	w.in.Core["repair"] = good
	sidecars, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*"+sidecarSuffix))
	if len(sidecars) != 1 {
		t.Fatalf("got sidecars %q, want one", sidecars)
	}
	if watermark, _ := Watermark(t.Context(), w.db, "repairs_db"); watermark != "" {
		t.Errorf("the watermark moved without its load to %s", watermark)
	}
	execPostgres(t, address, "delete from repair where id = 1")
	report := w.pull(t)
	if len(report.Loads) != 2 || report.Loads[0].Loaded != 10 || report.Loads[1].Loaded != 0 {
		t.Errorf("got %+v, want the landed delivery, then the new one", report.Loads)
	}
	w.in.Core["repair"] = "select error('the power is gone')"
	execPostgres(t, address, fmt.Sprintf("update repair set budget = 1000, updated_at = '%s' where id = 2", "2024-10-03"))
	if _, err := w.tryPull(); err == nil {
		t.Fatal("the broken load passed")
	}
	w.in.Core["repair"] = good
	sidecars, _ = filepath.Glob(filepath.Join(w.in.Raw, "*", "*"+sidecarSuffix))
	if err := os.Remove(sidecars[len(sidecars)-1]); err != nil {
		t.Fatal(err)
	}
	w.pull(t)
	if got := ask(t, w.db, "select budget from core.repair where source_key = '2'"); got != "1000.00" {
		t.Errorf("got %s, want the corrected row", got)
	}
}
