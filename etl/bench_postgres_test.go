package etl

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkPostgresPull holds a pull against psql's \copy of the same rows in
// the same run: fetched and landed (the goal: at least half as fast), and taken
// in altogether. Each is done three times and the best counts.
func BenchmarkPostgresPull(b *testing.B) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		b.Fatal("no psql; make setup installs Debian's postgresql")
	}
	const rows = 1_000_000
	address := startPostgres(b)
	b.Setenv("TONGBAO_TEST_PG", address)
	execPostgres(b, address, repairTable, fmt.Sprintf(`insert into repair select 900000000000000000 + i, '一号楼', case when i %% 3 = 0 then 'done' else 'open' end,
		timestamptz '2024-01-01 08:00+08' + i * interval '13 seconds', timestamp '2024-01-03' + i * interval '13 seconds', (i %% 100000) / 100.0, i %% 7 = 0,
		timestamptz '2024-01-03 08:00+08' + i * interval '13 seconds' from generate_series(1, %d) as i`, rows), "analyze repair")
	copyOut, fetch, whole := time.Duration(1<<62), time.Duration(1<<62), time.Duration(1<<62)
	var steps []string
	for range 3 {
		target := filepath.Join(b.TempDir(), "copy.csv")
		start := time.Now()
		output, err := exec.Command(psql, address, "-c", `\copy (select id, "所属网格", state, reported, finished, budget, common, updated_at from repair) to '`+target+`' csv header`).CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, output)
		}
		copyOut = min(copyOut, time.Since(start))

		w := newServed(b, repairsFrom(fromRepairTable))
		d := w.in.definition("repairs_db")
		start = time.Now()
		_, item, err := w.in.fetch(b.Context(), w.db, d)
		if err != nil {
			b.Fatal(err)
		}
		fetched := time.Since(start)
		load, err := w.in.take(b.Context(), w.db, d, item)
		if err != nil || load.Loaded != rows {
			b.Fatalf("got %d rows, want %d: %v", load.Loaded, rows, err)
		}
		if took := time.Since(start); took < whole {
			whole, steps = took, nil
			for _, step := range load.Steps {
				steps = append(steps, fmt.Sprintf("%s %s", step.Name, step.Took.Round(time.Millisecond)))
			}
		}
		fetch = min(fetch, fetched)
		w.db.Close()
	}
	b.ReportMetric(copyOut.Seconds(), "copy-s")
	b.ReportMetric(fetch.Seconds(), "fetch-s")
	b.ReportMetric(whole.Seconds(), "pull-s")
	b.ReportMetric(copyOut.Seconds()/fetch.Seconds(), "fetch/copy-speed")
	b.ReportMetric(copyOut.Seconds()/whole.Seconds(), "pull/copy-speed")
	b.Logf("%d rows: \\copy %s, fetched and landed %s, pulled altogether %s (%s)", rows,
		copyOut.Round(time.Millisecond), fetch.Round(time.Millisecond), whole.Round(time.Millisecond), strings.Join(steps, ", "))
}
