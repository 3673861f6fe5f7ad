package pgwire

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"tongbao/register"
)

// handshake brings a client from its first byte to a session that is ready;
// nil for one that only wanted to cancel a query.
func (s *Server) handshake(ctx context.Context, conn net.Conn, host string) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := conn.SetDeadline(time.Now().Add(s.patience)); err != nil {
		return nil, err
	}
	n := s.newSession(conn, host)
	first, err := n.greet(ctx)
	if err != nil || first == nil {
		return nil, err
	}
	if err := n.enter(ctx, first); err != nil {
		n.complain(err)
		return nil, errors.Join(err, n.backend.Flush())
	}
	return n, conn.SetDeadline(time.Time{})
}

func (s *Server) newSession(conn net.Conn, host string) *session {
	n := &session{server: s, from: host, statements: map[string]*statement{}, portals: map[string]*portal{}, types: pgtype.NewMap()}
	n.use(conn)
	return n
}

// use makes a connection the session's own.
func (n *session) use(conn net.Conn) {
	n.conn = conn
	n.in = bufio.NewReaderSize(conn, 4<<10)
	n.backend = pgproto3.NewBackend(n.in, timedWriter{conn})
	n.backend.SetMaxBodyLen(MaxFirst)
}

// timedWriter gives up on a client that does not take what it asked for.
type timedWriter struct{ net.Conn }

func (w timedWriter) Write(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// greet reads up to the message that says who comes, and turns to TLS where the
// client asks for it.
func (n *session) greet(ctx context.Context) (*pgproto3.StartupMessage, error) {
	for range 3 { // GSSAPI, TLS, start-up
		message, err := n.backend.ReceiveStartupMessage()
		if err != nil {
			return nil, err
		}
		switch message := message.(type) {
		case *pgproto3.StartupMessage:
			return message, nil
		case *pgproto3.CancelRequest:
			n.server.cancel(message.ProcessID, message.SecretKey)
			return nil, nil
		case *pgproto3.GSSEncRequest:
			_, err = n.conn.Write([]byte{'N'})
		case *pgproto3.SSLRequest:
			err = n.secure(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the client did not say who it is")
}

func (n *session) secure(ctx context.Context) error {
	if n.server.tls == nil || n.isSecure {
		_, err := n.conn.Write([]byte{'N'})
		return err
	}
	if _, err := n.conn.Write([]byte{'S'}); err != nil {
		return err
	}
	secured := tls.Server(n.conn, n.server.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return err
	}
	// A new reader: bytes that came in the clear behind the request are not
	// taken for what the client says inside.
	n.use(secured)
	n.isSecure = true
	return nil
}

// enter signs the client in and tells it what PostgreSQL clients want to know.
func (n *session) enter(ctx context.Context, first *pgproto3.StartupMessage) error {
	isLocal := net.ParseIP(n.from).IsLoopback()
	if !n.isSecure && !(n.server.PlainLoopback && isLocal) {
		return fatal("28000", "this server wants TLS: connect with sslmode=require or better")
	}
	if first.ProtocolVersion != pgproto3.ProtocolVersion30 {
		n.backend.Send(&pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: pgproto3.ProtocolVersion30})
	}
	n.startSettings()
	for name, value := range first.Parameters {
		if err := n.setAtStart(name, value); err != nil {
			return err
		}
	}
	account, err := n.signIn(ctx, first.Parameters["user"])
	if err != nil {
		return err
	}
	n.account, n.secret = account.Name, ""
	n.key = make([]byte, 4)
	if _, err := rand.Read(n.key); err != nil {
		return err
	}
	if err := n.server.add(n); err != nil {
		return err
	}
	if n.secret, err = n.server.Register.NewSession(ctx, n.account, n.from, n.server.Now()); err != nil {
		n.server.remove(n)
		return err
	}
	n.backend.SetMaxBodyLen(MaxMessage)
	n.backend.Send(&pgproto3.AuthenticationOk{})
	for _, name := range reported {
		n.report(name)
	}
	n.backend.Send(&pgproto3.BackendKeyData{ProcessID: n.number, SecretKey: n.key})
	n.status = 'I'
	n.backend.Send(&pgproto3.ReadyForQuery{TxStatus: n.status})
	return n.backend.Flush()
}

// signIn asks for the password. It goes over the wire as it is, because the
// register keeps argon2id hashes, with which no challenge can be answered; that
// is why TLS is wanted.
func (n *session) signIn(ctx context.Context, name string) (register.Account, error) {
	var none register.Account
	n.backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := errors.Join(n.backend.Flush(), n.backend.SetAuthType(pgproto3.AuthTypeCleartextPassword)); err != nil {
		return none, err
	}
	message, err := n.backend.Receive()
	if err != nil {
		return none, err
	}
	password, ok := message.(*pgproto3.PasswordMessage)
	if !ok || len(password.Password) > signInPassword || len(name) > signInPassword {
		return none, fatal("08P01", "a password was expected")
	}
	account, err := n.server.Register.SignIn(ctx, name, password.Password, n.from, n.server.Now())
	var locked *register.LockedError
	switch {
	case errors.Is(err, register.ErrSignIn):
		return none, fatal("28P01", "the name or the password is wrong")
	case errors.As(err, &locked):
		return none, fatal("28000", locked.Error())
	case err != nil:
		return none, err
	case account.MustChange:
		return none, fatal("28000", "the password must be changed first; sign in to the portal")
	case !register.May(account.Role, register.DoorPgwire):
		entry := register.AuditEntry{At: n.server.Now(), Account: account.Name, From: n.from, Act: register.ActPageRefused, Object: string(register.DoorPgwire)}
		return none, errors.Join(fatal("28000", fmt.Sprintf("accounts of the role %s may not ask with SQL", account.Role)), n.server.Register.Audit(ctx, entry))
	}
	return account, nil
}

// setAtStart takes a parameter of the start-up message.
func (n *session) setAtStart(name, value string) error {
	switch strings.ToLower(name) {
	case "user", "database", "replication":
		if name == "replication" && value != "false" && value != "0" {
			return fatal("0A000", "replication is not offered")
		}
		if name == "database" {
			n.database = value
		}
		return nil
	case "options":
		for _, pair := range startOption.FindAllStringSubmatch(value, -1) {
			if err := n.set(pair[1], strings.ReplaceAll(pair[2], `\ `, " ")); err != nil {
				return asFatal(err)
			}
		}
		return nil
	}
	if strings.HasPrefix(name, "_pq_.") {
		return nil
	}
	return asFatal(n.set(name, value))
}
