package pgwire

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgproto3"

	"tongbao/warehouse"
)

// wireError is what a client is told: a code of PostgreSQL's appendix A and a
// sentence. FATAL ends the session.
type wireError struct{ severity, code, text, hint string }

func (e *wireError) Error() string { return e.text }

func fail(code, text string) *wireError  { return &wireError{"ERROR", code, text, ""} }
func fatal(code, text string) *wireError { return &wireError{"FATAL", code, text, ""} }

// asFatal makes a client's mistake at the start the end of it.
func asFatal(err error) error {
	var known *wireError
	if errors.As(err, &known) {
		return fatal(known.code, known.text)
	}
	return err
}

// refused maps the rules of the guard that PostgreSQL has a code for.
var refused = map[string]string{
	"syntax": "42601", "several": "42601", "relation": "42P01", "parameter": "42P02", "value": "22P02", "long": "54000", "brackets": "54001", "depth": "54001",
}

// asWireError turns why a question has no answer into what the client is told;
// other errors stay as they are.
func asWireError(err error) error {
	var known *warehouse.QuestionError
	switch {
	case errors.Is(err, errCancelled):
		return fail("57014", "query cancelled")
	case !errors.As(err, &known):
		return err
	}
	code := "42000"
	switch known.Kind {
	case warehouse.Refused:
		if code = refused[known.Code]; code == "" {
			code = "42501"
		}
	case warehouse.Stopped, warehouse.Cancelled:
		code = "57014"
	case warehouse.Outgrew:
		code = "53200"
	case warehouse.Busy:
		code = "53300"
	}
	return fail(code, known.Error())
}

// tooMuch is the end of an answer that a limit cut: half an answer must not
// pass for a whole one.
func tooMuch(limits warehouse.Limits, by string) error {
	if by == "rows" {
		return fail("54000", fmt.Sprintf("the answer has more than %d rows; add a limit or a where", limits.Rows))
	}
	return fail("54000", fmt.Sprintf("the answer has more than %d MiB; ask for fewer rows or columns", limits.Bytes>>20))
}

// complain sends an error. What is no wireError is for our log, and the client
// gets a sentence; what a broken connection says is for nobody.
func (n *session) complain(err error) {
	var known *wireError
	var broken net.Error
	switch {
	case errors.As(err, &known):
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return
	default:
		known = fatal("XX000", "the server could not answer; its log says why")
		n.server.Log.Error("a client could not be answered", "account", n.account, "error", err)
	}
	n.backend.Send(&pgproto3.ErrorResponse{
		Severity: known.severity, SeverityUnlocalized: known.severity, Code: known.code, Message: known.text, Hint: known.hint,
	})
}
