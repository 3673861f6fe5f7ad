package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// execer is a connection or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// insertRun adds a run; false means that its due moment has this attempt
// already.
func insertRun(ctx context.Context, db execer, run *Run) (bool, error) {
	plan, err := json.Marshal(run.Plan)
	if err != nil {
		return false, err
	}
	warnings, err := json.Marshal(run.Warnings)
	if err != nil {
		return false, err
	}
	run.Attempt = max(run.Attempt, 1)
	result, err := db.ExecContext(ctx, `insert into run (job, trigger, due_at, attempt, retry_of, not_before, period, plan,
			queued_at, started_at, ended_at, state, warnings, error)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		run.Job, string(run.Trigger), moment(run.DueAt), run.Attempt, run.RetryOf, moment(run.NotBefore), run.Period.String(), string(plan),
		moment(run.QueuedAt), moment(run.Started), moment(run.Ended), string(run.State), string(warnings), run.Error)
	if err != nil {
		return false, fmt.Errorf("add run: %w", err)
	}
	if added, err := result.RowsAffected(); err != nil || added == 0 {
		return false, err
	}
	run.ID, err = result.LastInsertId()
	return true, err
}

// AddRun adds a run that somebody asked for and gives it its number.
func (r *Register) AddRun(ctx context.Context, run *Run) error {
	added, err := insertRun(ctx, r.db, run)
	if err == nil && !added {
		err = fmt.Errorf("add run: %s of %s has its attempt %d already", run.Job, moment(run.DueAt), run.Attempt)
	}
	return err
}

// StartRun marks a queued run as running; false means that it is not queued
// any more.
func (r *Register) StartRun(ctx context.Context, id int64, now time.Time) (bool, error) {
	result, err := r.db.ExecContext(ctx, "update run set state = ?, started_at = ? where run_id = ? and state = ?",
		string(Running), moment(now), id, string(Queued))
	if err != nil {
		return false, fmt.Errorf("start run %d: %w", id, err)
	}
	changed, err := result.RowsAffected()
	return changed == 1, err
}

// SetStep writes the step that stands at seq of a run.
func (r *Register) SetStep(ctx context.Context, id int64, seq int, step RunStep) error {
	_, err := r.db.ExecContext(ctx, "insert or replace into run_step values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		id, seq, step.Step, string(step.State), moment(step.Started), moment(step.Ended),
		step.Rows.In, step.Rows.Loaded, step.Rows.Duplicate, step.Rows.Quarantined, step.Note, step.Error)
	if err != nil {
		return fmt.Errorf("step %d of run %d: %w", seq, id, err)
	}
	return nil
}

// EndRun closes a run that is not over and, in the same transaction, queues
// its retry where there is one. A run that is over stays as it is.
func (r *Register) EndRun(ctx context.Context, run Run, retry *Run) error {
	warnings, err := json.Marshal(run.Warnings)
	if err != nil {
		return err
	}
	late, err := json.Marshal(run.Late)
	if err != nil {
		return err
	}
	return r.change(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `update run set state = ?, ended_at = ?, rows_in = ?, rows_loaded = ?, rows_duplicate = ?,
				rows_quarantined = ?, version = ?, warnings = ?, late = ?, error = ?
			where run_id = ? and state in ('queued', 'running')`,
			string(run.State), moment(run.Ended), run.Rows.In, run.Rows.Loaded, run.Rows.Duplicate,
			run.Rows.Quarantined, run.Version, string(warnings), string(late), run.Error, run.ID)
		if err != nil {
			return fmt.Errorf("end run %d: %w", run.ID, err)
		}
		if changed, err := result.RowsAffected(); err != nil || changed == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, "update run_step set state = ?, ended_at = ? where run_id = ? and state = 'running'",
			string(run.State), moment(run.Ended), run.ID)
		if err != nil || retry == nil {
			return err
		}
		_, err = insertRun(ctx, tx, retry)
		return err
	})
}

func (r *Register) change(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the register: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(tx); err != nil {
		return fmt.Errorf("write the register: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the register: %w", err)
	}
	return nil
}

// JobDue is what the register remembers of a job's times: all of them up to
// DecidedUntil have their run, or were passed over.
type JobDue struct {
	Job, Schedule string
	DecidedUntil  time.Time
}

// JobsDue returns what is remembered, by job.
func (r *Register) JobsDue(ctx context.Context) (map[string]JobDue, error) {
	rows, err := r.db.QueryContext(ctx, "select job, schedule, decided_until from job_due")
	if err != nil {
		return nil, fmt.Errorf("read due times: %w", err)
	}
	defer rows.Close()
	due := map[string]JobDue{}
	for rows.Next() {
		var d JobDue
		var until string
		if err := rows.Scan(&d.Job, &d.Schedule, &until); err != nil {
			return nil, err
		}
		if d.DecidedUntil, err = parseMoment(until); err != nil {
			return nil, err
		}
		due[d.Job] = d
	}
	return due, rows.Err()
}

// Decision is what came of looking at the clock.
type Decision struct {
	Due     []JobDue
	Runs    []Run    // a moment that has its run already is passed over; the others get their numbers
	Notices []Notice // what people are told of it
	Forget  []string // jobs that are no more
	// ReleaseAfter, where it is not zero, frees the due moments after it: they
	// ran while the clock was wrong.
	ReleaseAfter time.Time
}

// Decide remembers a decision, in one transaction.
func (r *Register) Decide(ctx context.Context, d Decision) error {
	return r.change(ctx, func(tx *sql.Tx) error {
		var failed []error
		do := func(query string, args ...any) {
			_, err := tx.ExecContext(ctx, query, args...)
			failed = append(failed, err)
		}
		if !d.ReleaseAfter.IsZero() {
			do("update run set is_released = 1 where due_at > ? and state not in ('queued', 'running')", moment(d.ReleaseAfter))
		}
		for i := range d.Runs {
			_, err := insertRun(ctx, tx, &d.Runs[i])
			failed = append(failed, err)
		}
		for _, due := range d.Due {
			do("insert or replace into job_due values (?, ?, ?)", due.Job, due.Schedule, moment(due.DecidedUntil))
		}
		for _, notice := range d.Notices {
			_, err := insertNotice(ctx, tx, notice)
			failed = append(failed, err)
		}
		for _, job := range d.Forget {
			do("delete from job_due where job = ?", job)
		}
		return errors.Join(failed...)
	})
}
