package pipeline

import (
	"context"
	"fmt"

	"tongbao/register"
)

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
	if isAct(run) {
		return Request{}, problemf("run %d was typed by a person: type it again", run.ID)
	}
	return Request{Steps: run.Plan, Month: run.Period, Job: run.Job, RetryOf: run.ID}, nil
}
