package etl

import (
	"fmt"
	"strings"
	"testing"
)

// TestDiscoverTable proposes definitions for tables of real servers; what is
// proposed must be a definition, must show no value, and must fetch the rows.
func TestDiscoverTable(t *testing.T) {
	values := func(row int) string {
		return fmt.Sprintf("(%d, '一号楼', '王小明', '13812345678', '屋顶漏水已经联系施工队伍周三上门', '2024-10-01 08:00:00', null, '2024-10-02 08:00:00')", row)
	}
	var rows []string
	for i := range sampleRows + 50 {
		rows = append(rows, values(i))
	}
	t.Run("postgres", func(t *testing.T) {
		address := startPostgres(t)
		execPostgres(t, address, "create schema town", `create table town."Works" (no bigint, "所属网格" text, "报修人" text, "联系电话" text, note text,
			"报修时间" timestamptz, "完工时间" timestamp, updated_at timestamptz, photo bytea, points int[])`,
			`insert into town."Works" values `+strings.Join(rows, ","))
		testDiscoverTable(t, "postgres", address, "town.Works", "# Not read, its type has no exact text: photo(bytea)", "points(integer[])")
	})
	t.Run("mariadb", func(t *testing.T) {
		address := startMariaDB(t)
		execMariaDB(t, address, `create table works (no bigint, 所属网格 varchar(20), 报修人 varchar(20), 联系电话 varchar(20), note text,
			报修时间 datetime, 完工时间 datetime, updated_at timestamp null, photo blob)`,
			"insert into works (no, 所属网格, 报修人, 联系电话, note, 报修时间, 完工时间, updated_at) values "+strings.ReplaceAll(strings.Join(rows, ","), "null", "'0000-00-00'"))
		testDiscoverTable(t, "mysql", address, "town.works", "zero_dates: 'null'", "# Not read, its type has no exact text: photo(BLOB)")
	})
}

func testDiscoverTable(t *testing.T, kind, address, table string, more ...string) {
	const variable = "TONGBAO_TEST_DISCOVER"
	t.Setenv(variable, address)
	sample, err := SampleTable(t.Context(), kind, variable, table)
	if err != nil {
		t.Fatal(err)
	}
	if len(sample.Rows) != 1+sampleRows {
		t.Errorf("got %d rows with the names, want %d", len(sample.Rows), 1+sampleRows)
	}
	sample.Target = "repair"
	text, err := Discover(sample, "works", embeddedDefinitions(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range append(more, "name: "+table[len("town."):], "target: repair", "kind: "+kind, "url_env: "+variable, "table: '"+table+"'", "cursor: updated_at #",
		"key: [repair_id] # guessed: check that no", "{from: 'no', to: repair_id, required: true} # number, 100 % filled", "{from: 报修时间, to: reported_at", "# moment, 100 % filled",
		"{from: 完工时间, to: finished_at} # empty", "{from: updated_at, to: updated_at} # moment", "{from: 报修人} #", "{from: 联系电话} #", "{from: note} # long text, 100 % filled; not mapped. If you give it a to, add mask: scan") {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	for _, value := range []string{"王小明", "13812345678", "屋顶", "geheim"} {
		if strings.Contains(text, value) {
			t.Errorf("the proposal shows %s", value)
		}
	}
	if _, err := ParseDefinition("works.yaml", []byte(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	w := newServed(t, text)
	if load := w.pull(t).Loads[0]; load.Loaded != sampleRows+50 {
		t.Errorf("the proposed definition loads %+v, want %d rows\n%s", load, sampleRows+50, text)
	}

	sample.Rows, sample.Connect.unread = sample.Rows[:1], nil
	if text, err = Discover(sample, "works", nil); err != nil || strings.Contains(text, "  cursor:") {
		t.Errorf("an empty table: got %v\n%s", err, text)
	} else if _, err := ParseDefinition("works.yaml", []byte(text)); err != nil {
		t.Errorf("an empty table: %v", err)
	}
	sample.Target = "tickets"
	_, err = Discover(sample, "works", nil)
	wantError(t, err, `"tickets"`, "ticket")
	_, err = SampleTable(t.Context(), kind, variable, "nowhere")
	wantError(t, err, "look at nowhere", "check connect.table")
	_, err = SampleTable(t.Context(), kind, address, table)
	wantError(t, err, "--url-env")
}
