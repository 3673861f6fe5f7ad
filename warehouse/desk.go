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
	// Hold takes a name for this desk among all that share it, in other processes
	// too, and returns what gives it back: nil if another desk or question has it.
	// Who dies gives back all. With a nil Hold the desk is alone.
	Hold func(name string) (free func(), err error)

	mu    sync.Mutex
	busy  map[string]context.CancelCauseFunc // by account of those who are being answered
	queue []*waiting
}

// Asker is who asks, from where, and through which door.
type Asker struct {
	Account string
	From    string // address of the client, or "command line"
	Door    string // page, api, postgres
}

// Asked is one question for the audit log: once when it begins, with the zero
// End, and once when it ended.
type Asked struct {
	Asker
	SQL     string
	Params  []Param
	Form    Form
	Began   time.Time
	End     time.Time
	Summary Summary
	Err     *QuestionError // nil when it was answered
}

// waiting is an account in the queue; turn is closed when it is let in.
type waiting struct {
	account string
	cancel  context.CancelCauseFunc
	turn    chan struct{}
}

// errTakenBack is the cause of a question that Cancel ended.
var errTakenBack = errors.New("cancelled by its asker")

// NewDesk is a desk with the bounds that docs/sql.md names.
func NewDesk(audit func(context.Context, Asked) error) *Desk {
	return &Desk{Running: 2, Waiting: 10, Audit: audit}
}

// Ask waits for a place, asks, and records.
func (d *Desk) Ask(ctx context.Context, asker Asker, q Question, to Sink, raw io.Writer) (Summary, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	free, err := d.claim(asker.Account)
	if err != nil {
		return Summary{}, err
	}
	defer free()
	if err := d.enter(ctx, asker.Account, cancel); err != nil {
		return Summary{}, err
	}
	defer d.leave(asker.Account)
	if free, err = d.place(ctx); err != nil {
		return Summary{}, err
	}
	defer free()
	asked := Asked{Asker: asker, SQL: q.SQL, Params: q.Params, Form: q.Form, Began: time.Now()}
	if err := d.audit(ctx, asked); err != nil {
		return Summary{}, err
	}
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

// enter returns when the account may ask, or with what is in the way.
func (d *Desk) enter(ctx context.Context, account string, cancel context.CancelCauseFunc) error {
	d.mu.Lock()
	if d.busy == nil {
		d.busy = map[string]context.CancelCauseFunc{}
	}
	isMine := func(w *waiting) bool { return w.account == account }
	switch {
	case d.busy[account] != nil || slices.ContainsFunc(d.queue, isMine):
		d.mu.Unlock()
		return &QuestionError{Kind: Busy, Code: "asker"}
	case len(d.busy) < d.Running:
		d.busy[account] = cancel
		d.mu.Unlock()
		return nil
	case len(d.queue) >= d.Waiting:
		d.mu.Unlock()
		return &QuestionError{Kind: Busy, Code: "queue", Subject: fmt.Sprint(d.Waiting)}
	}
	mine := &waiting{account, cancel, make(chan struct{})}
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
		d.next(account) // let in just now: the place goes on
	}
	return &QuestionError{Kind: Cancelled}
}

// Cancel ends what an account asks or waits to ask, and says whether there was
// anything.
func (d *Desk) Cancel(account string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if cancel := d.busy[account]; cancel != nil {
		cancel(errTakenBack)
		return true
	}
	for _, w := range d.queue {
		if w.account == account {
			w.cancel(errTakenBack)
			return true
		}
	}
	return false
}

func (d *Desk) leave(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next(account)
}

// next gives the account's place to the first in the queue.
func (d *Desk) next(account string) {
	delete(d.busy, account)
	if len(d.queue) == 0 {
		return
	}
	first := d.queue[0]
	d.queue = d.queue[1:]
	d.busy[first.account] = first.cancel
	close(first.turn)
}

// State says how many questions are being answered and how many wait.
func (d *Desk) State() (running, waiting int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.busy), len(d.queue)
}
