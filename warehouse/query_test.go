package warehouse

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const caseHeader = "-- grain: one row per grid\n-- rule: test\n-- build: month\n"

// TestLayerRule holds what a query may read and compute; each text is a file
// of the named layer.
func TestLayerRule(t *testing.T) {
	for _, c := range []struct{ name, path, sql, wantErr string }{
		{"earlier layer", "score/a.sql", "select 1 as month from indicator.value", ""},
		{"later layer", "score/a.sql", "select 1 as month from ranking.total", "later layer"},
		{"later layer, earlier months", "score/a.sql", "select month from ranking.total where ranking.total.month < $month", ""},
		{"own table", "score/a.sql", "select month from score.a", "its own table"},
		{"own table, earlier months", "score/a.sql", "select month from score.a where month < $month", ""},
		{"own table through a step", "score/a.sql", "with a as (select month from score.a) select * from a where month < $month", "its own table"},
		{"unknown schema", "score/a.sql", "select 1 from staging.x", "in no layer"},
		{"division", "score/a.sql", "select a / 2 from core.ticket", `"/" is not exact`},
		{"avg in ranking", "ranking/a.sql", "select avg(x) from score.b", `"avg" is not exact`},
		{"division in bulletin", "bulletin/a.sql", "select a / 2 from core.ticket", ""},
		{"two statements", "score/a.sql", "select 1; select 2", "want one SELECT"},
		{"not a select", "score/a.sql", "delete from score.a", "SELECT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{c.path: {Data: []byte(caseHeader + c.sql)}}
			_, err := ReadQueries(files)
			switch {
			case c.wantErr == "" && err != nil:
				t.Fatal(err)
			case c.wantErr != "" && (err == nil || !strings.Contains(err.Error(), c.wantErr)):
				t.Fatalf("got error %v, want one with %q", err, c.wantErr)
			}
		})
	}
}

func TestReadQueriesOrder(t *testing.T) {
	files := fstest.MapFS{
		"core/a.sql":       {Data: []byte(caseHeader + "select * from core.b")},
		"core/b.sql":       {Data: []byte(caseHeader + "select 1 as month")},
		"indicator/x1.sql": {Data: []byte(caseHeader + "select * from core.a")},
	}
	queries, err := ReadQueries(files)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range queries {
		got = append(got, q.Path+" "+q.Table())
	}
	want := []string{"core/b.sql core.b", "core/a.sql core.a", "indicator/x1.sql indicator.value"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	files["core/b.sql"] = &fstest.MapFile{Data: []byte(caseHeader + "select * from core.a")}
	if _, err := ReadQueries(files); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("circle: got error %v", err)
	}
}

func TestReadHeader(t *testing.T) {
	header := readHeader("-- grain: one row per\n--   grid\n-- rule: a: b\nselect 1 -- build: no\n")
	if header["grain"] != "one row per grid" || header["rule"] != "a: b" || header["build"] != "" {
		t.Errorf("got %q", header)
	}
}
