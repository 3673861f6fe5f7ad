package register

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const goodPassword = "correct horse battery staple"

func openTest(t *testing.T) (*Register, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "register.db")
	r, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, path
}

var testBy = By{Account: "root", From: "command line", At: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}

func addTest(t *testing.T, r *Register, a Account) {
	t.Helper()
	if err := r.AddAccount(context.Background(), testBy, a, goodPassword); err != nil {
		t.Fatal(err)
	}
}

func TestPasswordRules(t *testing.T) {
	for password, reason := range map[string]string{
		"short":                   "short",
		"elevenchars":             "short",
		"春眠不觉晓处处闻啼鸟":              "short",
		strings.Repeat("x9 ", 50): "long",
		"my name is LiMing ok":    "name",
		"123456789012":            "common",
		"abcdefghijklmnop":        "common",
		"aaaaaaaaaaaaaaaa":        "common",
		"k7#k7#k7#k7#k7#":         "common",
		"password2026!!":          "common",
		"P@ssw0rd20261125":        "common",
		"qwertyuiop123":           "common",
		"tongbao-2026-11":         "common",
		"Admin@123456789":         "common",
		"网格化20261125!!":           "common",
		"2026-11-25 12:00":        "common",
		goodPassword:              "",
		"春眠不觉晓 处处闻啼鸟 夜来风雨声": "",
		"tK9#vv02-lmzq": "",
		"tongbao 通报 密码": "", // fewer bytes at its start than at its end
	} {
		err := checkPassword(password, "liming")
		var refused *PasswordError
		if got := errors.As(err, &refused); got != (reason != "") || got && refused.Reason != reason {
			t.Errorf("%q: got %v, want %q", password, err, reason)
		}
	}
}

func TestAccountRules(t *testing.T) {
	r, _ := openTest(t)
	for field, a := range map[string]Account{
		"name":    {Name: "../x", Role: RoleAdmin},
		"role":    {Name: "ok", Role: "root"},
		"line":    {Name: "ok", Role: RoleLine},
		"unit":    {Name: "ok", Role: RoleUnit},
		"display": {Name: "ok", Role: RoleAdmin, Display: strings.Repeat("长", 65)},
	} {
		err := r.AddAccount(context.Background(), testBy, a, goodPassword)
		var wrong *AccountError
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	addTest(t, r, Account{Name: "LiMing", Role: RoleLine, Line: "city"})
	if err := r.AddAccount(context.Background(), testBy, Account{Name: "liming", Role: RoleAdmin}, goodPassword); err == nil {
		t.Error("a second account of the same name was added")
	}
}

// TestSignIn: right and wrong, unknown and disabled; nobody can tell the last
// three apart.
func TestSignIn(t *testing.T) {
	ctx := context.Background()
	r, _ := openTest(t)
	addTest(t, r, Account{Name: "liming", Role: RoleStatistician})
	addTest(t, r, Account{Name: "gone", Role: RoleLeader, IsDisabled: true})
	now := testBy.At
	if a, err := r.SignIn(ctx, " LiMing ", goodPassword, "10.0.0.1", now); err != nil || a.Role != RoleStatistician {
		t.Fatalf("got %+v, %v", a, err)
	}
	for _, try := range [][2]string{{"liming", "wrong"}, {"nobody", goodPassword}, {"gone", goodPassword}, {"", ""}} {
		if _, err := r.SignIn(ctx, try[0], try[1], "10.0.0.1", now); !errors.Is(err, ErrSignIn) || err.Error() != ErrSignIn.Error() {
			t.Errorf("%q: got %v", try, err)
		}
	}
	// An unknown name is hashed like a known one: both wait for a place.
	for range hashesAtOnce {
		r.hashing <- struct{}{}
	}
	for _, name := range []string{"liming", "nobody-else"} {
		waiting, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		if _, err := r.SignIn(waiting, name, "wrong", "10.0.0.1", now.Add(30*24*time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s was answered without hashing: %v", name, err)
		}
		cancel()
	}
}

// TestLock: the fifth failure locks, each further one twice as long, for names
// that nobody has too, and a hundred tries at once are a hundred.
func TestLock(t *testing.T) {
	ctx := context.Background()
	r, _ := openTest(t)
	addTest(t, r, Account{Name: "liming", Role: RoleStatistician})
	for _, name := range []string{"liming", "nobody"} {
		now := testBy.At
		for try := range 5 {
			if _, err := r.SignIn(ctx, name, "wrong", "x", now); !errors.Is(err, ErrSignIn) {
				t.Fatalf("%s, try %d: %v", name, try, err)
			}
		}
		var locked *LockedError
		if _, err := r.SignIn(ctx, name, goodPassword, "x", now); !errors.As(err, &locked) || locked.Wait != FirstLock {
			t.Fatalf("%s: got %v, want a lock of %s", name, err, FirstLock)
		}
		now = now.Add(FirstLock + time.Second)
		if _, err := r.SignIn(ctx, name, "wrong", "x", now); !errors.Is(err, ErrSignIn) {
			t.Fatalf("%s after the lock: %v", name, err)
		}
		if _, err := r.SignIn(ctx, name, "wrong", "x", now); !errors.As(err, &locked) || locked.Wait != 2*FirstLock {
			t.Errorf("%s: got %v, want a lock of %s", name, err, 2*FirstLock)
		}
		_, err := r.SignIn(ctx, name, goodPassword, "x", now.Add(2*FirstLock+time.Second))
		if (err == nil) != (name == "liming") {
			t.Errorf("%s when the lock is over: %v", name, err)
		}
	}
	if got := lockAfter(5000); got != LongestLock {
		t.Errorf("the longest lock is %s", got)
	}
	var looked sync.Map
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if _, err := r.SignIn(ctx, "liming", "wrong", "x", testBy.At.Add(time.Hour)); errors.Is(err, ErrSignIn) {
				looked.Store(i, true)
			}
		})
	}
	all.Wait()
	count := 0
	looked.Range(func(any, any) bool { count++; return true })
	if count != FreeFailures {
		t.Errorf("%d of 40 tries at once were looked at, want %d", count, FreeFailures)
	}
}

// TestSignInWhileChanged: who signs in with a password that is being changed
// neither comes in nor brings the old one back.
func TestSignInWhileChanged(t *testing.T) {
	ctx := context.Background()
	r, _ := openTest(t)
	addTest(t, r, Account{Name: "liming", Role: RoleStatistician})
	fresh, err := r.hashPassword(ctx, goodPassword+" 2")
	if err != nil {
		t.Fatal(err)
	}
	for range hashesAtOnce {
		r.hashing <- struct{}{}
	}
	signedIn := make(chan error, 1)
	go func() {
		_, err := r.SignIn(ctx, "liming", goodPassword, "10.0.0.1", testBy.At)
		signedIn <- err
	}()
	time.Sleep(100 * time.Millisecond) // the old hash is read, and waits for a place
	if err := r.change(ctx, func(tx *sql.Tx) error { return setPassword(ctx, tx, testBy, "liming", fresh, false) }); err != nil {
		t.Fatal(err)
	}
	<-r.hashing
	if err := <-signedIn; !errors.Is(err, ErrSignIn) {
		t.Errorf("the old password came in: %v", err)
	}
	if _, err := r.SignIn(ctx, "liming", goodPassword+" 2", "10.0.0.1", testBy.At); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestSessions(t *testing.T) {
	ctx := context.Background()
	r, path := openTest(t)
	addTest(t, r, Account{Name: "liming", Role: RoleStatistician})
	now := testBy.At
	begin := func() string {
		secret, err := r.NewSession(ctx, "liming", "10.0.0.1", now)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	holds := func(what, secret string, at time.Time, want bool) {
		t.Helper()
		if _, err := r.Session(ctx, secret, at); (err == nil) != want || err != nil && !errors.Is(err, ErrNoSession) {
			t.Errorf("%s: got %v, want it to hold: %v", what, err, want)
		}
	}
	secret := begin()
	holds("a new session", secret, now.Add(SessionIdle), true)
	holds("one that is kept alive", secret, now.Add(2*SessionIdle), true)
	holds("an idle one", secret, now.Add(3*SessionIdle+time.Second), false)
	holds("no secret", "", now, false)
	holds("a made-up secret", "x", now, false)
	secret = begin()
	for at := now; at.Before(now.Add(SessionMost)); at = at.Add(20 * time.Minute) {
		holds("a busy one", secret, at, true)
	}
	holds("one of more than twelve hours", secret, now.Add(SessionMost+time.Second), false)
	one, two := begin(), begin()
	if err := r.EndSession(ctx, testBy, one); err != nil {
		t.Fatal(err)
	}
	holds("one that was ended", one, now, false)
	holds("another of the same account", two, now, true)
	if err := r.EndSessions(ctx, testBy, "liming"); err != nil {
		t.Fatal(err)
	}
	holds("one that was ended everywhere", two, now, false)
	for what, end := range map[string]func() error{
		"a new password": func() error { return r.SetPassword(ctx, testBy, "liming", goodPassword+"!", false) },
		"a changed role": func() error { return r.SetAccount(ctx, testBy, Account{Name: "liming", Role: RoleLeader}) },
		"disabling": func() error {
			return r.SetAccount(ctx, testBy, Account{Name: "liming", Role: RoleLeader, IsDisabled: true})
		},
	} {
		secret := begin()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		holds("after "+what, secret, now, false)
	}
	// What is kept lets nobody in.
	for _, kept := range []string{"session", "account_link", "api_token"} {
		rows, err := r.db.Query("select token_hash from " + kept)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var hash string
			if err := rows.Scan(&hash); err != nil {
				t.Fatal(err)
			}
			holds("a hash of "+path, hash, now, false)
		}
		rows.Close()
	}
}

func TestLinkAndTokens(t *testing.T) {
	ctx := context.Background()
	r, _ := openTest(t)
	if err := r.AddAccount(ctx, testBy, Account{Name: "first", Role: RoleAdmin}, ""); err != nil {
		t.Fatal(err)
	}
	now := testBy.At
	if _, err := r.SignIn(ctx, "first", "", "x", now); !errors.Is(err, ErrSignIn) {
		t.Errorf("an account without a password: %v", err)
	}
	old, _ := r.NewLink(ctx, testBy, "first")
	secret, err := r.NewLink(ctx, testBy, "first")
	if err != nil {
		t.Fatal(err)
	}
	for what, use := range map[string]struct {
		secret, password string
		at               time.Time
	}{"one that was replaced": {old, goodPassword, now}, "a poor password": {secret, "short", now}, "a late one": {secret, goodPassword, now.Add(LinkHolds)}} {
		if _, err := r.UseLink(ctx, use.secret, use.password, "x", use.at); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if _, err := r.UseLink(ctx, secret, goodPassword, "x", now); err != nil {
		t.Fatal(err)
	}
	if _, err := r.UseLink(ctx, secret, goodPassword, "x", now); !errors.Is(err, ErrNoLink) {
		t.Errorf("a link was used twice: %v", err)
	}
	if _, err := r.SignIn(ctx, "first", goodPassword, "x", now); err != nil {
		t.Error(err)
	}
	token, err := r.NewToken(ctx, testBy, Token{Account: "first", Title: "R", Scopes: []Scope{ScopeRead}, ExpiresAt: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if a, scopes, err := r.Token(ctx, token, now); err != nil || a.Name != "first" || len(scopes) != 1 {
		t.Errorf("got %v %v %v", a, scopes, err)
	}
	if _, _, err := r.Token(ctx, token, now.Add(2*time.Hour)); !errors.Is(err, ErrNoToken) {
		t.Errorf("an old token: %v", err)
	}
	if err := r.RevokeToken(ctx, testBy, "first", 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Token(ctx, token, now); !errors.Is(err, ErrNoToken) {
		t.Errorf("a revoked token: %v", err)
	}
}

// TestDoors: every door is in the table once, admins read no results, and only
// who may see records has a view of them.
func TestDoors(t *testing.T) {
	seen := map[Door]int{}
	for _, door := range Doors() {
		if seen[door]++; seen[door] > 1 {
			t.Errorf("%s is in the table twice", door)
		}
	}
	for _, role := range Roles() {
		if May(role, "no such door") || May("no such role", DoorHome) {
			t.Errorf("%s goes through a door that nobody knows", role)
		}
		views := Views(Account{Role: role, Line: "city", Unit: "329118110201"})
		_, records := views["lost_record"]
		if records != May(role, DoorRecords) {
			t.Errorf("%s: has records %v, may open their page %v", role, records, May(role, DoorRecords))
		}
		if _, staff := views["staff"]; staff != May(role, DoorStaff) {
			t.Errorf("%s: has staff %v", role, staff)
		}
		if May(role, DoorHome) != (AudienceOf(role) != "") {
			t.Errorf("%s: home %v, audience %q", role, May(role, DoorHome), AudienceOf(role))
		}
	}
	if len(Views(Account{Role: RoleAdmin})) > 0 || May(RoleAdmin, DoorHome) || May(RoleOperator, DoorRecords) || May(RoleAuditor, DoorAccounts) {
		t.Error("duties are not separated")
	}
}
