package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tongbao/register"
)

// StopWithin is how long a run may take to finish or roll back after the
// service was told to stop. After it the process ends all the same, and the
// next start closes the run as interrupted; nothing half-made is kept.
const StopWithin = 30 * time.Second

// lookAgain is how often the service looks at the clock, so that a clock that
// jumps or a machine that slept is noticed.
const lookAgain = 15 * time.Second

// Service is a workspace at work by itself: it starts what is due, does what
// is asked for over its socket, one run at a time, and remembers both on the
// register.
type Service struct {
	house *House
	log   *slog.Logger
	sleep func(ctx context.Context, d time.Duration)
	wake  chan struct{}
	told  chan struct{} // a run is over and may have something to tell
	watch *watch

	mu      sync.Mutex
	jobs    []Job
	pending *Config         // a new configuration, in force from the next run on
	feeds   map[int64]*feed // of runs that are not over and somebody may watch
	running int64           // the run at work, 0 if none
	stop    context.CancelCauseFunc
}

// ServiceOptions of NewService.
type ServiceOptions struct {
	Log *slog.Logger // nil logs nothing
	// Sleep waits for a duration of the house's clock or until the context
	// ends; nil waits in real time.
	Sleep func(ctx context.Context, d time.Duration)
}

// NewService makes the service of an open house.
func NewService(house *House, opt ServiceOptions) (*Service, error) {
	jobs, err := house.jobs(house.Now())
	if err != nil {
		return nil, err
	}
	s := &Service{house: house, log: opt.Log, sleep: opt.Sleep, wake: make(chan struct{}, 1), told: make(chan struct{}, 1), jobs: jobs, feeds: map[int64]*feed{}}
	s.watch = newWatch(s)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.sleep == nil {
		s.sleep = sleep
	}
	return s, nil
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// OnRun has f told of every run that is over; see House.OnRun.
func (s *Service) OnRun(f func(register.Run)) { s.house.OnRun(f) }

// Jobs returns the jobs in force.
func (s *Service) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jobs
}

// SetConfig puts another configuration in force from the next run on. One that
// is wrong is refused, and the old one stays.
func (s *Service) SetConfig(config Config) error {
	w := s.house.Workspace
	w.Config = config
	jobs, err := w.jobs(s.house.Now())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs, s.pending = jobs, &config
	s.poke()
	return nil
}

// config is the newest configuration, also when it is not in force yet.
func (s *Service) config() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending != nil {
		return *s.pending
	}
	return s.house.Config
}

func (s *Service) dispatcher() dispatcher { return dispatcher{s.house.register, s.Jobs()} }

// Serve works until the context ends; then the run at work finishes or rolls
// back within StopWithin.
func (s *Service) Serve(ctx context.Context) error {
	if err := s.house.signLock(true); err != nil {
		return err
	}
	answer, err := s.listen()
	if err != nil {
		return err
	}
	defer answer.close()
	s.log.Info("service started", "workspace", s.house.Dir, "jobs", len(s.Jobs()))
	var failed error
	var running sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, loop := range []func(context.Context) error{s.tickLoop, s.workLoop, s.noticeLoop, s.reloadLoop, s.watchLoop} {
		running.Go(func() {
			if err := loop(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		failed = cause
	}
	s.cancelRunning(ErrStopping)
	stopped := make(chan struct{})
	go func() { running.Wait(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(StopWithin):
		return fmt.Errorf("the run at work did not stop within %s; the next start closes it as interrupted", StopWithin)
	}
	s.log.Info("service stopped")
	return failed
}

// tickLoop looks at the clock and decides what is due.
func (s *Service) tickLoop(ctx context.Context) error {
	for ctx.Err() == nil {
		now := s.house.Now()
		notes, err := s.dispatcher().tick(ctx, now)
		if err != nil {
			return fmt.Errorf("decide what is due: %w", err)
		}
		for _, note := range notes {
			s.log.Warn(note)
		}
		s.watch.lookedAt(now)
		s.poke()
		wait := lookAgain
		for _, job := range s.Jobs() {
			if next := job.table.next(now); !next.IsZero() {
				wait = min(wait, next.Sub(s.house.Now()))
			}
		}
		s.sleep(ctx, max(wait, time.Millisecond))
	}
	return nil
}

// poke tells the worker to look at the queue.
func (s *Service) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// workLoop does the queued runs, one at a time, in order.
func (s *Service) workLoop(ctx context.Context) error {
	for ctx.Err() == nil {
		run, runContext, err := s.next(ctx)
		if err != nil {
			return fmt.Errorf("start the next run: %w", err)
		}
		if run == nil {
			select {
			case <-s.wake:
			case <-ctx.Done():
			}
			continue
		}
		if err := s.work(runContext, *run); err != nil {
			return fmt.Errorf("run %d: %w", run.ID, err)
		}
	}
	return nil
}

// next takes a run off the queue and makes the context that it works under.
// The service's own context does not end it: stopping has its own cause.
func (s *Service) next(ctx context.Context) (*register.Run, context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return nil, nil, nil
	}
	if s.pending != nil {
		s.house.Config, s.pending = *s.pending, nil
	}
	run, err := dispatcher{s.house.register, s.jobs}.take(ctx, s.house.Now())
	if run == nil || err != nil {
		return nil, nil, err
	}
	if s.feeds[run.ID] == nil {
		s.feeds[run.ID] = newFeed()
	}
	runContext, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	s.running, s.stop = run.ID, cancel
	return run, runContext, nil
}

func (s *Service) work(ctx context.Context, run register.Run) error {
	feed := s.feed(run.ID)
	for _, job := range s.Jobs() {
		if job.Name == run.Job {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, job.Timeout, errTimeout)
			defer cancel()
		}
	}
	s.house.Progress = func(step string, done, total int) { feed.add(Event{Progress: &Progress{step, done, total}}) }
	s.log.Info("run starts", "run", run.ID, "job", run.Job, "trigger", run.Trigger, "period", run.Period.String())
	outcome := s.house.execute(ctx, run, feed.add)
	s.mu.Lock()
	s.stop(nil)
	s.running, s.stop = 0, nil
	jobs := s.jobs
	s.mu.Unlock()
	err := s.house.end(context.WithoutCancel(ctx), outcome.Run, jobs)
	level := slog.LevelInfo
	if outcome.Run.State != register.Done {
		level = slog.LevelError
	}
	s.log.Log(ctx, level, "run ends", "run", run.ID, "job", run.Job, "state", outcome.Run.State,
		"took", outcome.Run.Ended.Sub(run.Started).Round(time.Millisecond), "rows_in", outcome.Run.Rows.In, "error", outcome.Run.Error)
	s.over(run.ID, outcome)
	select {
	case s.told <- struct{}{}:
	default:
	}
	return err
}

func (s *Service) feed(id int64) *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feeds[id]
}

// over tells the watchers of a run what became of it.
func (s *Service) over(id int64, outcome Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if feed := s.feeds[id]; feed != nil {
		feed.add(Event{Outcome: &outcome})
		delete(s.feeds, id)
	}
}

// cancelRunning ends the run at work, if there is one.
func (s *Service) cancelRunning(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop(cause)
	}
}

// Ask queues a run that somebody asks for and returns its number and what it
// is going to say.
func (s *Service) Ask(ctx context.Context, request Request) (int64, *feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := request.run(s.house.Now())
	if err := s.house.register.AddRun(ctx, &run); err != nil {
		return 0, nil, err
	}
	feed := newFeed()
	feed.add(Event{Text: s.place(run)})
	s.feeds[run.ID] = feed
	s.poke()
	return run.ID, feed, nil
}

// place says what a new run has to wait for.
func (s *Service) place(run register.Run) string {
	if s.running == 0 {
		return fmt.Sprintf("the service takes it as run %d", run.ID)
	}
	return fmt.Sprintf("the service takes it as run %d, after run %d, which is at work", run.ID, s.running)
}

// Cancel ends a run that is queued or at work.
func (s *Service) Cancel(ctx context.Context, id int64) error {
	s.mu.Lock()
	if s.running == id {
		s.stop(ErrCancelled)
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	run, err := s.house.CancelQueued(ctx, id)
	if err == nil {
		s.over(id, Outcome{Run: run})
	}
	return err
}

// CancelQueued closes a run that has not been started.
func (h *House) CancelQueued(ctx context.Context, id int64) (register.Run, error) {
	run, err := h.register.Run(ctx, id)
	if err != nil {
		return run, &Problem{err}
	}
	if run.State != register.Queued {
		return run, problemf("run %d is over: %s", id, run.State)
	}
	run.State, run.Ended, run.Error = register.Cancelled, h.Now(), "cancelled before it was started"
	return run, h.end(ctx, run, nil)
}

// Again is the request that does an earlier run once more.
func Again(run register.Run) (Request, error) {
	if !run.State.IsOver() {
		return Request{}, problemf("run %d is %s; there is nothing to retry yet", run.ID, run.State)
	}
	return Request{Steps: run.Plan, Month: run.Period, Job: run.Job, RetryOf: run.ID}, nil
}
