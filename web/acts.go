package web

import (
	"context"

	"tongbao"
	"tongbao/register"
)

// Acts is what the portal wants done by whoever runs the workspace.
type Acts interface {
	// Run queues steps for a month and returns the run's number.
	Run(ctx context.Context, steps []string, month tongbao.Month) (int64, error)
	// Retry does a run that is over once more.
	Retry(ctx context.Context, id int64) (int64, error)
	// Cancel ends a run that is queued or at work.
	Cancel(ctx context.Context, id int64) error
	// Follow shows what a run says until it is over, or the context ends. It
	// returns at once for a run that is over.
	Follow(ctx context.Context, id int64, show func(RunEvent) error) error
	// Log reads the log kept with a run, "" if there is none.
	Log(run register.Run) (string, error)
}

// RunEvent is something that a run says: a line, or how far a step has come,
// or with State its end.
type RunEvent struct {
	Text  string            `json:"text,omitempty"`
	Step  string            `json:"step,omitempty"`
	Done  int               `json:"done,omitempty"`
	Total int               `json:"total,omitempty"`
	State register.RunState `json:"state,omitempty"`
}
