package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tongbao"
)

// Trigger says why a run exists.
type Trigger string

const (
	ByClock Trigger = "clock"    // its time came while the service watched
	ByHand  Trigger = "by hand"  // somebody asked for it
	CatchUp Trigger = "catch-up" // its time passed while nobody watched
	Again   Trigger = "retry"    // an earlier run failed or was interrupted
)

// RunState is where a run stands. Queued and running runs are not over.
type RunState string

const (
	Queued      RunState = "queued"
	Running     RunState = "running"
	Done        RunState = "done"
	Failed      RunState = "failed"
	Interrupted RunState = "interrupted" // the process ended before the run did
	Cancelled   RunState = "cancelled"
	Skipped     RunState = "skipped" // the run before it had not ended (overlap: skip)
	Missed      RunState = "missed"  // its time passed while nobody watched, and its job does not catch up
)

// IsOver says whether a run in this state will not change any more.
func (s RunState) IsOver() bool { return s != Queued && s != Running }

// Counts accounts for rows taken in: In = Loaded + Duplicate + Quarantined.
type Counts struct {
	In          int64 `json:"in"`
	Loaded      int64 `json:"loaded"`
	Duplicate   int64 `json:"duplicate"`
	Quarantined int64 `json:"quarantined"`
}

// Add sums up.
func (c Counts) Add(other Counts) Counts {
	return Counts{c.In + other.In, c.Loaded + other.Loaded, c.Duplicate + other.Duplicate, c.Quarantined + other.Quarantined}
}

// Run is one row of the history: what was due or asked for, and what became
// of it. Moments are zero until they come.
type Run struct {
	ID        int64         `json:"run"`
	Job       string        `json:"job"` // "" when asked for by hand
	Trigger   Trigger       `json:"trigger"`
	DueAt     time.Time     `json:"due_at,omitzero"` // when its job said; zero by hand
	Attempt   int           `json:"attempt"`         // 1, and one more for each retry
	RetryOf   int64         `json:"retry_of,omitempty"`
	NotBefore time.Time     `json:"not_before,omitzero"` // a retry waits until then
	Period    tongbao.Month `json:"period,omitzero"`
	Plan      []PlanStep    `json:"plan"`
	QueuedAt  time.Time     `json:"queued_at,omitzero"`
	Started   time.Time     `json:"started,omitzero"`
	Ended     time.Time     `json:"ended,omitzero"`
	State     RunState      `json:"state"`
	Rows      Counts        `json:"rows"`
	Version   int           `json:"version,omitempty"` // published by this run, 0 if none was
	Warnings  []string      `json:"warnings,omitempty"`
	Late      []LateSource  `json:"late,omitempty"` // sources that were late when the run looked
	Error     string        `json:"error,omitempty"`
	Steps     []RunStep     `json:"steps,omitempty"`
}

// LateSource is a source whose delivery was due and had not come.
type LateSource struct {
	Source string    `json:"source"`
	Name   string    `json:"name"`
	Level  string    `json:"level"` // warn or error, as the source's definition says
	DueAt  time.Time `json:"due_at"`
	Text   string    `json:"text"` // what was due, in words
}

// PlanStep is a step that a run is going to do: pull, run, publish, report …
type PlanStep struct {
	Step string   `json:"step"`
	Args []string `json:"args,omitempty"` // sources of a pull, folder of a report
}

// RunStep is a step that was begun.
type RunStep struct {
	Step    string    `json:"step"`
	State   RunState  `json:"state"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Rows    Counts    `json:"rows"`
	Note    string    `json:"note,omitempty"` // what it did, in words
	Error   string    `json:"error,omitempty"`
}

// A due moment of a job has one run of each attempt: that is what "never
// twice" rests on. is_released marks those that ran under a clock that was
// wrong by days; their moments are free again.
const runSchema = `
create table if not exists run (
    run_id integer primary key autoincrement,
    job text not null, trigger text not null, due_at text not null, attempt integer not null,
    retry_of integer not null, not_before text not null, period text not null, plan text not null,
    queued_at text not null, started_at text not null, ended_at text not null, state text not null,
    rows_in integer not null default 0, rows_loaded integer not null default 0,
    rows_duplicate integer not null default 0, rows_quarantined integer not null default 0,
    version integer not null default 0, warnings text not null default 'null', late text not null default 'null', error text not null default '',
    is_released integer not null default 0
) strict;
create unique index if not exists run_due on run (job, due_at, attempt) where job <> '' and due_at <> '' and is_released = 0;
create index if not exists run_state on run (state, run_id);
create table if not exists run_step (
    run_id integer not null references run, seq integer not null, step text not null, state text not null,
    started_at text not null, ended_at text not null,
    rows_in integer not null, rows_loaded integer not null, rows_duplicate integer not null, rows_quarantined integer not null,
    note text not null, error text not null, primary key (run_id, seq)
) strict;
create table if not exists job_due (
    job text primary key, schedule text not null, decided_until text not null
) strict;
`

// moment writes a time so that texts sort as moments do; "" is the zero time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func parseMoment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse("2006-01-02T15:04:05.000Z", text)
}

const runColumns = `run_id, job, trigger, due_at, attempt, retry_of, not_before, period, plan, queued_at, started_at,
	ended_at, state, rows_in, rows_loaded, rows_duplicate, rows_quarantined, version, warnings, late, error`

func scanRun(row interface{ Scan(...any) error }) (Run, error) {
	var run Run
	var due, notBefore, period, plan, queued, started, ended, warnings, late string
	err := row.Scan(&run.ID, &run.Job, &run.Trigger, &due, &run.Attempt, &run.RetryOf, &notBefore, &period, &plan, &queued, &started,
		&ended, &run.State, &run.Rows.In, &run.Rows.Loaded, &run.Rows.Duplicate, &run.Rows.Quarantined, &run.Version, &warnings, &late, &run.Error)
	if err != nil {
		return run, err
	}
	var failed []error
	for _, field := range []struct {
		text string
		into *time.Time
	}{{due, &run.DueAt}, {notBefore, &run.NotBefore}, {queued, &run.QueuedAt}, {started, &run.Started}, {ended, &run.Ended}} {
		*field.into, err = parseMoment(field.text)
		failed = append(failed, err)
	}
	failed = append(failed, run.Period.UnmarshalText([]byte(period)),
		json.Unmarshal([]byte(plan), &run.Plan), json.Unmarshal([]byte(warnings), &run.Warnings), json.Unmarshal([]byte(late), &run.Late))
	return run, errors.Join(failed...)
}

// RunFilter narrows a list of runs; zero values do not.
type RunFilter struct {
	ID     int64
	Job    string
	States []RunState
	Limit  int // newest first if set
}

// Runs lists runs, oldest first; with a limit the newest so many, newest first.
func (r *Register) Runs(ctx context.Context, f RunFilter) ([]Run, error) {
	query, args := "select "+runColumns+" from run where 1 = 1", []any{}
	if f.ID != 0 {
		query, args = query+" and run_id = ?", append(args, f.ID)
	}
	if f.Job != "" {
		query, args = query+" and job = ?", append(args, f.Job)
	}
	if len(f.States) > 0 {
		marks := ""
		for _, state := range f.States {
			marks, args = marks+", ?", append(args, string(state))
		}
		query += " and state in (" + marks[2:] + ")"
	}
	if f.Limit > 0 {
		query, args = query+" order by run_id desc limit ?", append(args, f.Limit)
	} else {
		query += " order by run_id"
	}
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer rows.Close()
	var runs []Run
	for rows.Next() {
		run, err := scanRun(rows)
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		runs = append(runs, run)
	}
	return runs, rows.Err()
}

// ErrNoRun is returned for a number that no run has.
var ErrNoRun = errors.New("there is no such run")

// Run returns one run with its steps.
func (r *Register) Run(ctx context.Context, id int64) (Run, error) {
	run, err := scanRun(r.db.QueryRowContext(ctx, "select "+runColumns+" from run where run_id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return run, fmt.Errorf("run %d: %w", id, ErrNoRun)
	}
	if err != nil {
		return run, err
	}
	rows, err := r.db.QueryContext(ctx, `select step, state, started_at, ended_at, rows_in, rows_loaded, rows_duplicate,
		rows_quarantined, note, error from run_step where run_id = ? order by seq`, id)
	if err != nil {
		return run, err
	}
	defer rows.Close()
	for rows.Next() {
		var step RunStep
		var started, ended string
		if err := rows.Scan(&step.Step, &step.State, &started, &ended, &step.Rows.In, &step.Rows.Loaded,
			&step.Rows.Duplicate, &step.Rows.Quarantined, &step.Note, &step.Error); err != nil {
			return run, err
		}
		var wrong error
		if step.Started, err = parseMoment(started); err != nil {
			return run, err
		}
		if step.Ended, wrong = parseMoment(ended); wrong != nil {
			return run, wrong
		}
		run.Steps = append(run.Steps, step)
	}
	return run, rows.Err()
}
