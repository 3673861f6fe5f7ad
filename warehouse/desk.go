package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Desk lets questions in: so many at a time, one for each asker, and so many
// waiting; everybody else is told at once. It tells Audit before a question is
// run and after it ended.
type Desk struct {
	Running int // at a time
	Waiting int // in the queue
	// Audit records what was asked. A question that cannot be recorded is not
	// run. Nil records nothing.
	Audit func(context.Context, Asked) error

	mu    sync.Mutex
	busy  map[string]bool // askers who are being answered
	queue []*waiting
}

// Asked is one question for the audit log: once when it begins, with the zero
// End, and once when it ended.
type Asked struct {
	Asker   string
	Where   string // the door: page, api, command, postgres …
	SQL     string
	Params  []Param
	Began   time.Time
	End     time.Time
	Summary Summary
	Err     *QuestionError // nil when it was answered
}

// waiting is an asker in the queue; turn is closed when it is let in.
type waiting struct {
	asker string
	turn  chan struct{}
}

// NewDesk is a desk with the bounds that docs/sql.md names.
func NewDesk(audit func(context.Context, Asked) error) *Desk {
	return &Desk{Running: 2, Waiting: 10, Audit: audit}
}

// Ask waits for a place, asks, and records.
func (d *Desk) Ask(ctx context.Context, asker, where string, q Question, to Sink, raw io.Writer) (Summary, error) {
	if err := d.enter(ctx, asker); err != nil {
		return Summary{}, err
	}
	defer d.leave(asker)
	asked := Asked{Asker: asker, Where: where, SQL: q.SQL, Params: q.Params, Began: time.Now()}
	if err := d.audit(ctx, asked); err != nil {
		return Summary{}, err
	}
	var err error
	asked.Summary, err = Ask(ctx, q, to, raw)
	asked.End = time.Now()
	if err != nil && !errors.As(err, &asked.Err) {
		asked.Err = &QuestionError{Kind: Failed, Detail: err.Error()}
	}
	// The asker may have left; the record is made all the same.
	return asked.Summary, errors.Join(err, d.audit(context.WithoutCancel(ctx), asked))
}

func (d *Desk) audit(ctx context.Context, asked Asked) error {
	if d.Audit == nil {
		return nil
	}
	if err := d.Audit(ctx, asked); err != nil {
		return fmt.Errorf("record the query: %w", err)
	}
	return nil
}

// enter returns when the asker may ask, or with what is in the way.
func (d *Desk) enter(ctx context.Context, asker string) error {
	d.mu.Lock()
	if d.busy == nil {
		d.busy = map[string]bool{}
	}
	isMine := func(w *waiting) bool { return w.asker == asker }
	switch {
	case d.busy[asker] || slices.ContainsFunc(d.queue, isMine):
		d.mu.Unlock()
		return &QuestionError{Kind: Busy, Code: "asker"}
	case len(d.busy) < d.Running:
		d.busy[asker] = true
		d.mu.Unlock()
		return nil
	case len(d.queue) >= d.Waiting:
		d.mu.Unlock()
		return &QuestionError{Kind: Busy, Code: "queue", Subject: fmt.Sprint(d.Waiting)}
	}
	mine := &waiting{asker, make(chan struct{})}
	d.queue = append(d.queue, mine)
	d.mu.Unlock()
	select {
	case <-mine.turn:
		return nil
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if at := slices.Index(d.queue, mine); at >= 0 {
		d.queue = slices.Delete(d.queue, at, at+1)
	} else {
		d.next(asker) // let in just now: the place goes on
	}
	return &QuestionError{Kind: Cancelled}
}

func (d *Desk) leave(asker string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next(asker)
}

// next gives the asker's place to the first in the queue.
func (d *Desk) next(asker string) {
	delete(d.busy, asker)
	if len(d.queue) == 0 {
		return
	}
	first := d.queue[0]
	d.queue = d.queue[1:]
	d.busy[first.asker] = true
	close(first.turn)
}

// State says how many questions are being answered and how many wait.
func (d *Desk) State() (running, waiting int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.busy), len(d.queue)
}
