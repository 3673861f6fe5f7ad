package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tongbao"
	"tongbao/register"
)

const (
	// onTime is how long after its moment a run still counts as started by the
	// clock; later it is a catch-up.
	onTime = 5 * time.Minute
	// maxCatchUp bounds the missed moments of one job that catchup: all makes
	// up for at once; older ones are named in a warning.
	maxCatchUp = 1000
	// setBack is how far the clock may be set back without doubt: what was done
	// stays done. Further back, it was wrong before, and what it started after
	// the present moment is due again.
	setBack = 24 * time.Hour
)

// dispatcher decides what is due. What was due and what was done is on the
// register only, so that it does not matter when the process ends.
type dispatcher struct {
	register *register.Register
	jobs     []Job
	words    func([]passed) ([]register.Notice, error) // tells people of passed times; nil tells nobody
}

// passed are times of a job that nothing is done for.
type passed struct {
	job         *Job
	isSkipped   bool // the run before was at work; else nobody watched the clock
	times       int
	first, last time.Time
}

// decision is what a person should know of a tick.
type decision struct {
	notes []string
	over  []register.Run // runs that will not be done: skipped or missed
}

// tick decides every due moment up to now, in order.
func (d dispatcher) tick(ctx context.Context, now time.Time) (made decision, err error) {
	remembered, err := d.register.JobsDue(ctx)
	if err != nil {
		return made, err
	}
	busy, err := d.busy(ctx)
	if err != nil {
		return made, err
	}
	var decided register.Decision
	var lost []passed
	for i := range d.jobs {
		job := &d.jobs[i]
		known, isKnown := remembered[job.Name]
		delete(remembered, job.Name)
		fresh := register.JobDue{Job: job.Name, Schedule: job.when(), DecidedUntil: now}
		switch {
		case !isKnown || known.Schedule != fresh.Schedule:
			decided.Due = append(decided.Due, fresh)
			continue
		case now.Before(known.DecidedUntil.Add(-setBack)):
			decided.Due, decided.ReleaseAfter = append(decided.Due, fresh), now
			made.notes = append(made.notes, fmt.Sprintf("the clock was set back from at least %s to %s; job %s goes on from now",
				known.DecidedUntil.In(job.zone).Format(time.DateTime), now.In(job.zone).Format(time.DateTime), job.Name))
			continue
		}
		due, last := job.due(known.DecidedUntil, now)
		if last.IsZero() {
			continue
		}
		fresh.DecidedUntil = last
		decided.Due = append(decided.Due, fresh)
		runs := job.runs(due, now, busy[job.Name])
		decided.Runs = append(decided.Runs, runs...)
		lost = append(lost, job.passed(due, runs)...)
	}
	for name := range remembered {
		decided.Forget = append(decided.Forget, name)
	}
	if len(decided.Due)+len(decided.Forget) == 0 {
		return made, nil
	}
	// Stable: jobs of the same minute keep the order of the configuration.
	slices.SortStableFunc(decided.Runs, func(a, b register.Run) int { return a.DueAt.Compare(b.DueAt) })
	if d.words != nil && len(lost) > 0 {
		if decided.Notices, err = d.words(lost); err != nil {
			return made, err
		}
	}
	if err := d.register.Decide(ctx, decided); err != nil {
		return decision{}, err
	}
	for _, run := range decided.Runs {
		if run.State.IsOver() && run.ID != 0 {
			made.over = append(made.over, run)
		}
	}
	return made, nil
}

// passed finds the times among those due that have no run, or one that is not
// going to be done.
func (j *Job) passed(due overdue, runs []register.Run) (found []passed) {
	unmade := len(due.moments) - len(runs)
	missed := passed{job: j, times: due.dropped + unmade, first: due.first, last: due.lastDropped}
	if unmade > 0 {
		missed.last = due.moments[unmade-1]
	}
	for _, run := range runs {
		switch run.State {
		case register.Missed:
			missed.times++
			missed.last = run.DueAt
		case register.Skipped:
			found = append(found, passed{j, true, 1, run.DueAt, run.DueAt})
		}
	}
	if missed.times > 0 {
		found = append(found, missed)
	}
	return found
}

// busy returns for each job a run of it that is not over.
func (d dispatcher) busy(ctx context.Context) (map[string]int64, error) {
	open, err := d.register.Runs(ctx, register.RunFilter{States: []register.RunState{register.Queued, register.Running}})
	busy := map[string]int64{}
	for _, run := range open {
		busy[run.Job] = run.ID
	}
	return busy, err
}

// overdue are the moments of a job that came since it was last looked at:
// the newest maxCatchUp of them, and how many there were before those.
type overdue struct {
	moments []time.Time
	dropped int

	first, lastDropped time.Time // zero if there is none
}

func (j *Job) due(after, now time.Time) (found overdue, last time.Time) {
	for at := j.table.next(after); !at.IsZero() && !at.After(now); at = j.table.next(at) {
		if len(found.moments) == maxCatchUp {
			found.lastDropped, found.moments = found.moments[0], found.moments[1:]
			found.dropped++
		}
		if found.first.IsZero() {
			found.first = at
		}
		found.moments = append(found.moments, at)
		last = at
	}
	return found, last
}

// runs turns due moments into runs, as catchup and overlap say. busy is a run
// of the job that is not over, 0 if there is none.
func (j *Job) runs(due overdue, now time.Time, busy int64) []register.Run {
	passed, chosen := due.dropped, due.moments
	if j.CatchUp != "all" {
		passed, chosen = passed+len(chosen)-1, chosen[len(chosen)-1:]
	}
	var runs []register.Run
	for i, at := range chosen {
		run := j.run(at, now)
		if i == 0 && passed > 0 {
			run.Warnings = []string{fmt.Sprintf("%d earlier times of %s passed while the service was not running (catchup: %s)", passed, j.Name, j.CatchUp)}
		}
		if now.Sub(at) > onTime {
			run.Trigger = register.CatchUp
		}
		switch {
		case run.Trigger == register.CatchUp && j.CatchUp == "none":
			run.State, run.Ended = register.Missed, now
		case run.Trigger == register.ByClock && busy != 0 && j.Overlap == "skip":
			run.State, run.Ended = register.Skipped, now
			run.Error = fmt.Sprintf("run %d of %s was not over (overlap: skip)", busy, j.Name)
		}
		runs = append(runs, run)
	}
	return runs
}

// run is the first attempt at a due moment. Its period is the last whole month
// of that moment, not of the moment at which it is made up for.
func (j *Job) run(at, now time.Time) register.Run {
	return register.Run{
		Job: j.Name, Trigger: register.ByClock, DueAt: at, Attempt: 1, Plan: j.plan(), State: register.Queued,
		Period: tongbao.MonthOf(at.In(j.zone)).Prev(), QueuedAt: now,
	}
}

// take marks the next queued run as running and returns it; nil if none may
// start yet.
func (d dispatcher) take(ctx context.Context, now time.Time) (*register.Run, error) {
	queued, err := d.register.Runs(ctx, register.RunFilter{States: []register.RunState{register.Queued}})
	if err != nil {
		return nil, err
	}
	for _, run := range queued {
		if run.NotBefore.After(now) {
			continue
		}
		started, err := d.register.StartRun(ctx, run.ID, now)
		if err != nil {
			return nil, err
		}
		if started {
			run.State, run.Started = register.Running, now
			return &run, nil
		}
	}
	return nil, nil
}

// end closes a run and queues its retry where its job says so.
func (d dispatcher) end(ctx context.Context, run register.Run) error {
	return d.register.EndRun(ctx, run, d.retry(run))
}

// retry is the next attempt after a run that failed or was interrupted, nil if
// its job has none left.
func (d dispatcher) retry(run register.Run) *register.Run {
	if run.State != register.Failed && run.State != register.Interrupted || run.Job == "" {
		return nil
	}
	i := slices.IndexFunc(d.jobs, func(j Job) bool { return j.Name == run.Job })
	if i < 0 || run.Attempt > d.jobs[i].Retries {
		return nil
	}
	again := register.Run{
		Job: run.Job, Trigger: register.Again, DueAt: run.DueAt, Attempt: run.Attempt + 1, RetryOf: run.ID,
		Period: run.Period, Plan: run.Plan, State: register.Queued, QueuedAt: run.Ended,
	}
	// What was interrupted goes on as soon as there is a process again.
	if run.State == register.Failed {
		again.NotBefore = run.Ended.Add(d.jobs[i].RetryDelay)
	}
	return &again
}

// left are the runs that a process left running, as interrupted; they are not
// closed yet. Who asks must hold the workspace's lock: nobody else can be at
// work on them.
func (d dispatcher) left(ctx context.Context, now time.Time) ([]register.Run, error) {
	runs, err := d.register.Runs(ctx, register.RunFilter{States: []register.RunState{register.Running}})
	for i := range runs {
		runs[i].State, runs[i].Ended = register.Interrupted, now
		runs[i].Error = "the process ended before the run did (power cut, kill, or crash)"
		whole, err := d.register.Run(ctx, runs[i].ID)
		if err != nil {
			return nil, err
		}
		for _, step := range whole.Steps {
			runs[i].Rows = runs[i].Rows.Add(step.Rows) // what it had taken in stays
		}
	}
	return runs, err
}
