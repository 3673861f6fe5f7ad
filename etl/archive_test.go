package etl

import (
	"archive/zip"
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const plainSource = `source: plain
name: plain
target: ticket
files: '^工单_(?P<delivered>\d{8})\.csv$'
format: csv
key: [ticket_id]
columns:
  - {from: 编号, to: ticket_id, required: true}
  - {from: 正文, to: summary}
`

// pack makes an archive; a name ending in ! is encrypted by its flag only.
func pack(t testing.TB, members ...string) string {
	t.Helper()
	var content bytes.Buffer
	writer := zip.NewWriter(&content)
	for i := 0; i < len(members); i += 2 {
		header := &zip.FileHeader{Name: strings.TrimSuffix(members[i], "!"), Method: zip.Deflate, NonUTF8: strings.Contains(members[i], "\xb9\xa4")}
		if header.Name != members[i] {
			header.Flags |= 1
		}
		if members[i+1] == "->link" {
			header.SetMode(fs.ModeSymlink | 0o777)
		}
		part, err := writer.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		part.Write([]byte(members[i+1]))
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return content.String()
}

// TestArchive: each member is a delivery of its own, the archive lies
// untouched in raw/, and rebuild reads it again.
func TestArchive(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("工单_20261103.csv")
	if err != nil {
		t.Fatal(err)
	}
	archive := pack(t, "深/工单_20261102.csv", "编号,正文\n1,甲\n2,乙\n", gbk, "编号,正文\n2,丙\n3,丁\n",
		"工单_20261104.csv", "编号,正文\n3,\"open\n", "说明.txt", "x", "__MACOSX/工单_20261101.csv", "y", "more.zip", "PK", ".工单_20261101.csv", "z")
	w := newTown(t, plainSource)
	w.put("夜间.ZIP", archive)
	w.put("工单_20261101.csv", "编号,正文\n1,早\n")
	read := func(report Report, err error) string {
		text := []string{}
		for _, load := range report.Loads {
			text = append(text, load.File)
		}
		for _, wrong := range report.Errors {
			text = append(text, wrong.Error())
		}
		return strings.Join(append(text, report.Unmatched...), "\n")
	}
	want := `工单_20261101.csv
夜间.ZIP/深/工单_20261102.csv
夜间.ZIP/工单_20261103.csv
夜间.ZIP/more.zip: is an archive within an archive; unpack it and deliver what it holds
夜间.ZIP/工单_20261104.csv, row 2: a quote is opened and never closed; close or double the quote, or export the file again
夜间.ZIP/说明.txt`
	report, err := Pull(context.Background(), w.db, w.in)
	if diff := cmp.Diff(want, read(report, err)); diff != "" {
		t.Error(diff)
	}
	tickets := "select string_agg(ticket_id || summary || file, ',' order by ticket_id) from core.ticket"
	rows := "1甲夜间.ZIP/深/工单_20261102.csv,2丙夜间.ZIP/工单_20261103.csv,3丁夜间.ZIP/工单_20261103.csv"
	w.want(tickets, rows)
	landed, err := filepath.Glob(filepath.Join(w.in.Raw, archiveSource, "*.ZIP"))
	if err != nil || len(landed) != 1 {
		t.Fatalf("%v, %v", landed, err)
	}
	if content, err := os.ReadFile(landed[0]); err != nil || string(content) != archive {
		t.Errorf("the landed archive differs: %v", err)
	}
	again, err := Pull(context.Background(), w.db, w.in)
	if again.Known != 3 || len(again.Loads) != 0 || len(again.Errors) != 2 {
		t.Errorf("a second pull: %d known, %d loads, %v", again.Known, len(again.Loads), err)
	}
	fresh := newTown(t, plainSource)
	fresh.in.Raw = w.in.Raw
	report, err = Rebuild(context.Background(), fresh.db, fresh.in)
	if diff := cmp.Diff(want, read(report, err)); diff != "" {
		t.Error("rebuild:", diff)
	}
	fresh.want(tickets, rows)
}

// TestQuarantineOfMember: rows of an archive's member are exported, fixed and
// replayed from the archive in raw/, and a rebuild repeats it.
func TestQuarantineOfMember(t *testing.T) {
	strict := strings.Replace(plainSource, "required: true", "required: true, pattern: '[0-9]+'", 1)
	w := newTown(t, strict)
	w.put("夜间.zip", pack(t, "工单_20261102.csv", "编号,正文\n1,甲\nx2,乙\ny3,丙\n"))
	w.pull()
	w.want("select count(*) || ' ' || min(reason) from core.quarantine where state = 'open'", "2 bad_pattern")
	book := filepath.Join(t.TempDir(), "fix.xlsx")
	if n, err := Export(t.Context(), w.db, w.in, Waiting{Row: 3}, book, func(reason string) string { return reason }); n != 1 || err != nil {
		t.Fatalf("exported %d rows, %v; want 1", n, err)
	}
	edit(t, book, "plain", "x2", "2")
	if report, err := Import(t.Context(), w.db, w.in, book); err != nil || len(report.Loads) != 1 {
		t.Fatalf("import: %+v, %v", report, err)
	}
	w.in.Definitions[0] = parse(t, plainSource)
	if report, err := Replay(t.Context(), w.db, w.in, Waiting{}, time.Date(2026, 11, 5, 8, 0, 0, 0, time.UTC), "test"); err != nil || len(report.Loads) != 1 {
		t.Fatalf("replay: %+v, %v", report, err)
	}
	states := "select string_agg(row_no || state, ' ' order by row_no) from core.quarantine"
	tickets := "select string_agg(ticket_id || summary, ' ' order by ticket_id) from core.ticket"
	fresh := newTown(t, plainSource)
	fresh.in.Raw = w.in.Raw
	if _, err := Rebuild(t.Context(), fresh.db, fresh.in); err != nil {
		t.Fatal(err)
	}
	for _, one := range []*town{w, fresh} {
		one.want(states, "3fixed 4replayed")
		one.want(tickets, "1甲 2乙 y3丙")
	}
}

// TestHostileArchives: an archive that means harm is refused whole, and
// nothing is written outside.
func TestHostileArchives(t *testing.T) {
	good := []string{"工单_20261102.csv", "编号,正文\n1,甲\n"}
	many := []string{}
	for i := range MaxMembers + 1 {
		many = append(many, "a"+strings.Repeat("b", i%40)+string(rune('0'+i%10))+time.Duration(i).String(), "")
	}
	for name, c := range map[string]struct{ archive, want string }{
		"up":         {pack(t, append(good, "../工单_20261103.csv", "x")...), "leads out of the archive"},
		"up within":  {pack(t, append(good, "a/../../工单_20261103.csv", "x")...), "leads out of the archive"},
		"backslash":  {pack(t, append(good, `..\工单_20261103.csv`, "x")...), "leads out of the archive"},
		"absolute":   {pack(t, append(good, "/etc/工单_20261103.csv", "x")...), "leads out of the archive"},
		"drive":      {pack(t, append(good, `C:\工单_20261103.csv`, "x")...), "leads out of the archive"},
		"symlink":    {pack(t, append(good, "工单_20261103.csv", "->link")...), "is a link or a device"},
		"twice":      {pack(t, append(good, good...)...), "stands in the archive twice"},
		"many":       {pack(t, many...), "holds 1001 files, at most 1000 are read"},
		"bomb":       {pack(t, append(good, "工单_20261103.csv", strings.Repeat("a", 200<<20))...), "unpacks to 200 MiB"},
		"encrypted":  {pack(t, "工单_20261103.csv!", "x"), "is encrypted; pack it without a password"},
		"damaged":    {pack(t, good...)[:60], "is a damaged archive"},
		"not a zip":  {"编号,正文\n1,甲\n", "is a damaged archive"},
		"wrong size": {strings.Replace(pack(t, "工单_20261103.csv", strings.Repeat("x", 4096)), "\x00\x10\x00\x00", "\x05\x00\x00\x00", 2), "cannot be unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, plainSource)
			w.put("a.zip", c.archive)
			if got := w.refused().Error(); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestUnfinished: what is still being written is left alone, and named.
func TestUnfinished(t *testing.T) {
	w := newTown(t, plainSource, strings.NewReplacer("source: plain", "source: book", ".csv", ".xlsx", "csv", "xlsx").Replace(plainSource))
	w.in.Settle = 300 * time.Millisecond
	for _, name := range []string{"工单_20261101.csv.part", "工单_20261101.csv.crdownload", ".工单_20261101.csv", "~工单.tmp"} {
		w.put(name, "x")
	}
	w.put("工单_20261102.xlsx", "x")
	w.put("~$_20261102.xlsx", "x") // Excel's lock of a long name
	w.put("工单_20261103.csv", "编号,正文\n1,甲\n")
	w.put(".~lock.工单_20261103.csv#", "x")
	w.put("工单_20261105.csv", "编号,正文\n2,乙\n")
	growing := filepath.Join(w.in.Inbox, "工单_20261104.csv")
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for content := "编号,正文\n"; ; content += "3,丙\n" {
			if err := os.WriteFile(growing, []byte(content), 0o600); err != nil {
				t.Error(err)
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	report := w.pull()
	close(stop)
	<-stopped
	if diff := cmp.Diff([]string{"工单_20261102.xlsx", "工单_20261103.csv", "工单_20261104.csv"}, report.Unsettled); diff != "" {
		t.Error(diff)
	}
	w.want("select string_agg(ticket_id, ',') from core.ticket", "2")
	if report = w.pull(); len(report.Loads) != 1 || report.Loads[0].File != "工单_20261104.csv" {
		t.Errorf("the next pull took %v", report.Loads)
	}
}

// TestChangedWhileRead: a file that changes between its description and its
// landing is not taken, whether it was hashed before or is hashed as it lands.
func TestChangedWhileRead(t *testing.T) {
	w := newTown(t, plainSource)
	const name = "工单_20261102.csv"
	for _, before := range []string{"", "编号,正文\n1,甲\n"} {
		w.put(name, "编号,正文\n1,甲\n")
		if before != "" { // it has a landed file's name, so it is hashed at once
			w.pull()
			w.put(name, "编号,正文\n1,丙\n")
		}
		items, err := w.in.scan(context.Background(), &Report{})
		if err != nil {
			t.Fatal(err)
		}
		if isHashed := items[0].SHA256 != ""; isHashed != (before != "") {
			t.Errorf("hashed before it lands: %v", isHashed)
		}
		w.put(name, "编号,正文\n1,甲\n2,乙\n")
		landed, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*"))
		next := &prepared{loader: loader{d: &w.in.Definitions[0], item: items[0]}}
		w.in.stage(context.Background(), w.db, next)
		next.loader.close()
		if next.err == nil || !strings.Contains(next.err.Error(), "was changed while it was read") {
			t.Errorf("got %v", next.err)
		}
		now, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*"))
		if diff := cmp.Diff(landed, now); diff != "" {
			t.Errorf("landed: %s", diff)
		}
	}
}

// TestSameBytesUnderNewName: they are known once they are read, and leave
// nothing in raw/.
func TestSameBytesUnderNewName(t *testing.T) {
	w := newTown(t, plainSource)
	w.put("工单_20261102.csv", "编号,正文\n1,甲\n")
	w.pull()
	landed, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*"))
	w.put("工单_20261103.csv", "编号,正文\n1,甲\n")
	if report := w.pull(); report.Known != 2 || len(report.Loads) != 0 {
		t.Errorf("known %d, loads %v", report.Known, report.Loads)
	}
	now, _ := filepath.Glob(filepath.Join(w.in.Raw, "*", "*"))
	if diff := cmp.Diff(landed, now); diff != "" {
		t.Error(diff)
	}
}
