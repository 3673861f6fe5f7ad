package pipeline

import (
	"context"
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

func (s *Service) dispatcher() dispatcher {
	return dispatcher{s.house.register, s.Jobs(), func(lost []passed) ([]register.Notice, error) {
		return s.config().notices(passedTellings(lost), 0, s.house.Now())
	}}
}

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
	for _, run := range s.house.left {
		s.log.Warn("run was interrupted", "run", run.ID, "job", run.Job)
		s.house.tell(run)
	}
	s.house.left = nil
	var running sync.WaitGroup
	told := ctx // by whom we are told to stop
	ctx, cancel := context.WithCancelCause(told)
	defer cancel(nil)
	// A loop that ends with an error stops the service.
	for _, loop := range []func(context.Context) error{s.tickLoop, s.workLoop, s.noticeLoop, s.reloadLoop, s.watchLoop} {
		running.Go(func() {
			if err := loop(ctx); err != nil {
				cancel(err)
			}
		})
	}
	<-ctx.Done()
	s.cancelRunning(ErrStopping)
	stopped := make(chan struct{})
	go func() { running.Wait(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(StopWithin):
		return fmt.Errorf("the run at work did not stop within %s; the next start closes it as interrupted", StopWithin)
	}
	s.log.Info("service stopped")
	if told.Err() == nil {
		return context.Cause(ctx)
	}
	return nil
}

// tickLoop looks at the clock and decides what is due. What cannot be written
// down now, because the disk is full, is decided later: nothing is lost.
func (s *Service) tickLoop(ctx context.Context) error {
	for ctx.Err() == nil {
		now := s.house.Now()
		made, err := s.dispatcher().tick(ctx, now)
		if err != nil && ctx.Err() == nil {
			s.log.Error("what is due cannot be decided yet", "error", Advise(err))
		}
		for _, note := range made.notes {
			s.log.Warn(note)
		}
		s.watch.lookedAt(now)
		for _, run := range made.over {
			s.log.Warn("run is not done", "run", run.ID, "job", run.Job, "due", run.DueAt, "state", run.State, "why", run.Error)
			if err := s.house.writeRun(run); err != nil {
				s.log.Error("the file of the run cannot be written", "run", run.ID, "error", Advise(err))
			}
			s.house.tell(run)
		}
		if len(made.over) > 0 {
			s.hasNews()
		}
		s.poke()
		wait := lookAgain
		if next := s.NextDue(now); !next.IsZero() && err == nil {
			wait = min(wait, next.Sub(s.house.Now()))
		}
		s.sleep(ctx, max(wait, time.Millisecond))
	}
	return nil
}

// NextDue is the first moment after now at which a job is due, zero if none is.
func (s *Service) NextDue(now time.Time) time.Time {
	var first time.Time
	for _, job := range s.Jobs() {
		if next := job.table.next(now); !next.IsZero() && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	return first
}

// poke tells the worker to look at the queue.
func (s *Service) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
