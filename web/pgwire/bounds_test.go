package pgwire

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"tongbao/warehouse"
)

func (d *door) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort(d.host, d.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// isCut waits for the end of a connection.
func isCut(t testing.TB, conn net.Conn, within time.Duration) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open after %s", within)
	}
}

// TestSilent: 100 clients that say nothing take hardly any memory, do not shut
// others out for long, and are cut; so is one that speaks byte by byte.
func TestSilent(t *testing.T) {
	d := openDoor(t, nil)
	d.server.patience = 2 * time.Second
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	var silent []net.Conn
	for range 100 {
		silent = append(silent, d.dial(t))
	}
	time.Sleep(200 * time.Millisecond)
	if grew := int64(heap()) - int64(before); grew > 4<<20 {
		t.Errorf("100 silent clients take %d bytes", grew)
	}
	slow := silent[0]
	go func() {
		for _, b := range []byte("\x00\x00\x00\x30\x00\x03\x00\x00user\x00li\x00database\x00town\x00") {
			if _, err := slow.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	for _, conn := range silent {
		isCut(t, conn, 5*time.Second)
	}
	d.isHealthy(t)
}

// TestIdle: signed-in clients that do nothing take little memory each.
func TestIdle(t *testing.T) {
	d := openDoor(t, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range MaxOwn {
		d.connect(t, "li")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	// The clients are in this process too.
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / MaxOwn; each > 512<<10 {
		t.Errorf("an idle session takes %d bytes", each)
	}
	if _, err := pgx.Connect(t.Context(), d.url("li", goodPassword, "")); codeOf(t, err) != "53300" {
		t.Errorf("connection %d of an account: %v", MaxOwn+1, err)
	}
	d.isHealthy(t)
}

// TestLeftOpen: a session in which nothing is asked is closed, and told why; so
// is one that lasted as long as it may, however busy.
func TestLeftOpen(t *testing.T) {
	for _, test := range []struct {
		idle, most time.Duration
		says       string
	}{
		{500 * time.Millisecond, time.Minute, "nothing was asked for 500ms"},
		{time.Minute, 1500 * time.Millisecond, "a session lasts 1.5s at most"},
	} {
		d := openDoor(t, nil)
		d.server.idle, d.server.most = test.idle, test.most
		conn := d.connect(t, "li")
		began := time.Now()
		var one int
		if err := conn.QueryRow(t.Context(), "select 1").Scan(&one); err != nil {
			t.Fatal(err)
		}
		for test.idle > test.most && time.Since(began) < test.most*2/3 {
			if _, err := conn.Exec(t.Context(), "show search_path"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		_, err := conn.PgConn().ReceiveMessage(t.Context())
		if codeOf(t, err) != "57P05" || !strings.Contains(err.Error(), "FATAL: "+test.says) {
			t.Errorf("got %v, want 57P05 and %q", err, test.says)
		}
		if took := time.Since(began); took < min(test.idle, test.most) {
			t.Errorf("closed after %s", took)
		}
		for left := 1; left > 0; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatal("its place is not free again")
			}
			d.server.mu.Lock()
			left = len(d.server.sessions)
			d.server.mu.Unlock()
		}
	}
}

// TestSizes: what is longer than it may be is refused, before and after the
// password.
func TestSizes(t *testing.T) {
	d := openDoor(t, func(opt *Options) { opt.PlainLoopback = true })
	long := d.dial(t)
	if _, err := long.Write([]byte{0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0}); err != nil {
		t.Fatal(err)
	}
	isCut(t, long, 2*time.Second)

	conn := d.connect(t, "li")
	if _, err := conn.Exec(t.Context(), "select '"+strings.Repeat("x", 70<<10)+"'"); codeOf(t, err) != "54000" {
		t.Errorf("a statement of 70 KiB: %v", err)
	}
	for i := range MaxStatements + 1 {
		_, err := conn.PgConn().Prepare(t.Context(), fmt.Sprint("s", i), "show search_path", nil)
		if (err != nil) != (i == MaxStatements) {
			t.Fatalf("prepared statement %d: %v", i, err)
		}
	}
	if _, err := conn.PgConn().Exec(t.Context(), "discard all").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.PgConn().Prepare(t.Context(), "again", "select 1", nil); err != nil {
		t.Errorf("after discard all: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "select '"+strings.Repeat("x", MaxMessage)+"'"); codeOf(t, err) != "54000" || !conn.IsClosed() {
		t.Errorf("a message of more than %d bytes: %v", MaxMessage, err)
	}
	d.isHealthy(t)
}

// brokenDesk panics, as a mistake of ours would.
type brokenDesk struct{ Desk }

func (b brokenDesk) Ask(ctx context.Context, asker warehouse.Asker, q warehouse.Question, to warehouse.Sink, raw io.Writer) (warehouse.Summary, error) {
	if strings.Contains(q.SQL, "break") {
		panic("broken")
	}
	return b.Desk.Ask(ctx, asker, q, to, raw)
}

// TestPanic: a panic ends the connection in which it happened, gives its turn
// back, and nothing else.
func TestPanic(t *testing.T) {
	d := openDoor(t, func(opt *Options) { opt.Desk = brokenDesk{opt.Desk} })
	other := d.connect(t, "li")
	conn := d.connect(t, "li")
	if _, err := conn.Exec(t.Context(), "select 1 as break"); err == nil || !conn.IsClosed() {
		t.Errorf("a panic: %v", err)
	}
	var one int
	if err := other.QueryRow(t.Context(), "select 1").Scan(&one); err != nil || one != 1 {
		t.Errorf("another connection of the account: %v", err)
	}
	d.isHealthy(t)
}

// quickDesk answers at once: fuzzing starts no processes.
type quickDesk struct{}

func (quickDesk) Ask(_ context.Context, _ warehouse.Asker, q warehouse.Question, to warehouse.Sink, _ io.Writer) (warehouse.Summary, error) {
	if err := to.Begin([]warehouse.Column{{Name: "n", Type: "INTEGER"}}); err != nil || q.Form == warehouse.Columns {
		return warehouse.Summary{}, err
	}
	return warehouse.Summary{}, to.Row([]sql.NullString{{String: "1", Valid: true}})
}

// FuzzMessage sends bytes to a session that is signed in, or to the door
// before that: it must end, and not by a panic.
func FuzzMessage(f *testing.F) {
	d := openDoor(f, func(opt *Options) { opt.Desk, opt.PlainLoopback, opt.Log = quickDesk{}, true, nil })
	seed := func(messages ...pgproto3.FrontendMessage) []byte {
		var all []byte
		for _, message := range messages {
			all, _ = message.Encode(all)
		}
		return all
	}
	f.Add(true, seed(&pgproto3.Query{String: "begin; select 1"}, &pgproto3.Terminate{}))
	f.Add(true, seed(&pgproto3.Parse{Name: "s", Query: "select $1 where 1 = any($2)", ParameterOIDs: []uint32{20, 1007}},
		&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{{0, 0, 0, 0, 0, 0, 0, 1}, []byte("{1,2}")}, ResultFormatCodes: []int16{1}},
		&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Sync{}))
	f.Add(true, []byte("B\x00\x00\x00\x13\x00\x00\x00\x00\x00\x01\xff\xff\xff\xfb\x00\x00")) // a parameter of -5 bytes
	f.Add(true, seed(&pgproto3.Query{String: "set time zone 'UTC'; show all; discard all; select '日'::regclass, a ~ 'x' from pg_class"}))
	f.Add(false, seed(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "li", "options": "-c search_path=score"}}, &pgproto3.PasswordMessage{Password: "x"}))
	f.Add(false, seed(&pgproto3.SSLRequest{}))
	f.Add(false, seed(&pgproto3.CancelRequest{ProcessID: 1, SecretKey: []byte("1234")}))
	secret, err := d.register.NewSession(context.Background(), "li", "127.0.0.1", time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, isIn bool, said []byte) {
		here, there := net.Pipe()
		done := make(chan any, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		go func() {
			defer func() { done <- recover() }()
			defer there.Close()
			if isIn {
				d.server.begun(ctx, there, secret)
			} else {
				_, _ = d.server.handshake(ctx, there, "127.0.0.1")
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, here) }()
		_ = here.SetWriteDeadline(time.Now().Add(15 * time.Second))
		_, _ = here.Write(said)
		here.Close()
		select {
		case broken := <-done:
			if broken != nil {
				t.Fatalf("a panic: %v", broken)
			}
		case <-ctx.Done():
			t.Fatal("it does not end")
		}
	})
}

// begun runs a session from behind its handshake.
func (s *Server) begun(ctx context.Context, conn net.Conn, secret string) {
	n := s.newSession(conn, "127.0.0.1")
	n.account, n.secret, n.status, n.turn = "li", secret, 'I', make(chan struct{}, 1)
	n.startSettings()
	n.run(ctx)
}

// FuzzDialect holds that no text breaks what is done to statements before the
// guard, and that cutting loses nothing.
func FuzzDialect(f *testing.F) {
	for _, text := range []string{"select 'a'::regclass, b.oid::pg_catalog.regtype", "set x to 'y'; /* */ -- \nselect $1 ~ 'z' like '\\'", "\"::regclass", "x = any($1)", "::", "\xff$99999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := strings.Join(tokens.FindAllString(text, -1), ""); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
		countParams(text)
		inDialect(text)
		writeLists(text, map[int][]string{1: {"100001"}, 2: nil})
		for c, rest := nextCommand(text); c != nil; c, rest = nextCommand(rest) {
			if len(rest) >= len(text) {
				t.Fatal("a command of nothing")
			}
			text = rest
		}
	})
}
