package warehouse

import (
	"context"
	"testing"
	"testing/fstest"

	"tongbao"
)

// TestGrownQuery holds that a query with a new column fills a table that was
// made before it had one, and that the rows of months made before stay.
func TestGrownQuery(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	build := func(month tongbao.Month, sql string) {
		t.Helper()
		queries, err := ReadQueries(fstest.MapFS{"bulletin/a.sql": {Data: []byte(caseHeader + sql)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.MakeTables(ctx, queries); err != nil {
			t.Fatal(err)
		}
		if err := db.BuildMonth(ctx, queries, month, ""); err != nil {
			t.Fatal(err)
		}
	}
	build(tongbao.NewMonth(2026, 9), "select $month as month, 1 as cases")
	build(tongbao.NewMonth(2026, 10), "select $month as month, 'late' as kind, 2 as cases")
	rows, err := db.Rows(ctx, "select strftime(month, '%m') as month, cases, kind from bulletin.a order by month")
	if err != nil {
		t.Fatal(err)
	}
	got := formatCSV(rows.Columns, rows.Cells)
	want := "month,cases,kind\n09,1,\n10,2,late\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestForgottenQuery holds that a bulletin table goes with the query that made
// it, so that nothing of an earlier program is published.
func TestForgottenQuery(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sql := &fstest.MapFile{Data: []byte(caseHeader + "select $month as month, 1 as cases")}
	for _, files := range []fstest.MapFS{{"bulletin/a.sql": sql, "bulletin/b.sql": sql}, {"bulletin/b.sql": sql}} {
		queries, err := ReadQueries(files)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.MakeTables(ctx, queries); err != nil {
			t.Fatal(err)
		}
	}
	there, err := db.Tables(ctx, "bulletin")
	if err != nil || len(there) != 1 || there["bulletin.b"] == nil {
		t.Errorf("got %v (%v), want bulletin.b alone", there, err)
	}
}
