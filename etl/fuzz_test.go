package etl

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tongbao/data"
)

// wantFileError wants an error that a user can act on, or none.
func wantFileError(t *testing.T, err error) {
	t.Helper()
	var wrong *FileError
	if err != nil && (!errors.As(err, &wrong) || wrong.What == "" || wrong.Do == "") {
		t.Fatalf("got %v, want an error that says what to do", err)
	}
}

// FuzzCSV holds for any bytes and settings: no panic, a clear message, and
// the same cells from the engine and from the careful reader.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a,b\r\n1,\"2\"\"3\"\r\n", "\ufeff\"a\",\"b\"\n1,2", "a,b\n1,\"x\ny\"\n", "a,b\n1,2\"\n", "a,b\r1,2\r", "a;b\n1;2\n", "\xb1\xe0\n", "a,b\n,\n", "x\na,b\n1\n1,2,3\n"} {
		f.Add([]byte(seed), ",", "auto")
	}
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00"), ",", "utf-16")
	f.Add([]byte("a|b\n1|\xa4\xa4\n"), "|", "cp950")
	w := newTown(f)
	f.Fuzz(func(t *testing.T, content []byte, delimiter, encoding string) {
		text := "source: test\nname: test\ntarget: ticket\nfiles: '.*'\nkey: [ticket_id]\nformat: csv\ncolumns: [{from: a, to: ticket_id, required: true}, {from: b, to: summary}]\n"
		d := parse(t, text)
		d.Delimiter, d.Encoding = delimiter, encoding
		if d.checkShape() != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := d.readCSV(path, t.TempDir())
		wantFileError(t, err)
		if err != nil {
			return
		}
		got, err := w.typed(d, st)
		if errors.Is(err, errMiscounted) && st.isFile {
			return // the loader reads such a file carefully
		}
		if err != nil {
			t.Fatal(err)
		}
		if !st.isFile {
			return
		}
		careful, err := d.readCSVCarefully(st.path, filepath.Join(t.TempDir(), "stage.csv"))
		if err != nil {
			t.Fatalf("the engine reads it, the careful reader says %v", err)
		}
		want, err := w.typed(d, careful)
		if err != nil || strings.Join(got, "\x1e") != strings.Join(want, "\x1e") {
			t.Fatalf("the engine reads %q, the careful reader %q (%v)", got, want, err)
		}
	})
}

// typed lists the rows of a stage as the loader types them, or says that the
// engine counted other records.
func (w *town) typed(d Definition, st stage) ([]string, error) {
	sql := newTyping(&d, st, "timestamp '2026-11-01'").create()
	sql = "select concat_ws('|', is_note, t_ticket_id, t_summary, fault) from (" + strings.TrimPrefix(sql, "create or replace temp table typed as\n") + ")"
	rows, err := w.db.SQL().QueryContext(context.Background(), sql)
	if err != nil {
		if st.isFile {
			return nil, errMiscounted
		}
		return nil, err
	}
	defer rows.Close()
	var all []string
	count := int64(0)
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			return nil, err
		}
		if count++; !strings.HasPrefix(row, "true") {
			all = append(all, row)
		}
	}
	if rows.Err() != nil && st.isFile || count != st.records {
		return nil, errMiscounted
	}
	return all, rows.Err()
}

// FuzzSheet holds for any sheet and shared strings: no panic, no endless
// reading, a clear message.
func FuzzSheet(f *testing.F) {
	f.Add(head+`<row r="2"><c r="A2"><v>1</v></c></row>`+tail, `<sst><si><t>x</t></si></sst>`)
	f.Add(head+`<row><c t="s"><v>0</v></c><c s=""><f>1</f></c></row>`+tail, `<sst><si><r><t>_x000D_</t></r></si></sst>`)
	f.Add(head+`<row r="2"><c r="ZZ2" t="d"><v>2026-11-01</v></c>`, `<!DOCTYPE x>`)
	d := parse(f, bookSource)
	f.Fuzz(func(t *testing.T, sheet, shared string) {
		book := bookOf(t, sheet, "xl/sharedStrings.xml", shared)
		path := filepath.Join(t.TempDir(), "a.xlsx")
		if err := os.WriteFile(path, []byte(book), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.readXLSX(path, t.TempDir())
		wantFileError(t, err)
	})
}

// FuzzWorkbook holds the same for the bytes of the whole file.
func FuzzWorkbook(f *testing.F) {
	f.Add([]byte(bookOf(f, head+tail)))
	f.Add([]byte(bookOf(f, head+`<row r="2"><c r="A2"><v>1</v></c></row>`+tail, "xl/sharedStrings.xml", "<sst/>")))
	d := parse(f, bookSource)
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "a.xlsx")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.readXLSX(path, t.TempDir())
		wantFileError(t, err)
	})
}

// FuzzJSONLine holds for any line: no panic, and either texts or damage.
func FuzzJSONLine(f *testing.F) {
	for _, seed := range []string{`{"a": 1}`, `{"a": {"b": [1, {}]}, "a.b": 2}`, `{"a": "\ud800"}`, `{"a": 1e999}`, `[`, `{"": null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		object, harm := readObject(line)
		if (object == nil) == (harm.reason == "") {
			t.Fatalf("got %v and %v", object, harm)
		}
	})
}

// FuzzDefinition holds for any text: no panic, and a definition that is
// accepted makes SQL that the engine can parse.
func FuzzDefinition(f *testing.F) {
	names, err := fs.Glob(data.Sources, "*.yaml")
	if err != nil || len(names) == 0 {
		f.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(data.Sources, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(plainSource))
	w := newTown(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDefinition("a.yaml", text)
		if err != nil {
			return
		}
		st := stage{path: "/dev/null", delimiter: ",", newline: "\n", header: header{index: map[string]int{}}}
		query := "select json_serialize_sql(" + literal("select * from ("+strings.TrimPrefix(newTyping(&d, st, "timestamp '2026-11-01'").create(), "create or replace temp table typed as\n")+")") + ")"
		rows, err := w.db.Rows(context.Background(), query)
		if err != nil || strings.Contains(rows.Cells[0][0].String, `"error":true`) {
			t.Fatalf("%s\n%v %v", text, err, rows.Cells)
		}
	})
}

// FuzzDate holds for any text: no error of the engine, nothing outside the
// years that a record can mean, and a moment is read as itself again.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{"2026-10-01", "2026年10月1日 8时30分", "2026-10-01T00:30:00Z", "２０２６／１０／１", "20261001", "1.5", "99999999", "2026-10-01 08:00:00+08", "infinity", "epoch"} {
		f.Add(seed)
	}
	w := newTown(f)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			return // no reader lets it through
		}
		text = strings.ToValidUTF8(text, "?")
		here := &town{TB: t, db: w.db}
		read := func(text string) string {
			return here.scalar(readDate("("+literal(text)+"::varchar)", "Asia/Shanghai"))
		}
		got := read(text)
		if got == "" {
			return
		}
		if got < "1990" || got > "2100-01-01 00:00:00" {
			t.Fatalf("%q is %s", text, got)
		}
		if again := read(got); again != got {
			t.Fatalf("%q is %s, which is %s", text, got, again)
		}
	})
}
