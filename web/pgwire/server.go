// Package pgwire is the PostgreSQL door: psql, DBeaver, R and Python ask a
// published month as if it were a PostgreSQL server that only reads. It speaks
// the protocol, answers what clients ask of PostgreSQL's catalogue, and hands
// every statement to the same guard and child process as the portal's SQL page.
// It runs in a process of its own, which the service starts again when it ends.
//
// It knows nothing of the engine beyond the names of its types, and decides
// nothing about access: register says who may come in and what may be read.
package pgwire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"tongbao/register"
	"tongbao/warehouse"
)

// Limits that a client may meet; docs/sql.md names them.
const (
	MaxSessions    = 32        // signed in, at a time
	MaxOwn         = 8         // of them of one account
	MaxHandshakes  = 32        // not signed in yet, at a time
	MaxFromOne     = 8         // of them from one address
	MaxMessage     = 128 << 10 // bytes of a message
	MaxFirst       = 8 << 10   // bytes of a message of who has not signed in
	MaxStatements  = 300       // prepared, of one session
	MaxPrepared    = 2 << 20   // bytes of their texts
	MaxPortals     = 16        // of one session
	MaxKept        = 16 << 20  // bytes of an answer that is fetched in parts
	HandshakeTime  = 10 * time.Second
	writeWithin    = 30 * time.Second
	acceptAgain    = 100 * time.Millisecond
	signInPassword = 1 << 10
)

// DefaultListen is where the door is when its configuration does not say.
const DefaultListen = "127.0.0.1:5433"

// Options of New.
type Options struct {
	Certificate, Key string // files of the TLS certificate with its chain, and of its key; "" for none
	PlainLoopback    bool   // clients of this machine may come without TLS
	Register         *register.Register
	// Published lists what an audience may ask of the newest published month.
	Published func(context.Context, register.Audience) (warehouse.Published, error)
	Desk      Desk
	Limits    warehouse.Limits // of a statement; zero is warehouse.FileLimits
	Log       *slog.Logger     // nil logs nothing
	Now       func() time.Time
}

// Desk lets questions in, has them answered, and records them; see warehouse.Desk.
type Desk interface {
	Ask(ctx context.Context, asker warehouse.Asker, q warehouse.Question, to warehouse.Sink, raw io.Writer) (warehouse.Summary, error)
}

// Server is the door.
type Server struct {
	Options
	tls      *tls.Config   // nil without a certificate
	patience time.Duration // with a handshake
	idle     time.Duration // without a message, then a session is closed
	most     time.Duration // of a session

	mu         sync.Mutex
	handshakes map[string]int           // by address
	sessions   map[uint32]*session      // by the number that a cancel request names
	turns      map[string]chan struct{} // by account: one statement at a time
	last       uint32
}

// New makes the door; what is wrong with the certificate stops the start.
func New(opt Options) (*Server, error) {
	s := &Server{Options: opt, patience: HandshakeTime, idle: register.SessionIdle, most: register.SessionMost,
		handshakes: map[string]int{}, sessions: map[uint32]*session{}, turns: map[string]chan struct{}{}}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Limits == (warehouse.Limits{}) {
		s.Limits = warehouse.FileLimits
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if opt.Certificate != "" {
		if _, err := s.certificate(nil); err != nil {
			return nil, err
		}
		s.tls = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certificate}
	} else if !opt.PlainLoopback {
		return nil, errors.New("pgwire: give certificate and key; passwords do not travel in the clear")
	}
	return s, nil
}

// certificate reads the files at every handshake, so that a renewed
// certificate needs no new start.
func (s *Server) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(s.Certificate, s.Key)
	if err != nil {
		return nil, fmt.Errorf("pgwire: certificate %s: %w", s.Certificate, err)
	}
	return &pair, nil
}

// Serve answers on a listener until the context ends.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel()
	stopped := context.AfterFunc(ctx, func() { listener.Close() })
	defer stopped()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("pgwire: %w", err)
		case err != nil:
			// Out of file descriptors, most likely: it passes.
			s.Log.Warn("a client could not be let in", "error", err)
			time.Sleep(acceptAgain)
			continue
		}
		host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
		if err != nil || !s.begin(host) {
			conn.Close()
			continue
		}
		open.Go(func() { s.meet(ctx, conn, host) })
	}
}

// begin lets a handshake begin, unless there are too many: who says nothing
// takes a place for seconds, and nobody shall take all of them.
func (s *Server) begin(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := 0
	for _, some := range s.handshakes {
		all += some
	}
	if all >= MaxHandshakes || s.handshakes[host] >= MaxFromOne {
		return false
	}
	s.handshakes[host]++
	return true
}

func (s *Server) over(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handshakes[host]--; s.handshakes[host] <= 0 {
		delete(s.handshakes, host)
	}
}

// meet serves one client from its first byte to its last. A panic in it ends
// its connection and nothing else.
func (s *Server) meet(ctx context.Context, conn net.Conn, host string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closing := context.AfterFunc(ctx, func() { conn.Close() })
	defer closing()
	defer conn.Close()
	leave := sync.OnceFunc(func() { s.over(host) })
	defer leave()
	defer func() {
		if broken := recover(); broken != nil {
			s.Log.Error("a session broke", "panic", broken, "stack", string(debug.Stack()))
		}
	}()
	session, err := s.handshake(ctx, conn, host)
	if err != nil {
		s.Log.Debug("a client did not come in", "from", host, "error", err)
		return
	}
	if session == nil {
		return // it only asked to cancel
	}
	leave()
	defer s.remove(session)
	session.run(ctx)
}

// add gives a session its number, unless there are too many.
func (s *Server) add(session *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := 0
	for _, other := range s.sessions {
		if other.account == session.account {
			own++
		}
	}
	if own >= MaxOwn {
		return fatal("53300", fmt.Sprintf("account %s has %d connections already; close one first", session.account, MaxOwn))
	}
	if len(s.sessions) >= MaxSessions {
		return fatal("53300", fmt.Sprintf("there are %d connections already; try again later", MaxSessions))
	}
	s.last++
	session.number = s.last
	s.sessions[session.number] = session
	if s.turns[session.account] == nil {
		s.turns[session.account] = make(chan struct{}, 1)
	}
	session.turn = s.turns[session.account]
	return nil
}

func (s *Server) remove(session *session) {
	s.mu.Lock()
	delete(s.sessions, session.number)
	s.mu.Unlock()
	by := register.By{Account: session.account, From: session.from, At: s.Now()}
	if err := s.Register.EndSession(context.Background(), by, session.secret); err != nil {
		s.Log.Error("the end of a session is not written down", "account", session.account, "error", err)
	}
}

// cancel ends what a session asks, if the key is its own.
func (s *Server) cancel(number uint32, key []byte) {
	s.mu.Lock()
	session := s.sessions[number]
	s.mu.Unlock()
	if session != nil && session.isKey(key) {
		session.stop(errCancelled)
	}
}
