package etl

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"tongbao"
	"tongbao/data"
	"tongbao/warehouse"
)

// carried are the demo town's sources that platforms have in a database; the
// others are forms that people fill in.
var carried = map[string]string{"tickets_12345": "ticket", "tickets_platform": "ticket", "repairs": "repair", "activities": "activity", "repair_fund": "fund_entry"}

// carriedRow is a row of a delivery as a platform holds it: all texts.
type carriedRow struct {
	delivery int
	cells    []string
}

// TestDeliveredByServers delivers the demo town through each kind of source;
// core must say the same as from files.
func TestDeliveredByServers(t *testing.T) {
	dir := t.TempDir()
	_, err := data.WriteDemo(t.Context(), data.Demo{Dir: dir, Months: 2, Until: tongbao.MonthOf(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)), Seed: 7, Grids: 16, Tickets: 700})
	if err != nil {
		t.Fatal(err)
	}
	files := newServed(t)
	loadDemoSeeds(t, files.db, dir)
	for source := range carried {
		files.define(t, sourceYAML(t, source))
	}
	files.in.Inbox = filepath.Join(dir, "data", "inbox")
	files.pull(t)
	var report Report
	items, err := files.in.scan(t.Context(), &report)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []struct {
		name  string
		start func(testing.TB) carrier
	}{{"postgres", startPostgresCarrier}, {"mysql", startMariaDBCarrier}, {"http", startWebCarrier}} {
		t.Run(kind.name, func(t *testing.T) {
			c := kind.start(t)
			w := newServed(t)
			loadDemoSeeds(t, w.db, dir)
			var loads int
			for n, item := range items {
				columns, rows := carry(t, files.in.definition(item.Source), item, n+1)
				if w.in.definition(item.Source) == nil {
					w.define(t, fetchedYAML(t, item.Source, c.connect(item.Source)))
				}
				c.add(t, item.Source, columns, rows)
				// The platform is asked on the day on which the file was written.
				day := item.DeliveredAt
				w.in.Now = func() time.Time {
					return time.Date(day.Year(), day.Month(), day.Day(), day.Hour(), 0, 0, 0, w.in.Definitions[0].Connect.zone)
				}
				w.in.Choice.Sources = []string{item.Source}
				loads += len(w.pull(t).Loads)
			}
			if loads != len(items) {
				t.Errorf("got %d loads of %d deliveries", loads, len(items))
			}
			compareCore(t, files.db, w.db)
		})
	}
}

func compareCore(t *testing.T, files, servers *warehouse.DB) {
	t.Helper()
	for _, fact := range []string{"ticket", "repair", "activity", "fund_entry"} {
		query := fmt.Sprintf("select * exclude (load_id, file, sheet, row_no, delivered_at, first_delivered_at) from core.%q order by source, source_key", fact)
		got, want := strings.Split(ask(t, servers, query), "\n"), strings.Split(ask(t, files, query), "\n")
		if len(want) < 5 {
			t.Errorf("%s: only %d rows", fact, len(want))
		}
		if slices.Equal(got, want) {
			t.Logf("%s: %d rows alike", fact, len(want))
			continue
		}
		t.Errorf("%s: %d rows from the server, %d from files", fact, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("%s: got\n%s\nwant\n%s", fact, got[i], want[i])
				break
			}
		}
	}
}

func loadDemoSeeds(t *testing.T, db *warehouse.DB, dir string) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(dir, "seeds"), data.Seeds); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "data", "seeds")
	entries, err := os.ReadDir(made)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(made, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "seeds", entry.Name()), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := loadSeeds(t, db, filepath.Join(dir, "seeds")); err != nil {
		t.Fatal(err)
	}
}

func sourceYAML(t *testing.T, source string) string {
	t.Helper()
	content, err := fs.ReadFile(data.Sources, source+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// fetchedYAML is the source's own definition with a server in place of files.
func fetchedYAML(t *testing.T, source, connect string) string {
	t.Helper()
	lines := strings.Split(sourceYAML(t, source), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool {
		key, _, _ := strings.Cut(line, ":")
		return slices.Contains([]string{"files", "format", "sheet", "encoding", "delimiter"}, key)
	})
	return "connect: " + connect + "\n" + strings.Join(lines, "\n")
}

// carry reads a delivery's rows as texts. A row with more or fewer fields than
// its header cannot be in a database.
func carry(t *testing.T, d *Definition, item delivery, number int) (columns []string, rows []carriedRow) {
	t.Helper()
	st, err := d.read(t.Context(), nil, item.path, t.TempDir(), item)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(st.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma, reader.FieldsPerRecord = rune(st.delimiter[0]), -1
	for line := 0; ; line++ {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return d.sources(), rows
		}
		if err != nil {
			t.Fatal(err)
		}
		// Row number, sheet and damage stand before the sources.
		if !st.isFile && record[2] == "" {
			rows = append(rows, carriedRow{number, slices.Clone(record[3:])})
		}
		if st.isFile && line > 0 {
			var cells []string
			for _, name := range d.sources() {
				cell := ""
				if at, found := st.header.index[name]; found {
					cell = record[at]
				}
				cells = append(cells, cell)
			}
			rows = append(rows, carriedRow{number, cells})
		}
	}
}

// carrier is a platform that holds the town's rows.
type carrier interface {
	connect(source string) string
	add(t testing.TB, source string, columns []string, rows []carriedRow)
}

type postgresCarrier struct{ address string }

func startPostgresCarrier(t testing.TB) carrier {
	address := startPostgres(t)
	os.Setenv("TONGBAO_TEST_PG", address)
	t.Cleanup(func() { os.Unsetenv("TONGBAO_TEST_PG") })
	return postgresCarrier{address}
}

func (postgresCarrier) connect(source string) string {
	return fmt.Sprintf(`{kind: postgres, url_env: TONGBAO_TEST_PG, query: 'select * from %s where delivery >= $cursor order by no', cursor: delivery, cursor_type: integer}`, source)
}

func (c postgresCarrier) add(t testing.TB, source string, columns []string, rows []carriedRow) {
	conn, err := pgx.Connect(context.Background(), c.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var made []string
	for _, name := range columns {
		made = append(made, quoteName(name)+" text")
	}
	execPostgres(t, c.address, fmt.Sprintf("create table if not exists %s (no bigserial, delivery bigint, %s)", source, strings.Join(made, ", ")))
	var values [][]any
	for _, row := range rows {
		value := []any{row.delivery}
		for _, cell := range row.cells {
			value = append(value, cell)
		}
		values = append(values, value)
	}
	if _, err := conn.CopyFrom(context.Background(), pgx.Identifier{source}, append([]string{"delivery"}, columns...), pgx.CopyFromRows(values)); err != nil {
		t.Fatal(err)
	}
}

type mariaDBCarrier struct{ address string }

func startMariaDBCarrier(t testing.TB) carrier {
	address := startMariaDB(t)
	os.Setenv("TONGBAO_TEST_MY", address)
	t.Cleanup(func() { os.Unsetenv("TONGBAO_TEST_MY") })
	return mariaDBCarrier{address}
}

func (mariaDBCarrier) connect(source string) string {
	return fmt.Sprintf(`{kind: mysql, url_env: TONGBAO_TEST_MY, query: 'select * from %s where delivery >= $cursor order by no', cursor: delivery, cursor_type: integer}`, source)
}

func (c mariaDBCarrier) add(t testing.TB, source string, columns []string, rows []carriedRow) {
	var made, names []string
	for _, name := range columns {
		made, names = append(made, backtick(name)+" text"), append(names, backtick(name))
	}
	execMariaDB(t, c.address, fmt.Sprintf("create table if not exists %s (no bigint auto_increment primary key, delivery bigint, %s)", source, strings.Join(made, ", ")))
	config, err := parseMySQL(c.address)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for part := range slices.Chunk(rows, 200) {
		var values []any
		for _, row := range part {
			values = append(values, row.delivery)
			for _, cell := range row.cells {
				values = append(values, cell)
			}
		}
		places := "(" + strings.Repeat("?, ", len(columns)) + "?)"
		if _, err := db.Exec(fmt.Sprintf("insert into %s (delivery, %s) values %s", source, strings.Join(names, ", "), strings.Join(slices.Repeat([]string{places}, len(part)), ", ")), values...); err != nil {
			t.Fatal(err)
		}
	}
}

type webCarrier struct {
	*httptest.Server
	lists map[string][]map[string]any
}

func startWebCarrier(t testing.TB) carrier {
	c := &webCarrier{lists: map[string][]map[string]any{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

const webCarrierPage = 150

func (c *webCarrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.Atoi(r.URL.Query().Get("since"))
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	var rows []map[string]any
	for _, row := range c.lists[strings.TrimPrefix(r.URL.Path, "/")] {
		if row["delivery"].(int) >= since {
			rows = append(rows, row)
		}
	}
	end := min(after+webCarrierPage, len(rows))
	next := any(end)
	if end == len(rows) {
		next = nil
	}
	json.NewEncoder(w).Encode(map[string]any{"rows": append([]map[string]any{}, rows[after:end]...), "next": next, "total": len(rows)})
}

func (c *webCarrier) connect(source string) string {
	return fmt.Sprintf(`{kind: http, url: '%s/%s', items: rows, since: since, cursor: delivery, cursor_type: integer, page: {by: cursor, param: after, next: next, total: total}}`, c.URL, source)
}

func (c *webCarrier) add(_ testing.TB, source string, columns []string, rows []carriedRow) {
	for _, row := range rows {
		object := map[string]any{"delivery": row.delivery, "no": len(c.lists[source])}
		for i, name := range columns {
			object[name] = row.cells[i]
		}
		c.lists[source] = append(c.lists[source], object)
	}
}
