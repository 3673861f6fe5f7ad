package pipeline

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tongbao/register"
)

// meter reads its figures when it is asked, from the register and the
// warehouse: they hold over restarts and cannot drift from the history. Nothing
// of it is about a person.
type meter struct{ service *Service }

func newMeter(s *Service) meter { return meter{s} }

// The figures. Totals are of what the history still holds; prune makes them
// smaller, which a Prometheus rate takes as a restart.
var (
	descBuild      = desc("tongbao_build_info", "1, with the version of the program", "version", "go")
	descRuns       = desc("tongbao_runs_total", "runs by job and what became of them", "job", "state")
	descQueue      = desc("tongbao_runs_queued", "runs that wait")
	descWorking    = desc("tongbao_runs_running", "runs at work")
	descSeconds    = desc("tongbao_run_duration_seconds", "how long runs that were done took, by job", "job")
	descRows       = desc("tongbao_rows_total", "rows taken in, by what became of them", "kind")
	descQuarantine = desc("tongbao_quarantine_rows", "rows that wait in quarantine, by source", "source")
	descDelivered  = desc("tongbao_source_delivered_timestamp_seconds", "newest delivery of a source", "source")
	descLate       = desc("tongbao_source_late", "1 if the last run that looked found the source late", "source", "level")
	descNotices    = desc("tongbao_notices", "messages to people by state", "state")
	descPublished  = desc("tongbao_last_published_timestamp_seconds", "when a run last published")
	descBackup     = desc("tongbao_last_backup_timestamp_seconds", "newest backup that was read back")
	descConfig     = desc("tongbao_config_in_force", "0 if the configuration on disk is refused")
	descFree       = desc("tongbao_disk_free_bytes", "free bytes where the workspace lies")
	descFailed     = desc("tongbao_collect_errors", "figures that could not be read for this answer")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe sends nothing: which figures there are depends on jobs and sources.
func (m meter) Describe(chan<- *prometheus.Desc) {}

// Collect reads all figures.
func (m meter) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	failed := 0
	for _, read := range []func(context.Context, chan<- prometheus.Metric) error{m.runs, m.sources, m.late, m.notices, m.place} {
		if read(ctx, out) != nil {
			failed++
		}
	}
	gauge(out, descFailed, float64(failed))
}

func gauge(out chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func counter(out chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
}

func (m meter) runs(ctx context.Context, out chan<- prometheus.Metric) error {
	totals, err := m.service.house.register.RunTotals(ctx)
	if err != nil {
		return err
	}
	var rows register.Counts
	waiting := map[register.RunState]int64{}
	for _, total := range totals {
		job := total.Job
		if job == "" {
			job = string(register.ByHand)
		}
		rows = rows.Add(total.Rows)
		if !total.State.IsOver() {
			waiting[total.State] += total.Runs
			continue
		}
		counter(out, descRuns, float64(total.Runs), job, string(total.State))
		if total.State == register.Done {
			out <- prometheus.MustNewConstSummary(descSeconds, uint64(total.Runs), total.Seconds, nil, job)
		}
	}
	gauge(out, descQueue, float64(waiting[register.Queued]))
	gauge(out, descWorking, float64(waiting[register.Running]))
	counter(out, descRows, float64(rows.Loaded), "loaded")
	counter(out, descRows, float64(rows.Duplicate), "duplicate")
	counter(out, descRows, float64(rows.Quarantined), "quarantined")
	return nil
}

func (m meter) sources(ctx context.Context, out chan<- prometheus.Metric) error {
	for _, one := range []struct {
		desc  *prometheus.Desc
		query string
	}{
		{descQuarantine, "select source, count(distinct (load_id, sheet, row_no))::double from core.quarantine where state = 'open' group by source order by source"},
		// Moments of delivery are civil ones of the town.
		{descDelivered, "select source, epoch(max(delivered_at) - interval 8 hour)::double from core.load group by source order by source"},
	} {
		rows, err := m.service.house.db.SQL().QueryContext(ctx, one.query)
		if err != nil {
			return err
		}
		for rows.Next() {
			var source string
			var value float64
			if err := rows.Scan(&source, &value); err != nil {
				rows.Close()
				return err
			}
			gauge(out, one.desc, value, source)
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}

// late goes by the newest run that was done and had a step that looks.
func (m meter) late(ctx context.Context, out chan<- prometheus.Metric) error {
	runs, err := m.service.house.register.Runs(ctx, register.RunFilter{States: []register.RunState{register.Done}, Limit: 50})
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run.Version > 0 {
			gauge(out, descPublished, float64(run.Ended.Unix()))
			break
		}
	}
	for _, run := range runs {
		looked := false
		for _, step := range run.Plan {
			looked = looked || step.Step == "run" || step.Step == "publish"
		}
		if !looked {
			continue
		}
		for _, late := range run.Late {
			gauge(out, descLate, 1, late.Source, late.Level)
		}
		return nil
	}
	return nil
}

func (m meter) notices(ctx context.Context, out chan<- prometheus.Metric) error {
	counts, err := m.service.house.register.NoticeCounts(ctx)
	if err != nil {
		return err
	}
	for _, state := range []register.NoticeState{register.Waiting, register.Sent, register.GivenUp} {
		gauge(out, descNotices, float64(counts[state]), string(state))
	}
	return nil
}

func (m meter) place(_ context.Context, out chan<- prometheus.Metric) error {
	house := m.service.house
	gauge(out, descBuild, 1, house.program, runtime.Version())
	var made Backup
	if readJSON(house.backupRecord(), &made) == nil {
		gauge(out, descBackup, float64(made.At.Unix()))
	}
	m.service.watch.mu.Lock()
	refused := m.service.watch.refused
	m.service.watch.mu.Unlock()
	inForce := 1.0
	if refused != nil {
		inForce = 0
	}
	gauge(out, descConfig, inForce)
	free, _, err := diskFree(house.path())
	if err == nil {
		gauge(out, descFree, float64(free))
	}
	return err
}
