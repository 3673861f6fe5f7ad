package etl

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tongbao/queries"
	"tongbao/warehouse"
)

// town is a workspace of the tests: seeds, an inbox, raw/, and a database in
// memory that can be thrown away and made again.
type served struct {
	db *warehouse.DB
	in Intake
}

// clock is the tests' time; every reading is a second later.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { c.at = c.at.Add(time.Second); return c.at }

// newServed takes definitions as YAML by source.
func newServed(t testing.TB, definitions ...string) *served {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"inbox", "raw"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := &clock{time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)}
	w := &served{in: Intake{Inbox: filepath.Join(dir, "inbox"), Raw: filepath.Join(dir, "raw"), Salt: "salt", Core: map[string]string{}, Now: c.now,
		webWaits: [2]time.Duration{time.Millisecond, 20 * time.Millisecond}}}
	for _, definition := range definitions {
		w.define(t, definition)
	}
	w.db = w.fresh(t)
	return w
}

// define adds a definition, or takes the place of the one of the same source.
func (w *served) define(t testing.TB, content string) {
	t.Helper()
	d, err := ParseDefinition("test.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.in.Definitions {
		if w.in.Definitions[i].Source == d.Source {
			w.in.Definitions[i] = d
			return
		}
	}
	w.in.Definitions = append(w.in.Definitions, d)
}

// fresh opens an empty database with its tables and one grid.
func (w *served) fresh(t testing.TB) *warehouse.DB {
	t.Helper()
	db, err := warehouse.Open(context.Background(), "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	all, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	// Only what a load touches: the other layers cost half a second a town.
	all = slices.DeleteFunc(all, func(q warehouse.Query) bool { return q.Build != warehouse.BuildMerge })
	if err := db.MakeTables(context.Background(), all); err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		w.in.Core[q.Name] = q.SQL
	}
	err = db.Write(context.Background(), func(ctx context.Context, tx *warehouse.Tx) error {
		for _, statement := range []string{
			"insert into seed.grid_alias values ('一号楼', 'g1', '2000-01-01', null)",
			"insert into seed.category values ('c1', '渗漏', 'property', 'ticket', false)",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// pull must succeed; tryPull returns what happened.
func (w *served) pull(t testing.TB) Report {
	t.Helper()
	report, err := w.tryPull()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (w *served) tryPull() (Report, error) { return Pull(context.Background(), w.db, w.in) }

// rebuild makes the database again from raw/.
func (w *served) rebuild(t testing.TB) *warehouse.DB {
	t.Helper()
	db := w.fresh(t)
	if _, err := Rebuild(context.Background(), db, w.in); err != nil {
		t.Fatal(err)
	}
	return db
}

// ask returns rows as lines of cells with a bar between.
func ask(t testing.TB, db *warehouse.DB, query string) string {
	t.Helper()
	rows, err := db.Rows(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range rows.Cells {
		var cells []string
		for _, cell := range row {
			cells = append(cells, cell.String)
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "\n")
}

// repairsFrom is a definition of repairs with a connect of its own.
func repairsFrom(connect string, more ...string) string {
	return strings.Join(append([]string{"source: repairs_db", "name: 维修库", "target: repair", "key: [repair_id]", "connect:", connect}, more...), "\n") + `
columns:
  - {from: id, to: repair_id, required: true}
  - {from: 所属网格, to: grid, required: true}
  - {from: state, to: state, default: open}
  - {from: reported, to: reported_at, required: true}
  - {from: finished, to: finished_at}
  - {from: budget, to: budget}
  - {from: common, to: is_common}
  - {from: updated_at, to: updated_at}
`
}

// wantError holds that a pull fails, says all of the words, and no secret.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got error %q, want one with %q", err, word)
		}
	}
	for _, secret := range []string{"geheim", "s3cret"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows a secret: %q", err)
		}
	}
}

func TestConnectDefinitions(t *testing.T) {
	for _, c := range []struct{ name, connect, want string }{
		{"no kind", "  url: https://a.example", "connect.kind"},
		{"password in the file", "  {kind: postgres, url: 'postgres://a:b@c/d', table: t}", "connect.url: not a key"},
		{"neither secret", "  {kind: postgres, table: t}", "never written here"},
		{"both", "  {kind: mysql, url_env: A, table: t, query: select 1}", "either table or query"},
		{"no select", "  {kind: postgres, url_env: A, query: 'delete from t'}", "one SELECT"},
		{"two statements", "  {kind: postgres, url_env: A, query: 'select 1; drop table t'}", "one SELECT"},
		{"no $cursor", "  {kind: postgres, url_env: A, query: 'select 1', cursor: c}", "$cursor"},
		{"span", "  {kind: postgres, url_env: A, table: t, overlap: 10}", "10m"},
		{"integer overlap", "  {kind: postgres, url_env: A, table: t, cursor: c, cursor_type: integer, overlap: 10m}", "number"},
		{"account in url", "  {kind: http, url: 'https://a:b@c.example/'}", "token_env"},
		{"since alone", "  {kind: http, url: 'https://c.example/', since: s}", "go together"},
		{"page", "  {kind: http, url: 'https://c.example/', page: {by: offset, param: p}}", "page.by"},
		{"unknown key", "  {kind: http, url: 'https://c.example/', pages: {by: number}}", "pages"},
		{"open311 without start", "  {kind: open311, url: 'https://c.example/'}", "start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseDefinition("test.yaml", []byte(repairsFrom(c.connect)))
			wantError(t, err, c.want)
		})
	}
}

// TestSecrets holds that a secret must come from the environment or from a
// file of the owner's own.
func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dsn")
	w := newServed(t, repairsFrom("  {kind: postgres, url_env: TONGBAO_TEST_UNSET, table: t}"))
	_, err := w.tryPull()
	wantError(t, err, "repairs_db", "TONGBAO_TEST_UNSET", "is not set")
	w.define(t, repairsFrom("  {kind: postgres, url_file: "+file+", table: t}"))
	_, err = w.tryPull()
	wantError(t, err, "does not exist", "0600")
	if err := os.WriteFile(file, []byte("postgres://town:geheim@127.0.0.1:1/x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = w.tryPull()
	wantError(t, err, "may be read by others", "chmod 600")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.tryPull()
	wantError(t, err, "repairs_db (postgres at 127.0.0.1:1/x)", "connect")
	if err := os.WriteFile(file, []byte("postgres://town:geheim@127.0.0.1:nine/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.tryPull()
	wantError(t, err, "read the address")
}
