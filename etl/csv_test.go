package etl

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// write puts a file into a folder of the test.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCSVForms reads one table in the forms that exporters give it.
func TestCSVForms(t *testing.T) {
	want := [][]string{{"1", "通报，甲", "2"}, {"2", `he said "no"`, ""}, {"3", "two\nlines", "x"}}
	plain := "编号,正文,备注\r\n1,通报，甲,2\r\n2,\"he said \"\"no\"\"\",\r\n3,\"two\nlines\",x\r\n"
	simple := strings.ReplaceAll(plain, "two\nlines", "one line")
	encode := func(encoder *encoding.Encoder, text string) string {
		encoded, err := encoder.String(text)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	traditional := strings.NewReplacer("编", "編", "号", "號", "备", "備", "注", "註", "报", "報").Replace
	w := newTown(t)
	for name, c := range map[string]struct{ settings, content string }{
		"UTF-8":                {"", plain},
		"one line a record":    {"", simple},
		"mark":                 {"", "\ufeff" + plain},
		"mark, one line":       {"", "\ufeff" + simple},
		"all quoted with mark": {"", "\ufeff\"编号\",\"正文\",\"备注\"\n\"1\",\"通报，甲\",\"2\"\n\"2\",\"he said \"\"no\"\"\",\"\"\n\"3\",\"one line\",\"x\"\n"},
		"line feeds":           {"", strings.ReplaceAll(plain, "\r\n", "\n")},
		"no end":               {"", strings.TrimRight(simple, "\r\n")},
		"mixed ends":           {"", strings.Replace(simple, "\r\n", "\n", 1)},
		"old Mac":              {"", strings.ReplaceAll(simple, "\r\n", "\r")},
		"title and blank line": {"", "某镇通报\r\n\r\n" + plain},
		"blank rows":           {"", simple + ",,\r\n , ,\r\n"},
		"tab":                  {`delimiter: "\t"`, strings.ReplaceAll(simple, ",", "\t")},
		"semicolon":            {`delimiter: ";"`, strings.ReplaceAll(simple, ",", ";")},
		"bar":                  {`delimiter: "|"`, strings.ReplaceAll(plain, ",", "|")},
		"ideographic comma":    {`delimiter: "、"`, strings.ReplaceAll(simple, ",", "、")},
		"GB18030 by itself":    {"", encode(simplifiedchinese.GB18030.NewEncoder(), plain)},
		"GB18030":              {"encoding: gb18030", encode(simplifiedchinese.GB18030.NewEncoder(), simple)},
		"GBK":                  {"encoding: gbk", encode(simplifiedchinese.GBK.NewEncoder(), plain)},
		"GBK with bars":        {"encoding: gbk\ndelimiter: '|'", encode(simplifiedchinese.GBK.NewEncoder(), strings.ReplaceAll(simple, ",", "|"))},
		"UTF-16 LE":            {"", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), plain)},
		"UTF-16 BE":            {"encoding: utf-16", encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), simple)},
		"CP950":                {"encoding: cp950", encode(traditionalchinese.Big5.NewEncoder(), traditional(plain))},
	} {
		settings := "format: csv\n" + c.settings
		d := table(t, settings, "编号", "正文", "备注")
		if strings.Contains(c.settings, "cp950") {
			d = table(t, settings, "編號", "正文", "備註")
		}
		got, err := w.cells(d, write(t, "a.csv", []byte(c.content)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got) != len(want) {
			t.Errorf("%s: got %q", name, got)
			continue
		}
		expected := slices.Clone(want)
		if !strings.Contains(c.content, "two") && got[2][1] == "one line" {
			expected[2] = []string{"3", "one line", "x"}
		}
		for i := range got {
			if name == "CP950" {
				got[i][1] = strings.ReplaceAll(got[i][1], "報", "报")
			}
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// TestCSVBothWays holds that what the engine reads by itself, the careful
// reader reads alike.
func TestCSVBothWays(t *testing.T) {
	w := newTown(t)
	d := table(t, "format: csv", "a", "b", "c")
	regular := 0
	fields := []string{"", "x", " y ", "通报", `"q"`, `"a,b"`, `"say ""hi"""`, `""`, `\N`, "NULL", "'", "#", "1e3", "é", `"\"`, "０１", `27" 寸`, `a"b"c`}
	for i := range 160 {
		var text bytes.Buffer
		text.WriteString("a,b,c\n")
		for row := range 5 {
			fmt.Fprintf(&text, "%s,%s,%s\n", fields[(i+row)%len(fields)], fields[(i*7+row*3)%len(fields)], fields[(i/len(fields)+row*5)%len(fields)])
		}
		if bothWays(t, w, d, text.Bytes()) {
			regular++
		}
	}
	if regular < 120 {
		t.Errorf("only %d of 160 were read by the engine itself", regular)
	}
}

// bothWays reads a file by the engine and carefully and wants the same cells;
// false if the engine does not read it by itself.
func bothWays(t testing.TB, w *town, d Definition, content []byte) bool {
	t.Helper()
	path := write(t, "a.csv", content)
	st, err := d.readCSV(path, t.TempDir())
	if err != nil || !st.isFile {
		return false
	}
	careful, err := d.readCSVCarefully(path, filepath.Join(t.TempDir(), "stage.csv"))
	if err != nil {
		t.Fatalf("%q: the engine reads it, the careful reader says %v", content, err)
	}
	if diff := cmp.Diff(w.staged(d, careful), w.staged(d, st)); diff != "" {
		t.Errorf("%q: (-careful +engine)\n%s", content, diff)
	}
	return true
}

// TestCSVSpectrum holds the cells that the corpus gives as JSON. Where git
// turned the corpus' line ends into line feeds they are such in the answer;
// location_coordinates.json answers another file than the one beside it.
func TestCSVSpectrum(t *testing.T) {
	w := newTown(t)
	for _, path := range glob(t, "real/messy-csv/csvs__*.csv") {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "csvs__"), ".csv")
		if name == "location_coordinates" {
			got, err := w.cells(table(t, "format: csv", "Contact Phone Number", "Location Coordinates", "Cities", "Counties"), path)
			if want := [][]string{{"2095257564", "37\ufffd36'37.8\"N 121\ufffd2'17.9\"W", "Modesto", "Stanislaus"}}; err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
			continue
		}
		answer, err := os.ReadFile(filepath.Join(filepath.Dir(path), "json__"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var objects []map[string]string
		if err := json.Unmarshal(bytes.ReplaceAll(answer, []byte(`\r\n`), []byte(`\n`)), &objects); err != nil {
			t.Fatal(err)
		}
		columns := sortedKeys(objects[0])
		var want [][]string
		for _, object := range objects {
			var row []string
			for _, column := range columns {
				row = append(row, object[column])
			}
			want = append(want, row)
		}
		got, err := w.cells(table(t, "format: csv", columns...), path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// TestNaughtyStrings: every string comes through CSV, the engine and back,
// but for blanks around it and line ends within.
func TestNaughtyStrings(t *testing.T) {
	content, err := os.ReadFile(shared(t, "real/messy-csv/naughty-strings.txt"))
	if err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	for _, format := range []string{"csv", "jsonl"} {
		var text bytes.Buffer
		writer := csv.NewWriter(&text)
		if format == "csv" {
			writer.Write([]string{"id", "text"})
		}
		var want [][]string
		for i, line := range strings.Split(string(content), "\n") {
			id := fmt.Sprint(i)
			want = append(want, []string{id, strings.Trim(line, " \t\n\r\u00a0\u3000\ufeff")})
			if format == "csv" {
				writer.Write([]string{id, line})
			} else if err := json.NewEncoder(&text).Encode(map[string]string{"id": id, "text": line}); err != nil {
				t.Fatal(err)
			}
		}
		writer.Flush()
		got, err := w.cells(table(t, "format: "+format, "id", "text"), write(t, "a."+format, text.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", format, diff)
		}
	}
}

// TestRagged: a row with too few or too many fields goes to quarantine, a
// longer one with nothing in the rest does not.
func TestRagged(t *testing.T) {
	w := newTown(t, "source: a\nname: a\ntarget: ticket\nfiles: '.*'\nformat: csv\nkey: [ticket_id]\ncolumns:\n  - {from: 编号, to: ticket_id, required: true}\n  - {from: 正文, to: summary}\n")
	w.put("a.csv", "编号,正文\n1,甲\n2\n3,乙,丙\n4,丁,,\n5,\"戊\" x\n6,己\n7,\"\"\"八\"\"\"\n2.50912101108115E+17,丙\n")
	w.pull()
	w.want("select string_agg(row_no || ' ' || reason || ' ' || value, '; ' order by row_no) from core.quarantine",
		"3 ragged_row 1 fields, the header has 2; 4 ragged_row 3 fields, the header has 2; 6 ragged_row text follows the closing quote of field 2; 9 bad_number 2.50912101108115E+17")
	w.want("select string_agg(ticket_id || summary, ',' order by ticket_id) from core.ticket", "1甲,4丁,6己,7\"八\"")
}

// TestRecordGuard: the careful reader never holds more than a record may have.
func TestRecordGuard(t *testing.T) {
	d := table(t, "format: csv", "a", "b")
	open := append([]byte("a,b\n1,2\n3,\"never closed\n"), bytes.Repeat([]byte("x,y\n"), MaxRecordBytes/2)...)
	_, err := d.readCSV(write(t, "a.csv", open), t.TempDir())
	var wrong *FileError
	if !errors.As(err, &wrong) || wrong.Where != "row 3" || !strings.Contains(wrong.What, "longer than 4 MiB") {
		t.Errorf("got %v", err)
	}
	long := "a,b\n1," + strings.Repeat("x", MaxFieldBytes+1) + "\n2,y\n"
	w := newTown(t)
	st, err := d.readCSV(write(t, "a.csv", []byte(long)), t.TempDir())
	if err != nil || st.isFile {
		t.Fatalf("%v", err)
	}
	if got := w.staged(d, st); len(got) != 2 {
		t.Errorf("%d rows, want 2, the first damaged", len(got))
	}
}
