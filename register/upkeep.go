package register

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// CopyTo writes a consistent copy of the register to a new file while others
// may write it.
func (r *Register) CopyTo(ctx context.Context, path string) error {
	if _, err := r.db.ExecContext(ctx, "vacuum into ?", path); err != nil {
		return fmt.Errorf("copy the register: %w", err)
	}
	return nil
}

// Check reads the register through and returns what SQLite finds wrong.
func (r *Register) Check(ctx context.Context) error {
	rows, err := r.db.QueryContext(ctx, "pragma quick_check(5)")
	if err != nil {
		return fmt.Errorf("check the register: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("check the register: %w", err)
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("the register is damaged: %s", strings.Join(found, "; "))
	}
	return rows.Err()
}

// Forget removes runs that were over, and notices that were settled, before a
// moment, and returns how many there were. What was due stays remembered.
func (r *Register) Forget(ctx context.Context, before time.Time) (runs, notices int64, err error) {
	const old = "select run_id from run where ended_at <> '' and ended_at < ? and state not in ('queued', 'running')"
	if _, err := r.db.ExecContext(ctx, "delete from run_step where run_id in ("+old+")", moment(before)); err != nil {
		return 0, 0, fmt.Errorf("forget runs: %w", err)
	}
	for _, one := range []struct {
		query string
		count *int64
	}{
		{"delete from run where run_id in (" + old + ")", &runs},
		{"delete from notice where settled_at <> '' and settled_at < ?", &notices},
	} {
		result, err := r.db.ExecContext(ctx, one.query, moment(before))
		if err != nil {
			return 0, 0, fmt.Errorf("forget runs: %w", err)
		}
		if *one.count, err = result.RowsAffected(); err != nil {
			return 0, 0, err
		}
	}
	return runs, notices, nil
}

// RunTotal sums up the runs of a job that ended in one state.
type RunTotal struct {
	Job     string
	State   RunState
	Runs    int64
	Seconds float64 // of all of them together
	Rows    Counts
}

// RunTotals sums up all runs that the register remembers.
func (r *Register) RunTotals(ctx context.Context) ([]RunTotal, error) {
	rows, err := r.db.QueryContext(ctx, `select job, state, count(*),
			coalesce(sum(case when started_at <> '' and ended_at <> '' then (julianday(ended_at) - julianday(started_at)) * 86400 end), 0.0),
			sum(rows_in), sum(rows_loaded), sum(rows_duplicate), sum(rows_quarantined)
		from run group by job, state order by job, state`)
	if err != nil {
		return nil, fmt.Errorf("sum up runs: %w", err)
	}
	defer rows.Close()
	var totals []RunTotal
	for rows.Next() {
		var t RunTotal
		if err := rows.Scan(&t.Job, &t.State, &t.Runs, &t.Seconds, &t.Rows.In, &t.Rows.Loaded, &t.Rows.Duplicate, &t.Rows.Quarantined); err != nil {
			return nil, fmt.Errorf("sum up runs: %w", err)
		}
		totals = append(totals, t)
	}
	return totals, rows.Err()
}
