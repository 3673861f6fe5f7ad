package pipeline

import (
	"context"
	"log/slog"
	"time"

	"tongbao/register"
)

// workLoop does the queued runs, one at a time, in order.
func (s *Service) workLoop(ctx context.Context) error {
	for ctx.Err() == nil {
		run, runContext, err := s.next(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("the next run cannot be started yet", "error", Advise(err))
		}
		if run != nil {
			s.work(ctx, runContext, *run)
			continue
		}
		// The clock pokes us when it has looked again.
		select {
		case <-s.wake:
		case <-ctx.Done():
		}
	}
	return nil
}

// next takes a run off the queue and makes the context that it works under. As
// long as the warehouse does not open, runs wait.
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
	if err := s.house.db.Revive(ctx); err != nil {
		return nil, nil, err
	}
	run, err := dispatcher{register: s.house.register, jobs: s.jobs}.take(ctx, s.house.Now())
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

// work does one run and writes down its end; it tries until that is written,
// or until the service stops: then the next start closes the run.
func (s *Service) work(serving, ctx context.Context, run register.Run) {
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
	for {
		err := s.house.end(context.WithoutCancel(ctx), outcome.Run, jobs)
		if err == nil {
			break
		}
		s.log.Error("the end of the run cannot be written down yet", "run", run.ID, "error", Advise(err))
		if serving.Err() != nil {
			break
		}
		s.sleep(serving, lookAgain)
	}
	level := slog.LevelInfo
	if outcome.Run.State != register.Done {
		level = slog.LevelError
	}
	s.log.Log(ctx, level, "run ends", "run", run.ID, "job", run.Job, "state", outcome.Run.State,
		"took", outcome.Run.Ended.Sub(run.Started).Round(time.Millisecond), "rows_in", outcome.Run.Rows.In, "error", outcome.Run.Error)
	s.over(run.ID, outcome)
	s.hasNews()
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
