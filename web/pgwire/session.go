package pgwire

import (
	"bufio"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"tongbao/register"
	"tongbao/warehouse"
)

// session is one client that signed in.
type session struct {
	server   *Server
	conn     net.Conn
	in       *bufio.Reader
	backend  *pgproto3.Backend
	types    *pgtype.Map
	isSecure bool

	account, from, database string
	secret                  string // of the register's session: what ends that ends this
	number                  uint32
	key                     []byte
	turn                    chan struct{} // taken while a statement of the account is answered

	settings   map[string]string
	zone       *time.Location // in which moments are told
	status     byte           // I outside, T inside, E inside a failed transaction
	isSkipping bool           // what comes until the next Sync, after an error
	statements map[string]*statement
	prepared   int // bytes of their texts
	portals    map[string]*portal
	described  *portal // its columns are still owed to the client

	running sync.Mutex
	cancel  context.CancelCauseFunc // of the statement at work, nil if none
}

var (
	errCancelled = errors.New("the client cancelled it")
	errLeft      = errors.New("the client left")
	errTerminate = errors.New("the client said goodbye")
)

// run answers a client until it leaves or may stay no longer.
func (n *session) run(ctx context.Context) {
	end := time.Now().Add(n.server.most)
	for {
		message, err := n.receive(end)
		if err == nil {
			err = n.handle(ctx, message)
		}
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, errTerminate) && !errors.Is(err, errLeft) {
				n.complain(err)
				_ = n.backend.Flush() // the client may be gone
			}
			return
		}
	}
}

// receive waits for a message, as long as a session may be idle and no longer
// than its end.
func (n *session) receive(end time.Time) (pgproto3.FrontendMessage, error) {
	late := fmt.Sprintf("nothing was asked for %s; connect again", n.server.idle)
	until := time.Now().Add(n.server.idle)
	if end.Before(until) {
		until, late = end, fmt.Sprintf("a session lasts %s at most; connect again", n.server.most)
	}
	if err := n.conn.SetReadDeadline(until); err != nil {
		return nil, err
	}
	message, err := n.backend.Receive()
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return nil, fatal("57P05", late)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return message, nil
}

// unreadable is what a client is told whose message cannot be read; nothing
// behind it can be, either.
func unreadable(err error) error {
	var broken net.Error
	var long *pgproto3.ExceededMaxBodyLenErr
	switch {
	case errors.As(err, &long):
		return fatal("54000", fmt.Sprintf("a message of %d bytes; at most %d", long.ActualBodyLen, long.MaxExpectedBodyLen))
	case errors.As(err, &broken):
		return err
	}
	return fatal("08P01", "a message that is not of the protocol: "+err.Error())
}

// handle answers one message. Its errors end the session; what a client did
// wrong is told here.
func (n *session) handle(ctx context.Context, message pgproto3.FrontendMessage) error {
	if _, ends := message.(*pgproto3.Terminate); ends {
		return errTerminate
	}
	if _, syncs := message.(*pgproto3.Sync); n.isSkipping && !syncs {
		return nil
	}
	err := n.owedColumns(ctx, message)
	if err == nil {
		err = n.answer(ctx, message)
	}
	var known *wireError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &known), known.severity == "FATAL":
		return err
	}
	n.complain(known)
	if n.status == 'T' {
		n.status = 'E'
	}
	if _, isSimple := message.(*pgproto3.Query); isSimple {
		return n.ready()
	}
	n.isSkipping = true
	return nil
}

func (n *session) answer(ctx context.Context, message pgproto3.FrontendMessage) error {
	switch message := message.(type) {
	case *pgproto3.Query:
		if err := n.query(ctx, message.String); err != nil {
			return err
		}
		return n.ready()
	case *pgproto3.Parse:
		return n.parse(message)
	case *pgproto3.Bind:
		return n.bind(message)
	case *pgproto3.Describe:
		return n.describe(ctx, message)
	case *pgproto3.Execute:
		return n.execute(ctx, message)
	case *pgproto3.Close:
		return n.close(message)
	case *pgproto3.Flush:
		return n.backend.Flush()
	case *pgproto3.Sync:
		n.isSkipping = false
		if n.status == 'I' {
			clear(n.portals) // they live as long as their transaction
		}
		return n.ready()
	case *pgproto3.CopyData, *pgproto3.CopyDone, *pgproto3.CopyFail:
		return nil // of a COPY that was refused
	}
	return fail("0A000", "this message of the protocol is not answered")
}

// ready says that the next statement may come.
func (n *session) ready() error {
	n.backend.Send(&pgproto3.ReadyForQuery{TxStatus: n.status})
	return n.backend.Flush()
}

// isKey compares the key of a cancel request in constant time.
func (n *session) isKey(key []byte) bool { return subtle.ConstantTimeCompare(n.key, key) == 1 }

// stop ends the statement at work.
func (n *session) stop(why error) {
	n.running.Lock()
	defer n.running.Unlock()
	if n.cancel != nil {
		n.cancel(why)
	}
}

// ask has a statement answered. While it runs, a client that leaves ends it.
func (n *session) ask(ctx context.Context, q warehouse.Question, to warehouse.Sink) (warehouse.Summary, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n.running.Lock()
	n.cancel = cancel
	n.running.Unlock()
	defer func() {
		n.running.Lock()
		n.cancel = nil
		n.running.Unlock()
	}()
	if err := n.conn.SetReadDeadline(time.Time{}); err != nil {
		return warehouse.Summary{}, err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		var slow net.Error
		if _, err := n.in.Peek(1); err != nil && !(errors.As(err, &slow) && slow.Timeout()) {
			cancel(errLeft)
		}
	}()
	defer func() {
		_ = n.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the watcher; a dead connection wakes it too
		<-watched
	}()
	// One account has one statement at a time; its other connections wait.
	select {
	case n.turn <- struct{}{}:
		defer func() { <-n.turn }()
	case <-ctx.Done():
		return warehouse.Summary{}, asWireError(context.Cause(ctx))
	}
	account, err := n.server.Register.Session(ctx, n.secret, n.server.Now())
	if errors.Is(err, register.ErrNoSession) {
		return warehouse.Summary{}, fatal("57P01", "the session is over; connect again")
	}
	if err != nil {
		return warehouse.Summary{}, err
	}
	published, err := n.server.Published(ctx, register.AudienceOf(account.Role))
	if err != nil {
		return warehouse.Summary{}, err
	}
	q.Sources, q.Schema = published.Sources, n.schema()
	n.translate(&q, published)
	asker := warehouse.Asker{Account: account.Name, From: n.from, Door: "postgres"}
	summary, err := n.server.Desk.Ask(ctx, asker, q, to, nil)
	if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errLeft) || errors.Is(cause, errCancelled)) {
		err = cause
	}
	return summary, asWireError(err)
}
