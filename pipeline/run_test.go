package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tongbao"
	"tongbao/etl"
)

const visits = `source: visits
name: 走访
target: activity
files: '^走访_(?P<delivered>\d{8})\.csv$'
format: csv
key: [activity_id]
columns:
  - {from: 编号, to: activity_id, required: true}
  - {from: 时间, to: done_at, required: true}
  - {from: 类别, to: kind}
`

// TestMonthIsMadeAgainForItsDeliveries: a delivery of October is of September's
// reconciliation too. A later one that replaces its rows touches no fact of
// September, and still changes what September prints of its deliveries.
func TestMonthIsMadeAgainForItsDeliveries(t *testing.T) {
	ctx := context.Background()
	september, october := tongbao.NewMonth(2026, 9), tongbao.NewMonth(2026, 10)
	dir := plainTown(t)
	if err := os.WriteFile(filepath.Join(dir, "data", "sources", "visits.yaml"), []byte(visits), 0o600); err != nil {
		t.Fatal(err)
	}
	h := openTown(t, dir)
	defer h.Close()
	for _, step := range []struct {
		file, rows string
		computed   []tongbao.Month
		september  string // in, current and superseded rows of its deliveries
	}{
		{"走访_20260903.csv", "1,2026-09-02 10:00,task\n2,2026-09-02 11:00,task\n", []tongbao.Month{september, october}, "2 2 0"},
		{"走访_20261015.csv", "3,2026-10-10 10:00,task\n4,2026-10-11 10:00,task\n", []tongbao.Month{september, october}, "4 4 0"},
		{"走访_20261215.csv", "3,2026-10-10 10:00,record\n", []tongbao.Month{september, october}, "4 3 1"},
		{"走访_20261216.csv", "5,2026-10-12 10:00,record\n", []tongbao.Month{october}, "4 3 1"},
		{"", "", nil, "4 3 1"},
	} {
		if step.file != "" {
			if err := os.WriteFile(filepath.Join(dir, "data", "inbox", step.file), []byte("编号,时间,类别\n"+step.rows), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Pull(ctx, etl.Choice{}); err != nil {
			t.Fatal(err)
		}
		computed, err := h.Compute(ctx, october)
		if err != nil || !slices.Equal(computed, step.computed) {
			t.Errorf("%s: computed %v, %v; want %v", step.file, computed, err, step.computed)
		}
		var got string
		err = h.db.SQL().QueryRowContext(ctx, "select concat_ws(' ', rows_in, rows_current, rows_superseded) from bulletin.heading where month = ?", september.First()).Scan(&got)
		if err != nil || got != step.september {
			t.Errorf("%s: September prints %q, %v; want %q", step.file, got, err, step.september)
		}
	}
}
