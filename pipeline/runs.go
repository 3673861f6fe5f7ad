package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tongbao"
	"tongbao/etl"
	"tongbao/register"
)

// Why a run's context ends.
var (
	// ErrCancelled: somebody cancelled the run.
	ErrCancelled = errors.New("cancelled")
	// ErrStopping: the process was told to stop.
	ErrStopping = errors.New("the process was told to stop")
	errTimeout  = errors.New("it took longer than its timeout")
)

// Request is a run that somebody asks for.
type Request struct {
	Steps   []register.PlanStep `json:"steps"`
	Month   tongbao.Month       `json:"month"`
	Job     string              `json:"job,omitempty"`      // of the run that is retried
	RetryOf int64               `json:"retry_of,omitempty"` // the run that is retried
}

func (q Request) run(now time.Time) register.Run {
	run := register.Run{
		Job: q.Job, Trigger: register.ByHand, Attempt: 1, RetryOf: q.RetryOf,
		Period: q.Month, Plan: q.Steps, State: register.Queued, QueuedAt: now,
	}
	if q.RetryOf != 0 {
		run.Trigger = register.Again
	}
	return run
}

// Event is something that a run says while it works; one field is set.
type Event struct {
	Text     string    `json:"text,omitempty"` // a line of its log
	Progress *Progress `json:"progress,omitempty"`
	Outcome  *Outcome  `json:"outcome,omitempty"` // the last event of a run
}

// Progress is how far a step has come.
type Progress struct {
	Step  string `json:"step"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

// Outcome is what became of a run.
type Outcome struct {
	Run    register.Run `json:"run"`
	Result Result       `json:"result"`
	// Usage says that the error is one of usage or configuration.
	Usage bool `json:"usage,omitempty"`
}

// Err is the error of the run, nil if it is done.
func (o Outcome) Err() error {
	switch {
	case o.Run.State == register.Done:
		return nil
	case o.Usage:
		return &Problem{errors.New(o.Run.Error)}
	case o.Run.Error == "":
		return fmt.Errorf("run %d: %s", o.Run.ID, o.Run.State)
	}
	return errors.New(o.Run.Error)
}

// Perform does a request in this process, as a run of the history.
func (h *House) Perform(ctx context.Context, request Request) (Outcome, error) {
	run := request.run(h.Now())
	run.State, run.Started = register.Running, h.Now()
	if err := h.register.AddRun(ctx, &run); err != nil {
		return Outcome{}, err
	}
	outcome := h.execute(ctx, run, func(Event) {})
	if err := h.end(context.WithoutCancel(ctx), outcome.Run, nil); err != nil {
		return outcome, errors.Join(outcome.Err(), fmt.Errorf("write down the end of run %d: %w", run.ID, Advise(err)))
	}
	return outcome, nil
}

// Advise says what to do about a disk that is full; the engines say only that
// it is. An error that was advised on stays as it is.
func Advise(err error) error {
	const do = "free some space"
	if err == nil || strings.Contains(err.Error(), do) {
		return err
	}
	for _, full := range []string{"No space left", "no space left", "disk is full"} {
		if strings.Contains(err.Error(), full) {
			return fmt.Errorf("%w; "+do+" on the disk of the workspace, then run again: nothing that was taken in is lost", err)
		}
	}
	return err
}

// execute does the steps of a run that is marked as running. What it returns
// is not closed on the register yet; see end.
func (h *House) execute(ctx context.Context, run register.Run, say func(Event)) (outcome Outcome) {
	log := h.openLog(run)
	defer log.close()
	tell := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		log.write(h.Now(), text)
		say(Event{Text: text})
	}
	outcome = Outcome{Run: run, Result: Result{Month: run.Period}}
	tell("run %d starts: %s", run.ID, describe(run))
	var err error
	for seq, step := range run.Plan {
		if err = ctx.Err(); err != nil {
			break
		}
		if err = h.step(ctx, seq, step, &outcome, log, tell); err != nil {
			break
		}
	}
	h.conclude(ctx, &outcome, err)
	if outcome.Run.Error != "" {
		tell("%s: %s", outcome.Run.State, outcome.Run.Error)
	} else {
		tell("%s", outcome.Run.State)
	}
	return outcome
}

// conclude puts the end of a run into its state and words.
func (h *House) conclude(ctx context.Context, outcome *Outcome, err error) {
	run := &outcome.Run
	run.Ended, run.State = h.Now(), register.Done
	if err == nil {
		return
	}
	run.State, run.Error = register.Failed, Advise(err).Error()
	var problem *Problem
	outcome.Usage = errors.As(err, &problem)
	if ctx.Err() == nil {
		return
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrCancelled):
		run.State, run.Error = register.Cancelled, "cancelled; what it had committed stays, the rest is rolled back"
	case errors.Is(cause, errTimeout):
		run.Error = "it took longer than its timeout; what it had committed stays, the rest is rolled back"
	default:
		run.State, run.Error = register.Interrupted, "the process was told to stop; what was not finished is done again by the next run"
	}
}

// step does one step and writes it down before, after, and with each delivery
// that it takes in: a run that hangs, or is killed, shows how far it came.
func (h *House) step(ctx context.Context, seq int, plan register.PlanStep, outcome *Outcome, log *runLog, tell func(string, ...any)) error {
	kept := context.WithoutCancel(ctx)
	row := register.RunStep{Step: plan.Step, State: register.Running, Started: h.Now()}
	if err := h.register.SetStep(kept, outcome.Run.ID, seq, row); err != nil {
		return err
	}
	log.write(h.Now(), plan.Step+" starts")
	heard := hearing{
		asking: func(source, server string) { log.write(h.Now(), fmt.Sprintf("%s: asking %s", source, server)) },
		loaded: func(load etl.Load) {
			log.write(h.Now(), fmt.Sprintf("%s: %d rows in = %d loaded + %d duplicate + %d quarantined", load.File, load.In, load.Loaded, load.Duplicate, load.Quarantined))
			row.Rows = row.Rows.Add(register.Counts{In: load.In, Loaded: load.Loaded, Duplicate: load.Duplicate, Quarantined: load.Quarantined})
			_ = h.register.SetStep(kept, outcome.Run.ID, seq, row) // written again when the step ends; then it counts
		},
	}
	note, err := h.doStep(ctx, plan, outcome, heard)
	outcome.Run.Rows = outcome.Run.Rows.Add(row.Rows)
	row.Ended, row.State, row.Note = h.Now(), register.Done, note
	if err != nil {
		row.State, row.Error = register.Failed, err.Error()
	}
	tell("%s took %s%s", plan.Step, row.Ended.Sub(row.Started).Round(time.Millisecond), prefixed(": ", note))
	return errors.Join(err, h.register.SetStep(kept, outcome.Run.ID, seq, row))
}

// hearing is told of a pull while it works.
type hearing struct {
	asking func(source, server string)
	loaded func(etl.Load)
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// OnRun has f told of every run that is over, one at a time. f must not wait
// for anything: the next run starts when it returns.
func (h *House) OnRun(f func(register.Run)) { h.onRun = append(h.onRun, f) }

// end writes the JSON file of a run, closes it on the register, queues its
// retry and tells who wants to know. File and notices come first: if the process
// is killed in between, the run is not over yet, and its next end does it again.
func (h *House) end(ctx context.Context, run register.Run, jobs []Job) error {
	kept, err := h.register.Run(ctx, run.ID)
	if err != nil {
		return err
	}
	run.Steps = kept.Steps
	for i := range run.Steps {
		if step := &run.Steps[i]; !step.State.IsOver() {
			step.State, step.Ended = run.State, run.Ended
		}
	}
	d := dispatcher{register: h.register, jobs: jobs}
	err = errors.Join(h.writeRun(run), h.queueNotices(ctx, run, d.retry(run) != nil), d.end(ctx, run))
	if err == nil {
		h.tell(run)
	}
	return err
}

// tell calls the hooks, one run at a time.
func (h *House) tell(run register.Run) {
	h.telling.Lock()
	defer h.telling.Unlock()
	for _, f := range h.onRun {
		f(run)
	}
}
