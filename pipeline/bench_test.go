package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tongbao"
	"tongbao/data"
	"tongbao/etl"
	"tongbao/warehouse"
)

// The benchmarks print ratios taken in one run on one machine: the program's
// time over DuckDB's least possible work on the same data, which is measured
// before and after, so that other work on the machine hits both. They judge
// nothing.
//
//	make bench                                1 million tickets, then 10 million
//	make bench BENCH_TICKETS=1000000          only one size

const benchMonths = 33 // of a history; a tenth of it has benchMonths / 10

func benchSizes() []int {
	sizes := []int{1_000_000, 10_000_000}
	if text := os.Getenv("BENCH_TICKETS"); text != "" {
		if n, err := strconv.Atoi(text); err == nil {
			sizes = []int{n}
		}
	}
	return sizes
}

var benchUntil = tongbao.NewMonth(2026, 10)

func BenchmarkMonth(b *testing.B) {
	for _, tickets := range benchSizes() {
		b.Run(fmt.Sprintf("tickets=%d", tickets), func(b *testing.B) { benchMonth(b, tickets) })
	}
}

func benchMonth(b *testing.B, tickets int) {
	ctx := context.Background()
	for b.Loop() {
		h := benchTown(b, tickets, benchMonths)
		read := leastRead(b, h)
		resetPeak(b)
		report, first := pullTimed(b, h, benchSource)
		peak := peakMB(b)
		read = (read + leastRead(b, h)) / 2
		b.ReportMetric(first.Seconds()/read.Seconds(), "load/read")
		b.Logf("load: %d tickets in %d files, %.1f s, typed read of them %.1f s: %.2f x (goal 2.5); peak memory %d MB",
			tickets, len(report.Loads), first.Seconds(), read.Seconds(), first.Seconds()/read.Seconds(), peak)
		logShares(b, report)
		b.Logf("folding the WAL into the file afterwards: %.1f s", fold(b, h).Seconds())
		report, others := pullTimed(b, h)
		b.Logf("load of the %d small deliveries of the other sources: %.1f s, %.0f ms each", len(report.Loads), others.Seconds(), others.Seconds()*1000/float64(len(report.Loads)))
		logShares(b, report)

		again := redeliver(b, h)
		b.ReportMetric(again.Seconds()/first.Seconds(), "again/first")
		b.Logf("re-delivery of 1%% changed rows: %.1f s: %.3f x of the first load (goal 0.1)", again.Seconds(), again.Seconds()/first.Seconds())

		resetPeak(b)
		if _, err := h.Compute(ctx, benchUntil); err != nil {
			b.Fatal(err)
		}
		b.Logf("compute %d months: peak memory %d MB", benchMonths, peakMB(b))
		whole := rebuildMonth(b, h)
		scan := leastScan(b, h)
		b.ReportMetric(whole.Seconds()/scan.Seconds(), "month/scan")
		b.Logf("a month: %.2f s, one scan of its ticket counts %.3f s: %.1f x (goal 5)", whole.Seconds(), scan.Seconds(), whole.Seconds()/scan.Seconds())
		h.Close()

		short := benchTown(b, tickets/10, benchMonths/10)
		if _, err := short.Pull(ctx, etl.Choice{}); err != nil {
			b.Fatal(err)
		}
		if _, err := short.Compute(ctx, benchUntil); err != nil {
			b.Fatal(err)
		}
		tenth := rebuildMonth(b, short)
		short.Close()
		b.ReportMetric(whole.Seconds()/tenth.Seconds(), "tenfold")
		b.Logf("the same month with a tenth of the history: %.2f s: %.2f x (goal 1.3)", tenth.Seconds(), whole.Seconds()/tenth.Seconds())
	}
}

const benchSource = "tickets_12345" // the one that has nearly all tickets

func pullTimed(b *testing.B, h *House, sources ...string) (etl.Report, time.Duration) {
	b.Helper()
	clock := time.Now()
	report, err := h.Pull(context.Background(), etl.Choice{Sources: sources})
	if err != nil {
		b.Fatal(err)
	}
	return report, time.Since(clock)
}

func benchTown(b *testing.B, tickets, months int) *House {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "town")
	demo := data.Demo{Dir: dir, Months: months, Until: benchUntil, Seed: 1, Grids: 147, Tickets: tickets}
	if err := InitDemo(context.Background(), demo); err != nil {
		b.Fatal(err)
	}
	h, err := Open(context.Background(), dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return h
}

// fold is what closing does for the file; it is not in the load's time, nor is
// that of the file that is read into.
func fold(b *testing.B, h *House) time.Duration {
	b.Helper()
	clock := time.Now()
	if _, err := h.db.SQL().Exec("checkpoint"); err != nil {
		b.Fatal(err)
	}
	return time.Since(clock)
}

// leastRead is the least that DuckDB can do: read the ticket files with every
// column and type given into a table of a fresh database. Moments are cast with
// TRY_CAST: the reader's own cast stops at the first full-width digit.
func leastRead(b *testing.B, h *House) time.Duration {
	b.Helper()
	file := filepath.Join(b.TempDir(), "least.duckdb")
	db, err := warehouse.Open(context.Background(), file, h.engine())
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(file)
	defer db.Close()
	files, err := filepath.Glob(filepath.Join(h.inboxDir(), "12345工单_*.csv"))
	if err != nil || len(files) == 0 {
		b.Fatal("no ticket files", err)
	}
	head, err := os.ReadFile(files[0])
	if err != nil {
		b.Fatal(err)
	}
	line, _, _ := strings.Cut(string(head), "\n")
	var columns, moments []string
	for _, name := range strings.Split(strings.TrimSpace(line), ",") {
		kind := "VARCHAR"
		if strings.HasSuffix(name, "时间") {
			moments = append(moments, fmt.Sprintf("try_cast(%[1]s as timestamp) as %[1]s", name))
		} else if name == "返工次数" {
			kind = "BIGINT"
		}
		columns = append(columns, fmt.Sprintf("'%s': '%s'", name, kind))
	}
	statement := fmt.Sprintf("create table ticket as select * replace (%s) from read_csv(['%s'], auto_detect = false, header = true, delim = ',', quote = '\"', columns = {%s})",
		strings.Join(moments, ", "), strings.Join(files, "', '"), strings.Join(columns, ", "))
	clock := time.Now()
	if _, err := db.SQL().Exec(statement); err != nil {
		b.Fatal(err)
	}
	return time.Since(clock)
}

// logShares logs the share of each stage in the time of all; a delivery is
// typed while the one before it is merged, so they come to more than the clock.
func logShares(b *testing.B, report etl.Report) {
	sums := map[string]time.Duration{}
	var names []string
	var all time.Duration
	for _, load := range report.Loads {
		for _, step := range load.Steps {
			if sums[step.Name] == 0 {
				names = append(names, step.Name)
			}
			sums[step.Name] += step.Took
			all += step.Took
		}
	}
	for _, name := range names {
		b.Logf("  %-30s %6.1f s  %3.0f %%", name, sums[name].Seconds(), 100*sums[name].Seconds()/all.Seconds())
	}
}

// redeliver sends every hundredth row of the ticket files again, as changed.
func redeliver(b *testing.B, h *House) time.Duration {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(h.inboxDir(), "12345工单_*.csv"))
	if err != nil {
		b.Fatal(err)
	}
	slices.Sort(files)
	var text strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		number := 0
		for line := range strings.Lines(string(content)) {
			switch {
			case number == 0 && text.Len() == 0:
				text.WriteString(line)
			case number > 0 && number%100 == 0:
				body := strings.TrimRight(line, "\r\n")
				at := strings.LastIndexByte(body, ',')
				text.WriteString(body[:at] + ",2026-11-03 17:00:00" + line[len(body):])
			}
			number++
		}
	}
	if err := os.WriteFile(filepath.Join(h.inboxDir(), "12345工单_20261104.csv"), []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	_, took := pullTimed(b, h, benchSource)
	return took
}

// rebuildMonth is the median of three builds of the last month.
func rebuildMonth(b *testing.B, h *House) time.Duration {
	b.Helper()
	return median(b, func() error { return h.db.BuildMonth(context.Background(), h.Queries, benchUntil, "bench") })
}

// leastScan is one hand-written look at core.ticket that counts what the
// month's ticket indicators count.
func leastScan(b *testing.B, h *House) time.Duration {
	b.Helper()
	const statement = `select grid_id, line, kind,
    count(*) filter (due_at >= date '2026-10-01' and due_at < date '2026-11-01') as due,
    count(*) filter (due_at >= date '2026-10-01' and due_at < date '2026-11-01' and coalesce(disposed_at, closed_at) < date '2026-11-01') as settled,
    count(*) filter (due_at >= date '2026-10-01' and due_at < date '2026-11-01' and coalesce(disposed_at, closed_at) <= due_at) as on_time,
    count(*) filter (closed_at >= date '2026-10-01' and closed_at < date '2026-11-01') as closed,
    count(*) filter (closed_at >= date '2026-10-01' and closed_at < date '2026-11-01' and rework_count > 0) as reworked,
    count(*) filter (due_at < date '2026-11-01' and coalesce(disposed_at, closed_at) is null) as overdue,
    count(*) filter (is_postponed and due_at >= date '2026-10-01' and due_at < date '2026-11-01') as postponed,
    count(*) filter (reported_at::date = disposed_at::date and reported_at >= date '2026-10-01') as same_day
from core.ticket
where reported_at < date '2026-11-01' and state not in ('void', 'hung', 'out_of_duty')
    and (reported_at >= date '2026-10-01' or due_at >= date '2026-10-01' or closed_at >= date '2026-10-01'
        or disposed_at >= date '2026-10-01' or coalesce(disposed_at, closed_at) is null)
group by all`
	return median(b, func() error {
		_, err := h.db.Rows(context.Background(), statement)
		return err
	})
}

func median(b *testing.B, work func() error) time.Duration {
	b.Helper()
	var took []time.Duration
	for range 3 {
		clock := time.Now()
		if err := work(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(clock))
	}
	slices.Sort(took)
	return took[1]
}

// resetPeak and peakMB read the kernel's high-water mark of this process.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil {
		b.Logf("the peak of memory is that of the whole process: %v", err)
	}
}

func peakMB(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _ := strconv.Atoi(strings.Fields(after)[0])
	return kilobytes / 1024
}
