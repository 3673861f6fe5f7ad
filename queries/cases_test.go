package queries_test

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tongbao/queries"
	"tongbao/warehouse"
)

var update = flag.Bool("update", false, "rewrite the wanted rows of the cases that were run")

// TestCases runs every SQL case: testdata/<layer>/<table>/<case>.txtar.
// A query without a case is a failure.
func TestCases(t *testing.T) {
	ctx := context.Background()
	all, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	checks, err := warehouse.ReadChecks(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := warehouse.ReadTitled(queries.FS, "saved", "api")
	if err != nil {
		t.Fatal(err)
	}
	tested := slices.Concat(all, checks, saved)
	cases, without, err := warehouse.ReadCases(os.DirFS("."), tested)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range without {
		t.Errorf("%s has no case in testdata", path)
	}
	db, err := warehouse.Open(ctx, "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.MakeTables(ctx, all); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		name := strings.TrimSuffix(strings.TrimPrefix(c.Path, "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			got, err := db.RunCase(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			if warehouse.SameCSV(got, c.Want) {
				return
			}
			if *update {
				text, err := os.ReadFile(c.Path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(c.Path, warehouse.RewriteCase(text, got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got (-), want (+):\n%s", cmp.Diff(lines(got), lines(c.Want)))
		})
	}
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }
