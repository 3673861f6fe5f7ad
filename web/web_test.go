package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tongbao"
	"tongbao/data"
	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/register"
)

const testPassword = "correct horse battery staple"

// testUnit is a community of the demo town.
const testUnit = "329118110201"

// clock is a moment that a test may move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// portal is a portal under test, with an account for each role.
type portal struct {
	*Server
	t     testing.TB
	clock *clock
	http  *httptest.Server
}

// demo is the demo town with its newest month published: "make test" runs it
// once for all packages and names it in TONGBAO_DEMO, else it is run here.
var demo = sync.OnceValues(func() (string, error) {
	if town := os.Getenv("TONGBAO_DEMO"); town != "" {
		return town, nil
	}
	dir, err := os.MkdirTemp("", "tongbao-web")
	if err != nil {
		return "", err
	}
	ctx, last, town := context.Background(), tongbao.NewMonth(2026, 10), filepath.Join(dir, "town")
	removeDemo = func() { os.RemoveAll(dir) }
	if err := pipeline.InitDemo(ctx, data.Demo{Dir: town, Months: 24, Until: last, Seed: 1, Grids: 147}); err != nil {
		return "", err
	}
	house, err := pipeline.Open(ctx, town, pipeline.Options{})
	if err != nil {
		return "", err
	}
	if _, err = house.Pull(ctx, etl.Choice{}); err == nil {
		_, err = house.Run(ctx, last)
	}
	return town, errors.Join(err, house.Close())
})

var removeDemo = func() {}

func demoTown(t testing.TB) string {
	t.Helper()
	town, err := demo()
	if err != nil {
		t.Fatal(err)
	}
	return town
}

func newPortal(t testing.TB, change ...func(*Options)) *portal {
	t.Helper()
	ctx := context.Background()
	reg, err := register.Open(ctx, filepath.Join(t.TempDir(), "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	c := &clock{at: time.Date(2026, 11, 25, 9, 0, 0, 0, time.Local)}
	opt := Options{Town: "青禾镇", Published: filepath.Join(demoTown(t), "data", "published"), Register: reg, Acts: &testActs{}, Now: c.now, Readers: testReaders(t), Desk: testDesk(reg)}
	for _, one := range change {
		one(&opt)
	}
	server, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{Server: server, t: t, clock: c, http: httptest.NewServer(server.Handler())}
	t.Cleanup(p.http.Close)
	return p
}

// addAccount adds the account of a role; it is called like the role.
func (p *portal) addAccount(role register.Role) {
	p.t.Helper()
	account := register.Account{Name: string(role), Display: "某" + string(role), Role: role}
	switch role {
	case register.RoleLine:
		account.Line = "city"
	case register.RoleUnit:
		account.Unit = testUnit
	}
	err := p.Register.AddAccount(context.Background(), register.By{Account: "test", At: p.clock.now()}, account, testPassword)
	if err != nil {
		p.t.Fatal(err)
	}
}

// testActs remembers what it was asked for.
type testActs struct {
	mu    sync.Mutex
	asked []string
}

func (a *testActs) note(format string, args ...any) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, fmt.Sprintf(format, args...))
	return int64(len(a.asked)), nil
}

func (a *testActs) Run(_ context.Context, steps []string, month tongbao.Month) (int64, error) {
	return a.note("run %s %s", strings.Join(steps, "+"), month)
}
func (a *testActs) Retry(_ context.Context, id int64) (int64, error) { return a.note("retry %d", id) }
func (a *testActs) Cancel(_ context.Context, id int64) error {
	_, err := a.note("cancel %d", id)
	return err
}
func (a *testActs) Log(register.Run) (string, error) { return "a line of the log\n", nil }
func (a *testActs) Follow(_ context.Context, _ int64, show func(RunEvent) error) error {
	return show(RunEvent{State: register.Done})
}

// reader is a browser without script.
type reader struct {
	p      *portal
	client *http.Client
	token  string // of the forms on the page seen last
}

func (p *portal) reader() *reader {
	jar, _ := cookiejar.New(nil)
	return &reader{p: p, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a reader who has signed in with a role.
func (p *portal) as(role register.Role) *reader {
	p.t.Helper()
	r := p.reader()
	r.get("/sign-in")
	if answer := r.post("/sign-in", "name", string(role), "password", testPassword); answer.status != http.StatusSeeOther {
		p.t.Fatalf("%s cannot sign in: %d\n%s", role, answer.status, answer.text)
	}
	r.get("/own")
	return r
}

type answer struct {
	status int
	header http.Header
	text   string
}

var tokenPattern = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

func (r *reader) do(request *http.Request) answer {
	r.p.t.Helper()
	response, err := r.client.Do(request)
	if err != nil {
		r.p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.p.t.Fatal(err)
	}
	if found := tokenPattern.FindSubmatch(text); found != nil {
		r.token = string(found[1])
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (r *reader) request(method, path string, body io.Reader) *http.Request {
	r.p.t.Helper()
	request, err := http.NewRequest(method, r.p.http.URL+path, body)
	if err != nil {
		r.p.t.Fatal(err)
	}
	return request
}

func (r *reader) get(path string) answer {
	r.p.t.Helper()
	return r.do(r.request(http.MethodGet, path, nil))
}

// post sends a form with the token of the page seen last; pairs are its fields.
func (r *reader) post(path string, pairs ...string) answer {
	r.p.t.Helper()
	form := url.Values{"form_token": {r.token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	request := r.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(request)
}
