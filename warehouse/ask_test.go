package warehouse

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ask asks the small published file and returns the answer.
func ask(t *testing.T, q Question) (Rows, Summary, *QuestionError) {
	t.Helper()
	if q.Limits == (Limits{}) {
		q.Limits = PageLimits
	}
	var rows Rows
	summary, err := Ask(context.Background(), q, &rows, nil)
	var known *QuestionError
	if err != nil && !errors.As(err, &known) {
		t.Fatal(err)
	}
	return rows, summary, known
}

func TestAnswerIsTyped(t *testing.T) {
	rows, summary, err := ask(t, Question{SQL: `select 170141183460469231731687303715884105727::hugeint as big, 0.10::decimal(38, 20) as small, '工单' as word, null as nothing,
		date '2026-10-01' as day, timestamp '2026-10-01 08:00:00.123456' as moment, true as yes, [1, 2] as list, 1 as a, 2 as a`})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"170141183460469231731687303715884105727", "0.10000000000000000000", "工单", "", "2026-10-01", "2026-10-01 08:00:00.123456", "true", "[1, 2]", "1", "2"}
	var got []string
	for _, cell := range rows.Cells[0] {
		got = append(got, cell.String)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	if rows.Cells[0][3].Valid {
		t.Error("null is a value")
	}
	if diff := cmp.Diff(rows.Types[:3], []string{"HUGEINT", "DECIMAL(38,20)", "VARCHAR"}); diff != "" {
		t.Error(diff)
	}
	if summary.Rows != 1 || summary.Bytes == 0 || summary.Truncated != "" {
		t.Errorf("%+v", summary)
	}
}

func TestAnswerKeepsItsLimits(t *testing.T) {
	limits := PageLimits
	limits.Rows = 10
	rows, summary, err := ask(t, Question{SQL: "from range(11)", Limits: limits})
	if err != nil || len(rows.Cells) != 10 || summary.Truncated != "rows" {
		t.Errorf("11 rows: %d, %+v, %v", len(rows.Cells), summary, err)
	}
	rows, summary, err = ask(t, Question{SQL: "from range(10)", Limits: limits})
	if err != nil || len(rows.Cells) != 10 || summary.Truncated != "" {
		t.Errorf("10 rows: %d, %+v, %v", len(rows.Cells), summary, err)
	}
	limits.Rows, limits.Bytes = 1000, 2000
	rows, summary, err = ask(t, Question{SQL: "select md5(cast(i as varchar)) from range(1000) as t(i)", Limits: limits})
	if err != nil || len(rows.Cells) == 0 || len(rows.Cells) > 60 || summary.Truncated != "bytes" {
		t.Errorf("2,000 bytes: %d, %+v, %v", len(rows.Cells), summary, err)
	}
	limits.Time = 500 * time.Millisecond
	_, _, err = ask(t, Question{SQL: "select count(*) from range(100000) as a(i), range(100000) as b(j) where hash(i * j) = 1", Limits: limits})
	if err == nil || err.Kind != Stopped || !strings.Contains(err.Error(), "500ms") {
		t.Errorf("half a second: %v", err)
	}
}

func TestParquetAnswer(t *testing.T) {
	path := makePublished(t)
	var file bytes.Buffer
	question := Question{SQL: "select name, total from bulletin.community where month = $month order by name", Params: testParams, Sources: readers(path), Limits: FileLimits, Form: Parquet}
	summary, err := Ask(context.Background(), question, nil, &file)
	if err != nil || summary.Rows != 3 || summary.Bytes < file.Len() {
		t.Fatalf("%+v, %v", summary, err)
	}
	written := filepath.Join(t.TempDir(), "answer.parquet")
	if err := os.WriteFile(written, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := Open(context.Background(), "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Rows(context.Background(), "select count(*), sum(total) from '"+written+"'")
	if err != nil || rows.Cells[0][0].String != "3" || rows.Cells[0][1].String != "179.75" {
		t.Errorf("%v, %v", rows, err)
	}
	question.Limits.Bytes = 100
	if _, err := Ask(context.Background(), question, nil, &file); err == nil {
		t.Error("a file may be larger than the limit")
	}
}

func TestColumnsAndPlan(t *testing.T) {
	path := makePublished(t)
	rows, _, err := ask(t, Question{SQL: "from bulletin.quality_quarantine", Sources: readers(path), Form: Columns})
	if err != nil || len(rows.Cells) != 0 || cmp.Diff(rows.Columns, []string{"cases"}) != "" {
		t.Errorf("columns: %v, %v", rows, err)
	}
	rows, _, err = ask(t, Question{SQL: "select name, sum(n) from bulletin.long group by name", Sources: readers(path), Form: Plan})
	if err != nil || len(rows.Cells) == 0 || !strings.Contains(rows.Cells[0][1].String, "long") {
		t.Errorf("plan: %v, %v", rows, err)
	}
}

// TestAskerLeaves: a question whose asker left is stopped at once.
func TestAskerLeaves(t *testing.T) {
	ctx, leave := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, leave)
	began := time.Now()
	_, err := Ask(ctx, Question{SQL: "select count(*) from range(1000000) as a(i), range(1000000) as b(j) where hash(i * j) = 1", Limits: PageLimits}, &Rows{}, nil)
	var known *QuestionError
	if !errors.As(err, &known) || known.Kind != Cancelled {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestParams(t *testing.T) {
	for text, want := range map[string]string{
		`select $a`:                       `select '1''2'`,
		`select '$a', "$a", $$ $a $$, $a`: `select '$a', "$a", $$ $a $$, '1''2'`,
		`select $A -- $a`:                 `select '1''2' -- $a`,
		`select /* $a */ e'\'$a', $day`:   `select /* $a */ e'\'$a', date '2026-10-01'`,
		`select a$a, $n`:                  `select a$a, (-1.5)`,
	} {
		params := []Param{{Name: "a", Value: "1'2"}, NewParam("day", "2026-10"), {"n", "-1.5", NumberParam}}
		got, err := fillIn(text, ParamNames(text), params)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, bad := range []Param{{"n", "1); drop", NumberParam}, {"n", "yes", BoolParam}, {"n", "2026-13", DateParam}, {"n", "a\x00", TextParam}, {"n", "1", "other"}} {
		if _, err := fillIn("$n", []string{"n"}, []Param{bad}); err == nil {
			t.Errorf("%+v is let in", bad)
		}
	}
}

// slow is a question that runs until it is cancelled.
var slow = Question{SQL: "select count(*) from range(1000000) as a(i), range(1000000) as b(j) where hash(i * j) = 1", Limits: PageLimits}

// TestDesk: two at a time, one for each asker, a queue, then a refusal; each
// question is recorded when it begins and when it ended.
func TestDesk(t *testing.T) {
	var mu sync.Mutex
	var records []Asked
	desk := NewDesk(func(_ context.Context, asked Asked) error {
		mu.Lock()
		defer mu.Unlock()
		records = append(records, asked)
		return nil
	})
	desk.Waiting = 1
	ctx, leave := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for _, asker := range []string{"one", "two", "three"} {
		group.Go(func() { _, _ = desk.Ask(ctx, Asker{Account: asker}, slow, &Rows{}, nil) })
		eventually(t, func() bool {
			running, waiting := desk.State()
			return running+waiting == map[string]int{"one": 1, "two": 2, "three": 3}[asker]
		})
	}
	refusedAs := func(asker, code string) {
		t.Helper()
		_, err := desk.Ask(ctx, Asker{Account: asker}, slow, &Rows{}, nil)
		var known *QuestionError
		if !errors.As(err, &known) || known.Kind != Busy || known.Code != code || strings.Contains(known.Error(), "%!") {
			t.Errorf("%s: %v", asker, err)
		}
	}
	refusedAs("one", "asker")
	refusedAs("three", "asker")
	refusedAs("four", "queue")
	if desk.Cancel("four") || !desk.Cancel("three") {
		t.Error("who waits can cancel, who does not cannot")
	}
	eventually(t, func() bool { _, waiting := desk.State(); return waiting == 0 })
	if !desk.Cancel("one") {
		t.Error("one cannot cancel its query")
	}
	eventually(t, func() bool { running, _ := desk.State(); return running == 1 })
	leave()
	group.Wait()
	if running, waiting := desk.State(); running+waiting != 0 {
		t.Errorf("%d and %d stay", running, waiting)
	}
	if _, err := desk.Ask(context.Background(), Asker{Account: "four"}, Question{SQL: "select 1", Limits: PageLimits}, &Rows{}, nil); err != nil {
		t.Error(err)
	}
	ended := 0
	for _, asked := range records {
		if !asked.End.IsZero() {
			ended++
		}
	}
	if len(records) != 2*ended || ended != 3 {
		t.Errorf("%d records, %d of them ends", len(records), ended)
	}
	desk.Audit = func(context.Context, Asked) error { return errors.New("the disk is full") }
	if _, err := desk.Ask(context.Background(), Asker{Account: "four"}, Question{SQL: "select 1", Limits: PageLimits}, &Rows{}, nil); err == nil {
		t.Error("a question that cannot be recorded is answered")
	}
}

func eventually(t *testing.T, isSo func() bool) {
	t.Helper()
	for range 500 {
		if isSo() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("waited in vain")
}

// BenchmarkAsk is a small question from start to end, its process included.
func BenchmarkAsk(b *testing.B) {
	sources := readers(makePublished(b))
	for b.Loop() {
		if _, err := Ask(context.Background(), Question{SQL: "from bulletin.community", Sources: sources, Limits: PageLimits}, &Rows{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
