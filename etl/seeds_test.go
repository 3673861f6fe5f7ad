package etl

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tongbao/data"
	"tongbao/warehouse"
)

// writeSeeds copies the embedded seeds into a folder that a test may break.
func writeSeeds(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "seeds")
	if err := os.CopyFS(dir, data.Seeds); err != nil {
		t.Fatal(err)
	}
	return dir
}

func loadSeeds(t *testing.T, db *warehouse.DB, dir string) error {
	t.Helper()
	return db.Write(context.Background(), func(ctx context.Context, tx *warehouse.Tx) error { return LoadSeeds(ctx, tx, dir) })
}

func openMemory(t *testing.T) *warehouse.DB {
	t.Helper()
	db, err := warehouse.Open(context.Background(), "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// scalar returns the one value of a query as text.
func scalar(t *testing.T, db *warehouse.DB, query string) string {
	t.Helper()
	rows, err := db.Rows(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows.Cells) != 1 || len(rows.Cells[0]) != 1 {
		t.Fatalf("%s: got %v, want one value", query, rows.Cells)
	}
	return rows.Cells[0][0].String
}

func TestLoadSeeds(t *testing.T) {
	db := openMemory(t)
	if err := loadSeeds(t, db, writeSeeds(t)); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"select sum(points) from seed.rubric where line = 'city'":                                                                 "100000000",
		"select target || ' ' || k from seed.rubric where indicator = 'zf1'":                                                      "980000 2000000",
		"select points from seed.rubric_step where indicator = 'hb7' and part = 'illegal_building' and valid_from = '2026-01-01'": "5000000",
		"select threshold from seed.rubric_step where indicator = 'jj1' and step = 2":                                             "800000",
		"select valid_to from seed.rubric_version where version = '2025'":                                                         "2025-12-31",
		"select min_coverage from seed.rubric_version where version = '2026'":                                                     "666667",
		// 2026-10-10 is a make-up Saturday after the National Day week.
		"select string_agg(is_working::varchar, ' ' order by day) from seed.calendar where day in ('2026-10-05', '2026-10-10', '2026-10-11')":     "false true false",
		"select working_day_no - (select working_day_no from seed.calendar where day = '2026-09-30') from seed.calendar where day = '2026-10-12'": "4",
		"select amount from seed.reward where rule = 'prize' and place_from = 2":                                                                  "8000.00",
	} {
		if got := scalar(t, db, query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// TestSeedErrors holds that each mistake gets one message that says what and where.
func TestSeedErrors(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"weights of 99", "rubric.yaml", "property: 10}", "property: 9}", "sum to 99, want 100"},
		{"rule with a typo", "rubric.yaml", "rule: inverse", "rule: invers", `nearest is "inverse"`},
		{"unknown key", "rubric.yaml", "versions:", "verions: []\nversions:", "verions"},
		{"veto without a cap", "rubric.yaml", "steps: [{part: concealed, points: 60}]}", "}", "needs steps"},
		{"target without k", "rubric.yaml", "target: 98, k: 2,", "target: 98,", "needs target and k"},
		{"refused measure", "rubric.yaml", "name: 党员参会率", "name: 平台登录率", "国办函"},
		{"complaints alone", "rubric.yaml", "paired_with: hb5b, ", "", "paired_with"},
		{"complaints weigh more", "rubric.yaml", "name: 环境投诉密度, points: 10", "name: 环境投诉密度, points: 20", "weigh no less"},
		{"seven places", "rubric.yaml", "k: 0.5", "k: 0.1234567", "six places"},
		{"header", "line.csv", "line,name,position", "line,name,place", "line 1: want the header"},
		{"fields", "line.csv", "law,政法,2", "law,政法", "line 3"},
		{"number", "line.csv", "law,政法,2", "law,政法,two", "line.csv"},
		{"unknown line", "category.csv", "租赁纠纷,law", "租赁纠纷,lav", "租赁纠纷"},
		{"post of nobody", "assignment.csv", "valid_to\n", "valid_to\np1,g1,网格员,2026-01-01,\n", "unknown person or grid: p1 g1"},
		{"two parents", "grid.csv", "predecessors\n", "predecessors\ng1,,1,A,1,,true,2020-01-01,,\ng1,,1,B,1,,true,2021-01-01,,\n", "overlapping"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeSeeds(t)
			path := filepath.Join(dir, c.file)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(content), c.old, c.new, 1)
			if changed == string(content) {
				t.Fatalf("%s does not hold %q", c.file, c.old)
			}
			if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			db := openMemory(t)
			err = loadSeeds(t, db, dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("got error %v, want one that names %s and %q", err, c.file, c.want)
			}
			if n := scalar(t, db, "select count(*) from seed.line"); n != "0" {
				t.Errorf("%s lines were loaded from broken seeds", n)
			}
		})
	}
}
