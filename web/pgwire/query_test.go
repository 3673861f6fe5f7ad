package pgwire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"tongbao/warehouse"
)

func texts(values []any) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value)
	}
	return all
}

// TestBinary reads values as a client does that wants them in binary.
func TestBinary(t *testing.T) {
	conn := openDoor(t, nil).connect(t, "li")
	for query, want := range map[string]any{
		"select month from community where place = 1":     time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		"select signed_at from community where place = 1": time.Date(2026, 10, 8, 1, 30, 0, 5e8, time.UTC),
		"select local_at from community where place = 1":  time.Date(2026, 10, 8, 9, 30, 0, 0, time.UTC),
		"select score::double from community limit 1":     98.12,
		"select true":                     true,
		"select 7::tinyint":               int16(7),
		"select 4000000000::uinteger":     int64(4000000000),
		"select 'nan'::double > 1":        true,
		"select '东湖' || chr(10) || '''x'": "东湖\n'x",
		"select time '09:30:00.25'":       "{34200250000 true}",
		"select [1, null, 3]":             "[1, NULL, 3]",
		"select interval 1 month":         "1 month",
		"select null":                     nil,
		"select ''":                       "",
		"select timestamp '-infinity'":    "-infinity",
		"select $1::int + 1":              int32(8),
		"select count(*) from score.total where unit = any($2) and unit <> $3 and $1 = 7": int64(2),
	} {
		t.Run(query, func(t *testing.T) {
			args := []any{pgx.QueryExecModeDescribeExec}
			switch strings.Count(query, "$") {
			case 1:
				args = append(args, 7)
			case 3:
				args = append(args, "7", []string{"unit 5", "unit 6", "it's"}, "unit 1")
			}
			var got any
			if err := conn.QueryRow(t.Context(), query, args...).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if moment, isMoment := got.(time.Time); isMoment {
				got = moment.UTC()
			}
			if text, isText := want.(string); isText {
				got, want = fmt.Sprint(got), text
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMessages speaks the extended protocol by hand: portals in parts, columns
// without an Execute, an error that skips to Sync, and what is refused.
func TestMessages(t *testing.T) {
	d := openDoor(t, nil)
	conn := d.connect(t, "li")
	hijacked, err := conn.PgConn().Hijack()
	if err != nil {
		t.Fatal(err)
	}
	defer hijacked.Conn.Close()
	speak := func(messages ...pgproto3.FrontendMessage) string {
		t.Helper()
		for _, message := range messages {
			hijacked.Frontend.Send(message)
		}
		if err := hijacked.Frontend.Flush(); err != nil {
			t.Fatal(err)
		}
		var said []string
		for {
			message, err := hijacked.Frontend.Receive()
			if err != nil {
				t.Fatal(err)
			}
			word := strings.TrimPrefix(fmt.Sprintf("%T", message), "*pgproto3.")
			switch message := message.(type) {
			case *pgproto3.ErrorResponse:
				word += " " + message.Code
			case *pgproto3.CommandComplete:
				word += " " + string(message.CommandTag)
			case *pgproto3.ReadyForQuery:
				return strings.Join(append(said, word+" "+string(message.TxStatus)), ", ")
			}
			if len(said) == 0 || said[len(said)-1] != word {
				said = append(said, word)
			}
		}
	}
	sync := &pgproto3.Sync{}
	five := &pgproto3.Parse{Name: "five", Query: "select place from total where place <= 5 order by place"}
	for _, test := range []struct {
		name string
		send []pgproto3.FrontendMessage
		want string
	}{
		{"a path", []pgproto3.FrontendMessage{&pgproto3.Query{String: "set search_path = score"}}, "CommandComplete SET, ReadyForQuery I"},
		{"parts", []pgproto3.FrontendMessage{five, &pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "five"}, &pgproto3.Execute{Portal: "p", MaxRows: 2},
			&pgproto3.Execute{Portal: "p", MaxRows: 2}, &pgproto3.Execute{Portal: "p", MaxRows: 2}, sync},
			"ParseComplete, BindComplete, DataRow, PortalSuspended, DataRow, PortalSuspended, DataRow, CommandComplete SELECT 5, ReadyForQuery I"},
		{"portals end with their transaction", []pgproto3.FrontendMessage{&pgproto3.Execute{Portal: "p"}, sync}, "ErrorResponse 34000, ReadyForQuery I"},
		{"columns alone", []pgproto3.FrontendMessage{&pgproto3.Describe{ObjectType: 'S', Name: "five"}, &pgproto3.Bind{PreparedStatement: "five"}, &pgproto3.Describe{ObjectType: 'P'}, sync},
			"ParameterDescription, RowDescription, BindComplete, RowDescription, ReadyForQuery I"},
		{"columns and rows", []pgproto3.FrontendMessage{&pgproto3.Bind{PreparedStatement: "five"}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, sync},
			"BindComplete, RowDescription, DataRow, CommandComplete SELECT 5, ReadyForQuery I"},
		{"no such table", []pgproto3.FrontendMessage{&pgproto3.Parse{Query: "select * from nowhere"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Execute{}, &pgproto3.Parse{Name: "five"}, sync},
			"ParseComplete, BindComplete, ErrorResponse 42P01, ReadyForQuery I"},
		{"a name twice", []pgproto3.FrontendMessage{five, sync}, "ErrorResponse 42P05, ReadyForQuery I"},
		{"no such statement", []pgproto3.FrontendMessage{&pgproto3.Bind{PreparedStatement: "six"}, sync}, "ErrorResponse 26000, ReadyForQuery I"},
		{"too few parameters", []pgproto3.FrontendMessage{&pgproto3.Parse{Query: "select $1"}, &pgproto3.Bind{}, sync}, "ParseComplete, ErrorResponse 08P01, ReadyForQuery I"},
		{"a bad number", []pgproto3.FrontendMessage{&pgproto3.Parse{Query: "select $1", ParameterOIDs: []uint32{20}}, &pgproto3.Bind{Parameters: [][]byte{[]byte("1; drop")}}, &pgproto3.Execute{}, sync},
			"ParseComplete, BindComplete, ErrorResponse 22P02, ReadyForQuery I"},
		{"bad binary", []pgproto3.FrontendMessage{&pgproto3.Parse{Query: "select $1", ParameterOIDs: []uint32{20}}, &pgproto3.Bind{ParameterFormatCodes: []int16{1}, Parameters: [][]byte{{1, 2}}}, sync},
			"ParseComplete, ErrorResponse 22P02, ReadyForQuery I"},
		{"a transaction", []pgproto3.FrontendMessage{&pgproto3.Query{String: "begin"}}, "CommandComplete BEGIN, ReadyForQuery T"},
		{"that fails", []pgproto3.FrontendMessage{&pgproto3.Query{String: "selec"}}, "ErrorResponse 42601, ReadyForQuery E"},
		{"goes no further", []pgproto3.FrontendMessage{&pgproto3.Query{String: "select 1"}}, "ErrorResponse 25P02, ReadyForQuery E"},
		{"and ends", []pgproto3.FrontendMessage{&pgproto3.Query{String: "commit"}}, "CommandComplete ROLLBACK, ReadyForQuery I"},
		{"close and empty", []pgproto3.FrontendMessage{&pgproto3.Close{ObjectType: 'S', Name: "five"}, &pgproto3.Parse{Query: " -- nothing"}, &pgproto3.Bind{}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, sync},
			"CloseComplete, ParseComplete, BindComplete, NoData, EmptyQueryResponse, ReadyForQuery I"},
		{"show", []pgproto3.FrontendMessage{&pgproto3.Parse{Query: "show search_path"}, &pgproto3.Bind{}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, sync},
			"ParseComplete, BindComplete, RowDescription, DataRow, CommandComplete SHOW, ReadyForQuery I"},
		{"several", []pgproto3.FrontendMessage{&pgproto3.Query{String: "select 1; select 2"}}, "ErrorResponse 42601, ReadyForQuery I"},
		{"copy", []pgproto3.FrontendMessage{&pgproto3.Query{String: "copy (select 1) to stdout"}}, "ErrorResponse 42501, ReadyForQuery I"},
		{"an encoding", []pgproto3.FrontendMessage{&pgproto3.Query{String: "set client_encoding to 'GBK'"}}, "ErrorResponse 22023, ReadyForQuery I"},
		{"a zone", []pgproto3.FrontendMessage{&pgproto3.Query{String: "set time zone 'UTC'"}}, "ParameterStatus, CommandComplete SET, ReadyForQuery I"},
		{"a function call", []pgproto3.FrontendMessage{&pgproto3.FunctionCall{}, sync}, "ErrorResponse 0A000, ReadyForQuery I"},
		{"forget all", []pgproto3.FrontendMessage{&pgproto3.Query{String: "discard all; deallocate all"}}, "CommandComplete DISCARD ALL, CommandComplete DEALLOCATE ALL, ReadyForQuery I"},
	} {
		if got := strings.ReplaceAll(speak(test.send...), "ReadyForQuery I, ", ""); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestTooMuch: an answer that a limit cut ends in an error, however it is asked.
func TestTooMuch(t *testing.T) {
	d := openDoor(t, func(opt *Options) {
		opt.Limits = warehouse.FileLimits
		opt.Limits.Rows = 100
	})
	conn := d.connect(t, "li")
	if _, err := conn.Exec(t.Context(), "select * from score.total limit 100"); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(t.Context(), "select * from score.total limit 101"); codeOf(t, err) != "54000" || !strings.Contains(err.Error(), "100 rows") {
		t.Errorf("a row too many: %v", err)
	}
	if _, err := conn.Exec(t.Context(), "select string_agg(a.unit || b.unit || c.unit) from score.total a, score.total b, range(20) c(unit)"); codeOf(t, err) == "" {
		t.Error("100 MB in one value were sent")
	}
}

const forever = "select sum(a.place * b.place) from score.total a, score.total b, score.total c, score.total d"

// TestCancel: a cancel request with the right key ends a statement, one with a
// wrong key does nothing, and a client that leaves ends its own.
func TestCancel(t *testing.T) {
	desk := warehouse.NewDesk(nil)
	d := openDoor(t, func(opt *Options) { opt.Desk = desk })
	running := func(want int) {
		t.Helper()
		for range 100 {
			if got, _ := desk.State(); got == want {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("not %d statements at work", want)
	}
	conn := d.connect(t, "li")
	failed := make(chan error, 1)
	ask := func() {
		_, err := conn.Exec(context.Background(), forever)
		failed <- err
	}
	go ask()
	running(1)
	d.server.cancel(1, []byte("oops"))
	d.server.cancel(77, nil)
	select {
	case err := <-failed:
		t.Fatalf("a wrong key ended it: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := conn.PgConn().CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; codeOf(t, err) != "57014" {
		t.Errorf("cancelled: %v", err)
	}
	var one int
	if err := conn.QueryRow(t.Context(), "select 1").Scan(&one); err != nil || one != 1 {
		t.Errorf("after the cancel: %v", err)
	}
	running(0)

	go ask()
	running(1)
	if err := conn.PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil {
		t.Error("an answer after leaving")
	}
	running(0)
	d.isHealthy(t)
}

// TestTurns: an account's connections ask one after another, none is refused.
func TestTurns(t *testing.T) {
	d := openDoor(t, nil)
	failed := make(chan error)
	for range 4 {
		conn := d.connect(t, "li")
		go func() {
			var rows int
			err := conn.QueryRow(context.Background(), "select count(*) from score.total").Scan(&rows)
			if err == nil && rows != 2500 {
				err = errors.New("wrong count")
			}
			failed <- err
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}
