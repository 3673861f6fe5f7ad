package web

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tongbao/register"
)

// The hostile web list: each entry is something that is sent to portals, with
// what must come of it.

// TestHostilePaths: no name leads out of what a manifest lists, no folder is
// listed, and no answer names a path of the machine.
func TestHostilePaths(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleTaskforce)
	r := p.as(register.RoleTaskforce)
	for _, path := range []string{
		"/archive/2026-10/v1/../../../register.db", "/archive/2026-10/v1/%2e%2e/%2e%2e/%2e%2e/register.db", "/archive/2026-10/v1/..%2f..%2f..%2fregister.db",
		"/archive/2026-10/v1/..%5c..%5cregister.db", "/archive/2026-10/v1/%252e%252e%252fregister.db", "/archive/2026-10/v1//etc/passwd", "/archive/2026-10/v1/%2fetc%2fpasswd",
		"/archive/2026-10/v1/", "/archive/2026-10/v1/parquet", "/archive/2026-10/v1/parquet/", "/archive/2026-10/v1/manifest.json", "/archive/2026-10/v1/warehouse.duckdb.wal",
		"/archive/2026-10/v1/warehouse.duckdb%00.html", "/archive/2026-10/v01/warehouse.duckdb", "/archive/2026-10/v999999999/warehouse.duckdb", "/archive/2026-10/v2/warehouse.duckdb",
		"/archive/..%2f..%2f/v1/warehouse.duckdb", "/archive/2026-13/v1/warehouse.duckdb", "/archive/2026-10/CURRENT/x", "/archive/2026-10/", "/static/", "/static/../portal.css",
		"/static/%2e%2e%2fportal.css", "/static/portal.css", "/.git/config", "/tongbao.yaml", "/data/register.db", "/debug/pprof/", "/metrics", "/unit/../../etc", "/unit/%00", "/line/%2e%2e",
		"/indicator/..%2fchecks%2fx", "/indicator/cg1.sql", "/runs/../../x", "/unit/" + strings.Repeat("9", 4000), "/records?grid=..%2f..&indicator=..", "/records?line=' or 1=1",
		"/?month=2026-10'--", "/?month=../../2026-10", "/?month=9999-99",
	} {
		got := r.get(path)
		if got.status != http.StatusNotFound && got.status != http.StatusForbidden && got.status != http.StatusMovedPermanently && got.status != http.StatusTemporaryRedirect && got.status != http.StatusBadRequest {
			t.Errorf("%s: got %d", path, got.status)
		}
		for _, leaked := range []string{p.Published, "goroutine", ".go:", "panic", "SQLite"} {
			if strings.Contains(got.text, leaked) {
				t.Errorf("%s: the answer gives %q away", path, leaked)
			}
		}
		p.clock.move(time.Second)
	}
}

// TestHostileMethods: what no route takes is refused before anything is read.
func TestHostileMethods(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleAdmin)
	r := p.as(register.RoleAdmin)
	for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "CONNECT"} {
		for _, path := range []string{"/accounts", "/sign-in", "/own/password"} {
			if got := r.do(r.request(method, path, nil)); got.status < 400 || got.status >= 500 {
				t.Errorf("%s %s: got %d", method, path, got.status)
			}
		}
	}
}

// TestHostileForms: forms of other sites, without a token, with another
// session's token, too large, and of the wrong kind change nothing.
func TestHostileForms(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleAdmin)
	r, other := p.as(register.RoleAdmin), p.as(register.RoleAdmin)
	form := func(token string) string {
		return url.Values{"form_token": {token}, "name": {"intruder"}, "role": {"admin"}}.Encode()
	}
	for what, change := range map[string]struct {
		body   string
		header map[string]string
		status int
	}{
		"no token":                {form(""), nil, 403},
		"another session's token": {form(other.token), nil, 403},
		"a token cut short":       {form(r.token[:10]), nil, 403},
		"from another site":       {form(r.token), map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"from a sister site":      {form(r.token), map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"a foreign origin":        {form(r.token), map[string]string{"Origin": "https://evil.example"}, 403},
		"the origin null":         {form(r.token), map[string]string{"Origin": "null"}, 403},
		"as JSON":                 {`{"form_token":"` + r.token + `"}`, map[string]string{"Content-Type": "application/json"}, 403},
		"as text":                 {form(r.token), map[string]string{"Content-Type": "text/plain"}, 403},
		"a broken form":           {"form_token=%zz", nil, 400},
		"two megabytes":           {form(r.token) + "&x=" + strings.Repeat("a", 2<<20), nil, 413},
		"no kind at all":          {form(r.token), map[string]string{"Content-Type": ""}, 403},
	} {
		request := r.request(http.MethodPost, "/accounts", strings.NewReader(change.body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range change.header {
			request.Header.Set(name, value)
		}
		if got := r.do(request); got.status != change.status {
			t.Errorf("%s: got %d, want %d", what, got.status, change.status)
		}
	}
	if _, err := p.Register.Account(context.Background(), "intruder"); err == nil {
		t.Error("one of them added an account")
	}
	// Who has no cookie has no token to give: nothing is not equal to nothing.
	bare := p.reader()
	if got := bare.post("/sign-in", "name", "admin", "password", testPassword); got.status != http.StatusForbidden {
		t.Errorf("without a cookie and a token: got %d", got.status)
	}
	r.get("/own")
	// A token in the address is none: it would be in histories and logs.
	request := r.request(http.MethodPost, "/accounts?form_token="+url.QueryEscape(r.token), strings.NewReader("name=intruder&role=admin"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := r.do(request); got.status != http.StatusForbidden {
		t.Errorf("a token in the address: got %d", got.status)
	}
}

// TestHostileSessions: a session that somebody else chose is none, signing in
// always begins a new one, and what ends a session ends it at once.
func TestHostileSessions(t *testing.T) {
	p := newPortal(t)
	for _, role := range []register.Role{register.RoleStatistician, register.RoleLeader} {
		p.addAccount(role)
	}
	home, _ := url.Parse(p.http.URL)
	cookie := func(r *reader, name string) string {
		for _, one := range r.client.Jar.Cookies(home) {
			if one.Name == name {
				return one.Value
			}
		}
		return ""
	}
	victim := p.reader()
	victim.client.Jar.SetCookies(home, []*http.Cookie{{Name: "tongbao", Value: "chosen-by-the-attacker-chosen-by-the-attacker"}, {Name: "tongbao_form", Value: strings.Repeat("x", 43)}})
	victim.get("/sign-in")
	if got := victim.post("/sign-in", "name", "leader", "password", testPassword); got.status != http.StatusSeeOther {
		t.Fatalf("got %d", got.status)
	}
	if got := cookie(victim, "tongbao"); strings.Contains(got, "attacker") || len(got) < 43 {
		t.Errorf("the session is %q", got)
	}
	first := cookie(victim, "tongbao")
	// The form's secret is no session.
	thief := p.reader()
	thief.client.Jar.SetCookies(home, []*http.Cookie{{Name: "tongbao", Value: strings.Repeat("x", 43)}})
	if got := thief.get("/own"); got.status != http.StatusSeeOther {
		t.Errorf("a form's secret lets in: %d", got.status)
	}
	// Signing in again from inside ends the old session.
	victim.get("/own")
	victim.post("/sign-in", "name", "leader", "password", testPassword)
	thief.client.Jar.SetCookies(home, []*http.Cookie{{Name: "tongbao", Value: first}})
	if got := thief.get("/own"); got.status != http.StatusSeeOther {
		t.Errorf("the session before lives on: %d", got.status)
	}
	answer := p.as(register.RoleStatistician)
	for _, end := range []func(){
		func() { p.clock.move(register.SessionIdle + time.Second) },
		func() {
			p.Register.SetAccount(context.Background(), register.By{At: p.clock.now()}, register.Account{Name: "statistician", Role: register.RoleStatistician, IsDisabled: true})
		},
	} {
		end()
		if got := answer.get("/own"); got.status != http.StatusSeeOther {
			t.Errorf("the session goes on: %d", got.status)
		}
		p.Register.SetAccount(context.Background(), register.By{At: p.clock.now()}, register.Account{Name: "statistician", Role: register.RoleStatistician})
		answer = p.as(register.RoleStatistician)
	}
}

// TestHostileCookies: cookies are out of reach of scripts and other sites, and
// behind TLS bound to it; only a trusted proxy can say that there is TLS.
func TestHostileCookies(t *testing.T) {
	p := newPortal(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	get := func(header map[string]string) answer {
		r := p.reader()
		request := r.request(http.MethodGet, "/sign-in", nil)
		for name, value := range header {
			request.Header.Set(name, value)
		}
		return r.do(request)
	}
	plain := get(nil).header
	if got := plain.Get("Set-Cookie"); !strings.Contains(got, "HttpOnly") || !strings.Contains(got, "SameSite=Lax") || strings.Contains(got, "Secure") {
		t.Errorf("plain: %s", got)
	}
	secure := get(map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.2.3"}).header
	if got := secure.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-") || !strings.Contains(got, "Secure") || strings.Contains(got, "Domain") {
		t.Errorf("behind TLS: %s", got)
	}
	if plain.Get("Strict-Transport-Security") != "" || secure.Get("Strict-Transport-Security") == "" {
		t.Error("HSTS belongs to TLS, and to nothing else")
	}
	p.TrustedProxies = nil
	if got := get(map[string]string{"X-Forwarded-Proto": "https"}).header.Get("Set-Cookie"); strings.Contains(got, "Secure") {
		t.Errorf("a stranger says that there is TLS, and is believed: %s", got)
	}
}

// TestHostileAddresses: what a client says of its own address is believed of
// trusted proxies only, from the right.
func TestHostileAddresses(t *testing.T) {
	p := newPortal(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, one := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:1", "1.2.3.4", "203.0.113.9"},
		{"10.0.0.1:1", "1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:1", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:1", "6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"},
		{"10.0.0.1:1", "<script>", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", "1.2.3.4", "1.2.3.4"},
	} {
		request, _ := http.NewRequest(http.MethodGet, "/", nil)
		request.RemoteAddr = one.remote
		if one.forwarded != "" {
			request.Header.Set("X-Forwarded-For", one.forwarded)
		}
		if got := p.client(request); got != one.want {
			t.Errorf("%+v: got %s", one, got)
		}
	}
}

// TestHostileSignIn: five tries, then a wait, for names that nobody has too;
// nothing in the answers tells them apart, and an address has its own bound.
func TestHostileSignIn(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleLeader)
	var answers [2][]string
	for i, name := range []string{"leader", "nobody"} {
		r := p.reader()
		r.get("/sign-in")
		for range 7 {
			got := r.post("/sign-in", "name", name, "password", "wrong wrong wrong")
			answers[i] = append(answers[i], fmt.Sprint(got.status, tokenPattern.ReplaceAllString(strings.ReplaceAll(got.text, name, "NAME"), "")))
		}
	}
	for try := range answers[0] {
		if answers[0][try] != answers[1][try] {
			t.Errorf("try %d tells a name that is there from one that is not:\n%s\n%s", try+1, answers[0][try], answers[1][try])
		}
		if want := map[bool]string{true: "401", false: "429"}[try < register.FreeFailures]; !strings.HasPrefix(answers[0][try], want) {
			t.Errorf("try %d: got %s, want %s", try+1, answers[0][try][:3], want)
		}
	}
	r := p.reader()
	r.get("/sign-in")
	refused := 0
	for i := range 2 * signInBurst {
		if got := r.post("/sign-in", "name", fmt.Sprintf("name%d", i), "password", "wrong wrong wrong"); got.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Errorf("%d names from one address within a moment were all tried", 2*signInBurst)
	}
	var names []string
	p.Register.EachAudit(context.Background(), register.AuditFilter{Act: register.ActRefused}, func(e register.AuditEntry) error { names = append(names, e.Account); return nil })
	if got := strings.Join(names, ""); strings.Contains(got, "name") || !strings.Contains(got, "leader") {
		t.Errorf("the audit log has names that nobody has: %q", names)
	}
}

// TestHostileFlood: who asks without end is told to wait, and others are not.
func TestHostileFlood(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleLeader)
	leader := p.as(register.RoleLeader)
	r, refused := p.reader(), 0
	for range visitBurst + 20 {
		if r.get("/sign-in").status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 10 {
		t.Errorf("%d of a flood were refused", refused)
	}
	if got := leader.get("/own"); got.status != http.StatusOK {
		t.Errorf("another reader of the same address: %d", got.status)
	}
}

// TestHostileRedirects: the place to go next is a path of ours.
func TestHostileRedirects(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleStatistician)
	for _, next := range []string{"//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/%5cevil.example/..", "///evil.example",
		"http:evil.example", "/\tevil", "/x\r\nSet-Cookie: a=b", "evil.example", " //evil.example", "/..//evil.example", "%2f%2fevil.example", ""} {
		r := p.reader()
		r.get("/sign-in?next=" + url.QueryEscape(next))
		got := r.post("/sign-in", "name", "statistician", "password", testPassword, "next", next)
		to := got.header.Get("Location")
		parsed, err := url.Parse(to)
		if err != nil || parsed.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") || got.header.Get("Set-Cookie") == "a=b" {
			t.Errorf("next %q leads to %q", next, to)
		}
	}
	if got := localPath("/unit/1?month=2026-10"); got != "/unit/1?month=2026-10" {
		t.Errorf("a path of ours became %q", got)
	}
}

// TestHostileNames: what people call themselves and type into addresses is
// text on every page.
func TestHostileNames(t *testing.T) {
	p := newPortal(t)
	p.addAccount(register.RoleAdmin)
	p.addAccount(register.RoleAuditor)
	evil := `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	admin, auditor := p.as(register.RoleAdmin), p.as(register.RoleAuditor)
	if got := admin.post("/accounts", "name", "evil", "display", evil, "role", "leader"); got.status != http.StatusOK {
		t.Fatalf("got %d", got.status)
	}
	admin.post("/accounts", "name", evil, "display", "x", "role", evil)
	for _, page := range []answer{
		admin.get("/accounts"), admin.get("/accounts/evil"), auditor.get("/audit"), auditor.get("/audit?account=" + url.QueryEscape(evil)), auditor.get("/audit?since=" + url.QueryEscape(evil)),
		admin.get("/" + url.PathEscape(evil)), auditor.get("/?month=" + url.QueryEscape(evil)), auditor.get("/indicator/" + url.PathEscape(evil)),
		p.reader().get("/sign-in?next=" + url.QueryEscape("/"+evil)), p.reader().get("/welcome?link=" + url.QueryEscape(evil)),
	} {
		if strings.Contains(page.text, "<script>alert") || strings.Contains(page.text, "<img src=x") {
			t.Errorf("a name became a script:\n%s", page.text)
		}
	}
}

// TestHostileFaults: what goes wrong inside is a number for the reader, and
// the cause for the log.
func TestHostileFaults(t *testing.T) {
	broken := t.TempDir()
	for name, text := range map[string]string{"CURRENT": "2026-10\n", "2026-10/CURRENT": "v1\n", "2026-10/v1/manifest.json": "{broken", "2026-10/v1/warehouse.duckdb": "no database"} {
		file := filepath.Join(broken, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := newPortal(t, func(o *Options) { o.Published = broken })
	p.addAccount(register.RoleLeader)
	r := p.as(register.RoleLeader)
	for _, path := range []string{"/", "/archive", "/unit", "/line/city"} {
		got := r.get(path)
		if got.status != http.StatusInternalServerError || !strings.Contains(got.text, "日志编号") || strings.Contains(got.text, broken) || strings.Contains(got.text, "invalid character") {
			t.Errorf("%s: got %d\n%s", path, got.status, got.text)
		}
	}
	p.Register.Close() // the worst: nothing can be read any more
	if got := r.get("/own"); got.status != http.StatusInternalServerError || strings.Contains(got.text, "sql:") {
		t.Errorf("without a register: %d\n%s", got.status, got.text)
	}
}

// TestHostileConnections: headers that are too large, and a client that sends
// them one byte at a time, are cut off by the server as it is served.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	p := newPortal(t, func(o *Options) { o.Listen = "127.0.0.1:0" })
	ctx, stop := context.WithCancel(context.Background())
	listener, err := p.ListenOn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, listener) }()
	send := func(text string) (string, time.Duration) {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(4 * headerWithin))
		begun := time.Now()
		_, _ = conn.Write([]byte(text))
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return line, time.Since(begun)
	}
	if line, _ := send("GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"); !strings.Contains(line, "431") {
		t.Errorf("headers of 64 KiB: %q", line)
	}
	if line, _ := send("GET /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"); !strings.Contains(line, "400") && !strings.Contains(line, "200") {
		t.Errorf("two lengths: %q", line)
	}
	if line, _ := send("GET /sign-in HTTP/1.1\r\n\r\n"); !strings.Contains(line, "400") {
		t.Errorf("no host: %q", line)
	}
	if _, took := send("GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow: "); took > 3*headerWithin {
		t.Errorf("a client that never ends its headers was kept for %s", took)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
