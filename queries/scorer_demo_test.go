package queries_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"tongbao"
	"tongbao/data"
	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/warehouse"
)

// TestScorerAgreesOnDemoTown holds all 24 months of the demo town, from its
// delivered files on, against the second scorer.
func TestScorerAgreesOnDemoTown(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole demo town takes most of a minute")
	}
	ctx, last := context.Background(), tongbao.NewMonth(2026, 10)
	// "make test" runs the demo town once for all packages.
	dir := os.Getenv("TONGBAO_DEMO")
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "town")
		runDemo(t, dir, last)
	}
	db, err := warehouse.Open(ctx, filepath.Join(dir, "data", "warehouse", "work.duckdb"), warehouse.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	town, seen := readTown(t, db), map[string]int{}
	if len(town.versions) != 24 {
		t.Errorf("the demo town has %d months, want 24", len(town.versions))
	}
	inSQL, inGo := readAnswers(t, db), town.scoreAll(seen)
	readCrewAnswers(t, db, inSQL)
	readCrew(t, db).score(inGo, town.versions[int(last)].minCoverage)
	compare(t, inSQL, inGo)
	t.Log(len(inGo), "answers", seen)
}

// runDemo makes the demo town and computes its months up to the last.
func runDemo(t *testing.T, dir string, last tongbao.Month) {
	t.Helper()
	ctx := context.Background()
	if err := pipeline.InitDemo(ctx, data.Demo{Dir: dir, Months: 24, Until: last, Seed: 1, Grids: 147}); err != nil {
		t.Fatal(err)
	}
	house, err := pipeline.Open(ctx, dir, pipeline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = house.Pull(ctx, etl.Choice{}); err == nil {
		_, err = house.Compute(ctx, last)
	}
	if closing := house.Close(); err == nil {
		err = closing
	}
	if err != nil {
		t.Fatal(err)
	}
}
