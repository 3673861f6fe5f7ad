package etl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tongbao/queries"
	"tongbao/warehouse"
)

// town is a workspace in small: a warehouse in memory, an inbox, raw/, and the
// source definitions of a test.
type town struct {
	testing.TB
	db *warehouse.DB
	in Intake
}

// newTown makes a town whose sources are the texts of their definitions.
func newTown(t testing.TB, definitions ...string) *town {
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
	core := map[string]string{}
	var facts []warehouse.Query
	for _, q := range all {
		if q.Build == warehouse.BuildMerge {
			core[q.Name] = q.SQL
			facts = append(facts, q)
		}
	}
	if err := db.MakeTables(context.Background(), facts); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := &town{TB: t, db: db, in: Intake{Inbox: filepath.Join(dir, "inbox"), Raw: filepath.Join(dir, "raw"), Core: core, Salt: "salt"}}
	for _, text := range definitions {
		w.in.Definitions = append(w.in.Definitions, parse(t, text))
	}
	if err := os.Mkdir(w.in.Inbox, 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

func parse(t testing.TB, text string) Definition {
	t.Helper()
	d, err := ParseDefinition("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// table is the definition of a source whose columns are only read; the first
// one is required and makes the key.
func table(t testing.TB, settings string, columns ...string) Definition {
	t.Helper()
	text := "source: test\nname: test\ntarget: ticket\nfiles: '.*'\nkey: [ticket_id]\n" + settings + "\ncolumns:\n"
	for i, name := range columns {
		text += fmt.Sprintf("  - from: %q\n", name)
		if i == 0 {
			text += "    to: ticket_id\n    required: true\n"
		}
	}
	return parse(t, text)
}

// cells reads a file as far as its trimmed texts: a null is "".
func (w *town) cells(d Definition, path string) ([][]string, error) {
	w.Helper()
	st, err := d.read(context.Background(), w.db, path, w.TempDir(), delivery{})
	if err != nil {
		return nil, err
	}
	return w.staged(d, st), nil
}

func (w *town) staged(d Definition, st stage) [][]string {
	w.Helper()
	typed := newTyping(&d, st, "now()")
	var fields []string
	for i := range typed.sources {
		fields = append(fields, fmt.Sprintf("coalesce(r%d, '')", i))
	}
	rows, err := w.db.Rows(context.Background(), fmt.Sprintf("select %s from (select %s from %s) where not is_note", strings.Join(fields, ", "), typed.cells(), typed.reader()))
	if err != nil {
		w.Fatal(err)
	}
	var cells [][]string
	for _, row := range rows.Cells {
		var record []string
		for _, value := range row {
			record = append(record, value.String)
		}
		cells = append(cells, record)
	}
	return cells
}

// exec runs one statement.
func (w *town) exec(statement string, args ...any) {
	w.Helper()
	err := w.db.Write(context.Background(), func(ctx context.Context, tx *warehouse.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// alias makes names known as grids of the same name.
func (w *town) alias(names ...string) {
	w.Helper()
	for _, name := range names {
		w.exec("insert into seed.grid_alias values (?, ?, date '1990-01-01', null)", name, name)
	}
}

// put writes a file into the inbox.
func (w *town) put(name, content string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.in.Inbox, name), []byte(content), 0o600); err != nil {
		w.Fatal(err)
	}
}

// copy puts a file of ../shared/real into the inbox.
func (w *town) copy(path string) {
	w.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	w.put(filepath.Base(path), string(content))
}

// pull takes the inbox in and wants no error.
func (w *town) pull() Report {
	w.Helper()
	report, err := Pull(context.Background(), w.db, w.in)
	if err != nil {
		w.Fatal(err)
	}
	return report
}

// refused takes the inbox in and returns the one error that it must give;
// nothing may be loaded.
func (w *town) refused() *FileError {
	w.Helper()
	report, err := Pull(context.Background(), w.db, w.in)
	if err == nil || len(report.Errors) != 1 {
		w.Fatalf("got %v with %d errors, want one", err, len(report.Errors))
	}
	if n := w.scalar("select count(*) from core.ticket") + w.scalar("select count(*) from core.load") + w.scalar("select count(*) from core.quarantine"); n != "000" {
		w.Errorf("something was loaded: %s", n)
	}
	return report.Errors[0]
}

// scalar returns the one value of a query as text.
func (w *town) scalar(query string) string {
	w.Helper()
	rows, err := w.db.Rows(context.Background(), query)
	if err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return rows.Cells[0][0].String
}

// want compares the one value of a query.
func (w *town) want(query, want string) {
	w.Helper()
	if got := w.scalar(query); got != want {
		w.Errorf("%s: got %s, want %s", query, got, want)
	}
}

// shared returns a path below ../shared, which the test is skipped without.
func shared(t testing.TB, path string) string {
	t.Helper()
	root := os.Getenv("TONGBAO_SHARED")
	if root == "" {
		root = "../../shared"
	}
	full := filepath.Join(root, path)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("shared input is absent: %s (set TONGBAO_SHARED)", path)
	}
	return full
}

// glob lists the files of a pattern below ../shared.
func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared(t, filepath.Dir(pattern)), filepath.Base(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

// source is the text of a definition in testdata/sources.
func source(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sources", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
