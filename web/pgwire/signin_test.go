package pgwire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tongbao/register"
)

// codeOf is the SQLSTATE of an error, "" for none.
func codeOf(t testing.TB, err error) string {
	t.Helper()
	var known *pgconn.PgError
	if err != nil && !errors.As(err, &known) {
		t.Errorf("not the server's error: %v", err)
		return "?"
	}
	if known == nil {
		return ""
	}
	return known.Code
}

// come signs in and returns the error.
func (d *door) come(t testing.TB, account, password, more string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.url(account, password, more))
	if err == nil {
		conn.Close(context.Background())
	}
	return err
}

func TestSignIn(t *testing.T) {
	d := openDoor(t, nil)
	by := register.By{Account: "root", From: "command line", At: time.Now()}
	for _, account := range []register.Account{
		{Name: "fresh", Role: register.RoleStatistician, MustChange: true},
		{Name: "gone", Role: register.RoleStatistician, IsDisabled: true},
		{Name: "tried", Role: register.RoleStatistician},
	} {
		if err := d.register.AddAccount(t.Context(), by, account, goodPassword); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ account, password, code, says string }{
		{"li", goodPassword, "", ""},
		{"LI", goodPassword, "", ""},
		{"li", "wrong horse", "28P01", "wrong"},
		{"nobody", goodPassword, "28P01", "wrong"},
		{"gone", goodPassword, "28P01", "wrong"},
		{"fresh", goodPassword, "28000", "portal"},
		{"zhao", goodPassword, "28000", "role operator"},
	} {
		err := d.come(t, test.account, test.password, "")
		if code := codeOf(t, err); code != test.code || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %q %v, want %q and %q", test.account, code, err, test.code, test.says)
		}
	}
	for range register.FreeFailures {
		_ = d.come(t, "tried", "wrong horse", "")
	}
	if err := d.come(t, "tried", goodPassword, ""); codeOf(t, err) != "28000" || !strings.Contains(err.Error(), "try again in") {
		t.Errorf("a locked name came in or was told the wrong thing: %v", err)
	}
	d.isHealthy(t)
}

// TestPlain: without TLS nobody is even asked for a password, unless the
// configuration lets this machine do so.
func TestPlain(t *testing.T) {
	d := openDoor(t, nil)
	plain := func(d *door) string {
		return fmt.Sprintf("postgres://li:%s@%s:%s/town?sslmode=disable", strings.ReplaceAll(goodPassword, " ", "%20"), d.host, d.port)
	}
	if _, err := pgx.Connect(t.Context(), plain(d)); codeOf(t, err) != "28000" || !strings.Contains(err.Error(), "sslmode=require") {
		t.Errorf("without TLS: %v", err)
	}
	local := openDoor(t, func(opt *Options) { opt.Certificate, opt.Key, opt.PlainLoopback = "", "", true })
	conn, err := pgx.Connect(t.Context(), plain(local))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	if _, err := New(Options{}); err == nil {
		t.Error("a door without TLS and without leave to do so opened")
	}
}

// TestSessionEnds: the register's sessions are this door's, so a changed
// password, a disabled account and "sign out everywhere" end them at once.
func TestSessionEnds(t *testing.T) {
	d := openDoor(t, nil)
	conn := d.connect(t, "li")
	if _, err := conn.Exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	if err := d.register.EndSessions(t.Context(), register.By{Account: "li", From: "test", At: time.Now()}, "li"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "select 1"); codeOf(t, err) != "57P01" {
		t.Errorf("after signing out everywhere: %v", err)
	}
	if !conn.IsClosed() {
		t.Error("the connection is still open")
	}
	d.isHealthy(t)
}
