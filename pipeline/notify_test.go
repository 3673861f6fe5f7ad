package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tongbao/register"
)

// desk is a workspace that tells people over the given channels.
func desk(t *testing.T, channels ...Channel) (*House, *time.Time) {
	t.Helper()
	now := testNow()
	reg, err := register.Open(context.Background(), filepath.Join(t.TempDir(), "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	h := &House{register: reg, Now: func() time.Time { return now }}
	h.Dir = t.TempDir()
	h.Config = Config{Town: "青禾镇", Notify: NotifyConfig{Channels: channels}}
	if err := h.Config.Notify.check(); err != nil {
		t.Fatal(err)
	}
	return h, &now
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// badRun has everything that is told, and words about a person in its error.
func badRun(id int64) register.Run {
	return register.Run{
		ID: id, Job: "nightly", Trigger: register.ByClock, Period: testMonth, State: register.Failed, Ended: testNow(),
		Rows:  register.Counts{In: 200, Loaded: 180, Quarantined: 20},
		Error: "read inbox/张三-13912345678.csv: row 7: \"张三\"", Version: 2,
		Steps: []register.RunStep{{Step: "pull", State: register.Failed, Error: "张三"}},
		Late:  []register.LateSource{{Source: "repairs", Name: "维修台账", Level: "error", DueAt: testNow(), Text: "张三"}},
	}
}

// robot answers as told and keeps what it was sent.
type robot struct {
	*httptest.Server
	mu       sync.Mutex
	status   int
	answer   string
	got      []string
	requests []*http.Request
}

func newRobot(t *testing.T) *robot {
	r := &robot{status: 200, answer: `{"errcode":0}`}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		body, _ := io.ReadAll(request.Body)
		r.got, r.requests = append(r.got, string(body)), append(r.requests, request)
		w.WriteHeader(r.status)
		io.WriteString(w, r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *robot) set(status int, answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.answer = status, answer
}

// TestNoticesOfARun: each event is told once to each channel that wants it, in
// every language, without a word of the error.
func TestNoticesOfARun(t *testing.T) {
	for _, language := range []string{"zh-Hans", "zh-Hant", "en"} {
		h, _ := desk(t, Channel{Name: "all", Kind: "file", Folder: "out"}, Channel{Name: "news", Kind: "file", Folder: "news", On: []string{"published"}})
		h.Config.Notify.Language = language
		for range 2 { // the second time nothing is new
			if err := h.queueNotices(context.Background(), badRun(7), true); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Tell(context.Background(), quiet()); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(h.Dir, "out", "*.json"))
		if err != nil || len(files) != 4 {
			t.Fatalf("%s: got %q, %v; want four files", language, files, err)
		}
		var events []string
		for _, file := range files {
			var m message
			if err := readJSON(file, &m); err != nil {
				t.Fatal(err)
			}
			events = append(events, m.Event)
			for _, word := range []string{"张三", "13912345678", "inbox"} {
				if strings.Contains(m.Title+m.Text+m.Key, word) {
					t.Errorf("%s: %s tells %q: %s %s", language, m.Event, word, m.Title, m.Text)
				}
			}
			if !strings.Contains(m.Title, "2026-10") || strings.Contains(m.Title+m.Text, "no value") {
				t.Errorf("%s: %s says %q, %q", language, m.Event, m.Title, m.Text)
			}
		}
		slices.Sort(events)
		if !slices.Equal(events, []string{"failed", "late", "published", "quarantine"}) {
			t.Errorf("%s: got %q", language, events)
		}
		if news, _ := filepath.Glob(filepath.Join(h.Dir, "news", "*.json")); len(news) != 1 {
			t.Errorf("%s: the channel that wants published only got %q", language, news)
		}
	}
}

// TestSameNewsOnce: a job that fails every half hour in the same way is told
// once a day; another error, and the next day, are news.
func TestSameNewsOnce(t *testing.T) {
	h, now := desk(t, Channel{Name: "all", Kind: "file", Folder: "out", On: []string{"failed"}})
	count := func() int {
		waiting, err := h.register.WaitingNotices(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return len(waiting)
	}
	for i, one := range []struct {
		error string
		day   int
		want  int
	}{{"a", 0, 1}, {"a", 0, 1}, {"b", 0, 2}, {"a", 1, 3}, {"a", 1, 3}} {
		run := register.Run{ID: int64(i), Job: "nightly", Period: testMonth, State: register.Failed, Error: one.error, Ended: now.AddDate(0, 0, one.day)}
		if err := h.queueNotices(context.Background(), run, false); err != nil {
			t.Fatal(err)
		}
		if got := count(); got != one.want {
			t.Errorf("step %d: got %d notices, want %d", i, got, one.want)
		}
	}
}

// TestRobots posts to a real server in the form that each robot wants.
func TestRobots(t *testing.T) {
	for kind, want := range map[string]string{
		"webhook":  `"event":"published","title":"【青禾镇】2026-10 通报第 2 版已生成"`,
		"dingtalk": `{"msgtype":"text","text":{"content":"【青禾镇】2026-10 通报第 2 版已生成\n`,
		"wecom":    `{"msgtype":"text","text":{"content":"【青禾镇】2026-10 通报第 2 版已生成\n`,
		"feishu":   `"content":{"text":"【青禾镇】2026-10 通报第 2 版已生成\n`,
	} {
		t.Run(kind, func(t *testing.T) {
			server := newRobot(t)
			t.Setenv("TEST_URL", server.URL+"/robot/send?access_token=TOPSECRET")
			t.Setenv("TEST_SECRET", "signing key")
			h, now := desk(t, Channel{Name: "robot", Kind: kind, URLEnv: "TEST_URL", SecretEnv: "TEST_SECRET", On: []string{"published"}})
			if err := h.queueNotices(context.Background(), badRun(7), false); err != nil {
				t.Fatal(err)
			}
			tell := func(requests int, waiting string) {
				t.Helper()
				if err := h.Tell(context.Background(), quiet()); err != nil {
					t.Fatal(err)
				}
				left, err := h.register.WaitingNotices(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				for _, notice := range left {
					got = notice.Error
				}
				if len(server.got) != requests || !strings.Contains(got, waiting) || (waiting == "") != (len(left) == 0) {
					t.Errorf("got %d requests and %q left; want %d and %q", len(server.got), got, requests, waiting)
				}
				if strings.Contains(got, "TOPSECRET") {
					t.Errorf("the error shows the secret: %s", got)
				}
			}
			server.set(500, "")
			tell(1, "500")
			tell(1, "500") // not before its time
			*now = now.Add(tellAgainFirst)
			server.set(200, `{"errcode":310000,"code":310000}`)
			tell(2, "refuses with code")
			*now = now.Add(2 * tellAgainFirst)
			server.set(200, `{"errcode":0,"code":0,"StatusCode":0}`)
			tell(3, "")
			*now = now.Add(time.Hour)
			tell(3, "") // told once
			if last := server.got[2]; !strings.Contains(last, want) || !json.Valid([]byte(last)) {
				t.Errorf("got %s\nwant %s", last, want)
			}
			signed := server.requests[2].URL.RawQuery + server.requests[2].Header.Get("X-Tongbao-Signature") + server.got[2]
			if kind != "wecom" && !strings.Contains(signed, "sign=") && !strings.Contains(signed, "sha256=") && !strings.Contains(signed, `"sign":`) {
				t.Errorf("it is not signed: %s", signed)
			}
		})
	}
}

// TestSignatures holds the signatures against ones made by other means
// (openssl dgst -sha256 -hmac).
func TestSignatures(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	n := register.Notice{Title: "t", Text: "x"}
	_, address, err := Channel{Kind: "dingtalk"}.body(n, "https://robot.example/send?access_token=a", "SECabc", at)
	if err != nil || !strings.Contains(address, "timestamp=1700000000000") || !strings.Contains(address, "sign="+dingSign) {
		t.Errorf("dingtalk: got %s, %v; want sign=%s", address, err, dingSign)
	}
	body, _, err := Channel{Kind: "feishu"}.body(n, "https://robot.example/hook", "SECabc", at)
	if err != nil || !strings.Contains(string(body), feishuSign) {
		t.Errorf("feishu: got %s, %v; want %s", body, err, feishuSign)
	}
}

// TestGivenUp: a channel that never answers gets fewer and fewer attempts, is
// given up after three days, and does not hold up the other channel.
func TestGivenUp(t *testing.T) {
	t.Setenv("TEST_URL", "http://127.0.0.1:1/secretpath")
	h, now := desk(t, Channel{Name: "dead", Kind: "webhook", URLEnv: "TEST_URL"}, Channel{Name: "alive", Kind: "file", Folder: "out"})
	if err := h.queueNotices(context.Background(), badRun(7), false); err != nil {
		t.Fatal(err)
	}
	start := *now
	for now.Sub(start) < 80*time.Hour {
		if err := h.Tell(context.Background(), quiet()); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(10 * time.Minute)
	}
	counts, err := h.register.NoticeCounts(context.Background())
	if err != nil || counts[register.Sent] != 4 || counts[register.GivenUp] != 4 || counts[register.Waiting] != 0 {
		t.Errorf("got %v, %v; want 4 sent, 4 given up", counts, err)
	}
}

// post is a small SMTP server: it speaks to one client at a time, plain, and
// keeps the letters. It refuses the first attempts as busy servers do.
type post struct {
	address string
	mu      sync.Mutex
	busy    int
	letters []string
	to      []string
	login   string
}

func newPost(t *testing.T, busy int) *post {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{address: listener.Addr().String(), busy: busy}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.serve(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-served })
	return p
}

func (p *post) serve(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 post ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO":
			say("250-post")
			say("250-AUTH PLAIN")
			say("250 8BITMIME")
		case "AUTH":
			p.login = strings.TrimSpace(line)
			say("235 ok")
		case "MAIL":
			if p.busy > 0 {
				p.busy--
				say("451 try again later")
				continue
			}
			say("250 ok")
		case "RCPT":
			p.to = append(p.to, strings.TrimSpace(line))
			say("250 ok")
		case "DATA":
			say("354 go on")
			var letter strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				letter.WriteString(line)
			}
			p.letters = append(p.letters, letter.String())
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 " + verb)
		}
	}
}

func TestMail(t *testing.T) {
	server := newPost(t, 1)
	t.Setenv("TEST_USER", "tongbao")
	t.Setenv("TEST_PASSWORD", "mail password")
	h, now := desk(t, Channel{
		Name: "mail", Kind: "smtp", Server: server.address, TLS: "none", From: "tongbao@town.example",
		To: []string{"a@town.example", "b@town.example"}, On: []string{"late"}, UserEnv: "TEST_USER", PasswordEnv: "TEST_PASSWORD",
	})
	if err := h.queueNotices(context.Background(), badRun(7), false); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := h.Tell(context.Background(), quiet()); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(tellAgainFirst)
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.letters) != 1 || len(server.to) != 2 || server.login == "" {
		t.Fatalf("got %d letters to %q, login %q; want one to two receivers with a login", len(server.letters), server.to, server.login)
	}
	letter, err := mail.ReadMessage(strings.NewReader(server.letters[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil || subject != "【青禾镇】数据未按时送达：维修台账（2026-10）" {
		t.Errorf("got subject %q, %v", subject, err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if err != nil || !strings.Contains(string(text), "维修台账 的 2026-10 数据应于") {
		t.Errorf("got text %q, %v", text, err)
	}
	if letter.Header.Get("Message-Id") == "" || letter.Header.Get("Date") == "" {
		t.Errorf("got headers %v", letter.Header)
	}
}

// TestMailWithoutTLS: a server that has no STARTTLS is not spoken to in plain
// unless the channel says so.
func TestMailWithoutTLS(t *testing.T) {
	server := newPost(t, 0)
	c := Channel{Name: "mail", Kind: "smtp", Server: server.address, From: "a@town.example", To: []string{"b@town.example"}}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.send(ctx, "", register.Notice{}); err == nil || !strings.Contains(err.Error(), "starttls") {
		t.Errorf("got %v, want a refusal that names starttls", err)
	}
}

// TestHangingChannel: a server that takes the connection and says nothing is
// left after the bound of the attempt.
func TestHangingChannel(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("TEST_URL", "http://"+listener.Addr().String())
	for _, c := range []Channel{{Name: "web", Kind: "webhook", URLEnv: "TEST_URL"}, {Name: "mail", Kind: "smtp", Server: listener.Addr().String(), From: "a", To: []string{"b"}}} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		begun := time.Now()
		if err := c.send(ctx, "", register.Notice{}); err == nil || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: got %v after %s", c.Name, err, time.Since(begun))
		}
		cancel()
	}
}

func TestNotifyMistakes(t *testing.T) {
	for _, one := range []struct{ yaml, want string }{
		{"notify: {channels: [{name: a, kind: fax}]}", `kind: "fax"`},
		{"notify: {channels: [{name: a, kind: webhook}]}", "url_env"},
		{"notify: {channels: [{name: a, kind: webhook, url_env: 'https://robot.example/?access_token=x'}]}", "never the secret itself"},
		{"notify: {channels: [{name: a, kind: file, folder: x, on: [sucess]}]}", `on: "sucess"`},
		{"notify: {channels: [{name: a, kind: file, folder: x}, {name: a, kind: file, folder: x}]}", "is taken"},
		{"notify: {language: fr}", `language: "fr"`},
		{"notify: {channels: [{name: a, kind: file, foldr: x}]}", `[2:43] unknown field "foldr"`},
		{"log: {keep_days: 30}", "at least 184"},
		{"listen: 9720", `listen: "9720"`},
		{"backup: {keep: -1}", "keep: -1"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ConfigName), []byte("town: x\n"+one.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := FindWorkspace(dir); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: got %v, want %s", one.yaml, err, one.want)
		}
	}
}

const (
	dingSign   = "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM%3D"
	feishuSign = "XprR1de+0SSBnwWyU/4k6x2TL+Q2SJlM5NNEdAv7MWg="
)
