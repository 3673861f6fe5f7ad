package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tongbao/register"
)

// values of the parts of a path that are read from it.
var pathValues = strings.NewReplacer("{$}", "", "/static/{name}", "/static/portal.css", "{name}", "leader", "{grid}", testUnit, "{line}", "city",
	"{month}", "2026-10", "{version}", "v1", "{file...}", url.PathEscape("通报-2026-10-公示版.html"), "{code}", "CG1", "{run}", "1", "{saved}", "1", "{token}", "1")

// TestEveryRouteEveryRole walks all routes with all roles and with nobody: who
// may, gets in; who may not, gets the page that says so and an entry in the
// audit log; nobody is sent to sign in. What acts is tried without a token
// too, and refused.
func TestEveryRouteEveryRole(t *testing.T) {
	p := newPortal(t)
	for _, role := range register.Roles() {
		p.addAccount(role)
	}
	if err := p.Register.AddRun(context.Background(), &register.Run{Trigger: register.ByHand, State: register.Done, QueuedAt: p.clock.now()}); err != nil {
		t.Fatal(err)
	}
	readers := map[register.Role]*reader{"": p.reader()}
	for _, one := range p.routes() {
		if one.door != "" && !slices.Contains(register.Doors(), one.door) {
			t.Errorf("%s: the table of doors has no %q", one.pattern, one.door)
		}
		method, path, found := strings.Cut(one.pattern, " ")
		if !found {
			continue // the page that is not there
		}
		path = pathValues.Replace(path)
		if strings.Contains(path, "{") {
			t.Fatalf("%s: the test has no value for a part of it", one.pattern)
		}
		for _, role := range append([]register.Role{""}, register.Roles()...) {
			if method == http.MethodPost {
				if readers[role] != nil && one.door != "" && one.door != register.DoorAPI && role != "" {
					request := readers[role].request(method, path, strings.NewReader("form_token=wrong"))
					request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					if got := readers[role].do(request); got.status != http.StatusForbidden {
						t.Errorf("%s as %q without a token: got %d, want it refused", one.pattern, role, got.status)
					}
				}
			}
			r := readers[role]
			if r == nil {
				r = p.as(role)
				readers[role] = r
			}
			if method == http.MethodPost && one.door == register.DoorOwn {
				r = &reader{p: p, client: r.client, token: "wrong"} // nobody is signed out half-way
			}
			var got answer
			if method == http.MethodPost {
				got = r.post(path)
			} else {
				got = r.get(path)
			}
			p.clock.move(1e9) // far below the limit of requests
			checkEntry(t, one, role, got)
		}
	}
}

func checkEntry(t *testing.T, one route, role register.Role, got answer) {
	t.Helper()
	may := role != "" && register.May(role, one.door)
	isPost := strings.HasPrefix(one.pattern, "POST")
	switch {
	case one.door == register.DoorAPI:
		// A session opens nothing here; TestAPI has the tokens.
		if got.status != http.StatusUnauthorized || !strings.Contains(got.text, `"unauthorized"`) {
			t.Errorf("%s as %q: got %d, want a token asked for\n%s", one.pattern, role, got.status, got.text)
		}
	case one.door == "":
		if got.status >= 500 {
			t.Errorf("%s as %q: got %d", one.pattern, role, got.status)
		}
	case role == "" && isPost && got.status == http.StatusForbidden: // a form without its token
	case role == "":
		if got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/sign-in") {
			t.Errorf("%s as nobody: got %d to %q, want the sign-in", one.pattern, got.status, got.header.Get("Location"))
		}
	case one.door == register.DoorOwn && isPost:
	case may && (got.status == http.StatusForbidden || got.status >= 500):
		t.Errorf("%s as %s: got %d, want to get in\n%s", one.pattern, role, got.status, got.text)
	case !may && got.status != http.StatusForbidden && !(one.door == register.DoorHome && got.status == http.StatusSeeOther):
		t.Errorf("%s as %s: got %d, want it refused", one.pattern, role, got.status)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
		if got.header.Get(name) != want {
			t.Errorf("%s as %q: header %s is %q", one.pattern, role, name, got.header.Get(name))
		}
	}
	if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe-inline") {
		t.Errorf("%s as %q: policy %q", one.pattern, role, csp)
	}
}
