package etl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fromMariaDB = "  {kind: mysql, url_env: TONGBAO_TEST_MY, table: repair, cursor: updated_at}"

func TestMariaDB(t *testing.T) {
	address := startMariaDB(t)
	t.Setenv("TONGBAO_TEST_MY", address)
	t.Run("table", func(t *testing.T) { testMariaDBTable(t, address) })
	t.Run("types", func(t *testing.T) { testMariaDBTypes(t, address) })
	t.Run("refusals", func(t *testing.T) { testMariaDBRefusals(t, address) })
	t.Run("cut", func(t *testing.T) { testMariaDBCut(t, address) })
	t.Run("probe", func(t *testing.T) { testMariaDBProbe(t, address) })
}

// testMariaDBTable has what towns' tables have: unsigned 18-digit ids, GBK
// columns, zero dates, a TIMESTAMP that the server keeps in UTC.
func testMariaDBTable(t *testing.T, address string) {
	execMariaDB(t, address, "drop table if exists repair", "set time_zone = '+00:00'", `create table repair (id bigint unsigned primary key,
		所属网格 varchar(20) character set gbk, state varchar(10), reported timestamp(6) null, finished datetime, budget decimal(14,2), common bit(1), updated_at datetime, photo blob) engine=innodb`,
		`insert into repair values (18446744073709551615, '一号楼', 'open', '2024-10-01 00:00:00.5', '0000-00-00', 12.30, b'1', '2024-10-01 08:00:00', x'00'),
		(900719925474099312, '一号楼', 'done', '2024-10-01 16:00:00', '2024-10-03 09:30:00', null, b'0', '2024-10-03 10:00:00', null)`)
	w := newServed(t, repairsFrom(fromMariaDB))
	load := w.pull(t).Loads[0]
	if load.In != 2 || load.Loaded != 1 || load.Quarantined != 1 {
		t.Errorf("got %+v", load)
	}
	if got, want := ask(t, w.db, "select column_name, value, reason from core.quarantine"), "finished|0000-00-00 00:00:00|bad_date"; got != want {
		t.Errorf("got quarantine %s, want %s", got, want)
	}
	w.define(t, repairsFrom(strings.Replace(fromMariaDB, "table", "zero_dates: 'null', table", 1)))
	w.in.Choice = Choice{Sources: []string{"repairs_db"}, Full: true}
	w.pull(t)
	if got, want := ask(t, w.db, heldRepairs), `18446744073709551615|g1|2024-10-01 08:00:00.5||12.30|true|2024-10-01 08:00:00
900719925474099312|g1|2024-10-02 00:00:00|2024-10-03 09:30:00||false|2024-10-03 10:00:00`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	execMariaDB(t, address, "insert into repair values (7, '一号楼', 'open', '2024-10-01', null, null, null, '2024-10-03 09:55:00', null)",
		"insert into repair values (8, '一号楼', 'open', '2024-10-01', null, null, null, null, null)")
	w.in.Choice = Choice{}
	report := w.pull(t)
	if load := report.Loads[0]; load.In != 3 || load.Loaded != 2 || report.Fetches[0].From != "2024-10-03 09:50:00" {
		t.Errorf("got %+v %+v, want the late row, the one without a cursor and the last one again", load, report.Fetches[0])
	}
}

func testMariaDBTypes(t *testing.T, address string) {
	execMariaDB(t, address, "drop table if exists every_type", `create table every_type (id bigint unsigned, 所属网格 varchar(20), reported datetime(3), n decimal(30,10), d double, y year,
		tm time, e enum('好','bad'), s set('a','b'), j json, t text character set gbk, b bit(20), tiny tinyint unsigned) character set utf8mb4`,
		`insert into every_type values (18446744073709551615, '一号楼', '2024-10-01 08:00:00.123', 12345678901234567890.1234567890, 0.1, 2024, '10:00:01', '好', 'a,b', '{"a": 1.10}', '镕喆囍', b'11111111111111111111', 255)`)
	w := newServed(t, repairsFrom("  {kind: mysql, url_env: TONGBAO_TEST_MY, query: 'select * from every_type'}"))
	report := w.pull(t)
	raw, err := os.ReadFile(filepath.Join(w.in.Raw, "repairs_db", report.Loads[0].SHA256[:12]+"_"+report.Loads[0].File))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"18446744073709551615","所属网格":"一号楼","reported":"2024-10-01 08:00:00.123","n":"12345678901234567890.1234567890","d":"0.1","y":"2024","tm":"10:00:01","e":"好","s":"a,b","j":"{\"a\": 1.10}","t":"镕喆囍","b":"1048575","tiny":"255"}` + "\n"
	if string(raw) != want {
		t.Errorf("landed\n%s\nwant\n%s", raw, want)
	}
}

func testMariaDBRefusals(t *testing.T, address string) {
	for _, c := range []struct {
		name, connect string
		want          []string
	}{
		{"no such table", "{kind: mysql, url_env: TONGBAO_TEST_MY, table: nowhere}", []string{"nowhere", "connect.table", "repairs_db (mysql at 127.0.0.1:"}},
		{"bytes", `{kind: mysql, url_env: TONGBAO_TEST_MY, query: "select 1 as id, x'00' as odd"}`, []string{"column odd", "BINARY"}},
		{"float", `{kind: mysql, url_env: TONGBAO_TEST_MY, query: "select 1 as id, cast(1 as float) as odd"}`, []string{"column odd", "FLOAT"}},
		{"a write", `{kind: mysql, url_env: TONGBAO_TEST_MY, query: "select 1 as id into outfile '/tmp/tongbao-never'"}`, []string{"denied"}},
		{"a slow one", `{kind: mysql, url_env: TONGBAO_TEST_MY, timeout: 1s, query: "select sleep(20) as id"}`, []string{"timeout"}},
		{"one name twice", `{kind: mysql, url_env: TONGBAO_TEST_MY, query: "select 1 as id, 2 as id"}`, []string{"two columns have the name id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newServed(t, repairsFrom("  "+c.connect))
			_, err := w.tryPull()
			wantError(t, err, c.want...)
		})
	}
	t.Setenv("TONGBAO_TEST_MY", strings.Replace(address, "geheim", "s3cret", 1))
	w := newServed(t, repairsFrom(fromMariaDB))
	_, err := w.tryPull()
	wantError(t, err, "Access denied", "check address, account and password")
}

func testMariaDBCut(t *testing.T, address string) {
	execMariaDB(t, address, "drop table if exists repair", "create table repair (id bigint primary key, 所属网格 varchar(20), reported datetime, updated_at datetime)",
		"insert into repair select seq, '一号楼', '2024-10-01', '2024-10-02' from seq_1_to_20000")
	proxy := startCutter(t, strings.Split(strings.Split(address, "@")[1], "/")[0])
	t.Setenv("TONGBAO_TEST_MY", proxy.through(t, address))
	w := newServed(t, repairsFrom(fromMariaDB))
	for _, budget := range []int64{1, 40, 200, 1500, 30_000, 300_000} {
		proxy.budget.Store(budget)
		report, err := w.tryPull()
		wantError(t, err, "repairs_db (mysql at "+proxy.address)
		if files, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*")); len(files) > 0 || len(report.Loads) > 0 {
			t.Errorf("after a cut at %d bytes: %q, %+v", budget, files, report)
		}
	}
	proxy.budget.Store(0)
	if load := w.pull(t).Loads[0]; load.Loaded != 20000 {
		t.Errorf("got %+v", load)
	}
}
