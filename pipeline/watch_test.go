package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tongbao/register"
)

// lines is a writer that a test may read while others write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually waits for something that goroutines bring about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("after 30 s: not %s", what)
}

// setConfig writes tongbao.yaml as an editor does: in one go.
func setConfig(t *testing.T, dir, text string) {
	t.Helper()
	if err := writeWhole(filepath.Join(dir, ConfigName), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestService starts a service of a small town with a robot that is told, does
// a run that publishes and one that fails, and looks at everything that others
// can see of it; then the configuration changes, once badly and once well.
func TestService(t *testing.T) {
	server := newRobot(t)
	t.Setenv("TEST_URL", server.URL+"/send?access_token=TOPSECRET")
	town := smallTown(t)
	os.RemoveAll(filepath.Join(town, "data", "published"))
	const good = "town: 青禾镇\npublish: auto\nlisten: 127.0.0.1:0\nnotify:\n  channels:\n    - {name: robot, kind: dingtalk, url_env: TEST_URL}\n"
	setConfig(t, town, good)
	house, err := Open(context.Background(), town, Options{Program: "v-test"})
	if err != nil {
		t.Fatal(err)
	}
	defer house.Close()
	var shown lines
	log, file := house.OpenLog(&shown)
	defer file.Close()
	service, err := NewService(house, ServiceOptions{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- service.Serve(ctx) }()
	eventually(t, "watched", func() bool { return service.Watched() != "" })
	base := "http://" + service.Watched()

	for _, request := range []Request{
		{Steps: []register.PlanStep{{Step: "run"}}, Month: testMonth},
		{Steps: []register.PlanStep{{Step: "report"}}, Month: testMonth.Next()},
	} {
		_, feed, err := service.Ask(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		if err := feed.follow(ctx, func(Event) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "told", func() bool {
		counts, err := house.register.NoticeCounts(ctx)
		return err == nil && counts[register.Sent] >= 2 && counts[register.Waiting] == 0
	})
	if code, text := get(t, base+"/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("healthz: %d %q", code, text)
	}
	eventually(t, "ready", func() bool { code, _ := get(t, base+"/readyz"); return code == 200 })
	_, metrics := get(t, base+"/metrics")
	for _, want := range []string{
		`tongbao_build_info\{go="go[^"]+",version="v-test"\} 1`, `tongbao_runs_total\{job="by hand",state="done"\} 1`,
		`tongbao_runs_total\{job="by hand",state="failed"\} 1`, `tongbao_run_duration_seconds_count\{job="by hand"\} 1`,
		`tongbao_runs_queued 0`, `tongbao_runs_running 0`, `tongbao_notices\{state="sent"\} [2-9]`, `tongbao_config_in_force 1`,
		`tongbao_source_delivered_timestamp_seconds\{source="tickets_12345"\} 1\.[0-9]+e\+09`, `tongbao_quarantine_rows\{source="tickets_12345"\} [1-9]`,
		`tongbao_disk_free_bytes [1-9]`, `tongbao_collect_errors 0`, `tongbao_last_published_timestamp_seconds 1\.[0-9]+e\+09`, `tongbao_rows_total\{kind="loaded"\} [0-9]`,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(metrics) {
			t.Errorf("metrics have no %s", want)
		}
	}
	if t.Failed() {
		t.Log(regexp.MustCompile(`(?m)^tongbao_.*$`).FindAllString(metrics, -1))
	}

	setConfig(t, town, strings.Replace(good, "publish: auto", "pubish: auto", 1))
	eventually(t, "refused", func() bool { _, text := get(t, base+"/readyz"); return strings.Contains(text, "refused") })
	if text := shown.String(); !strings.Contains(text, "[2:1] unknown field") || !strings.Contains(text, "pubish") {
		t.Errorf("the log does not name the line:\n%s", text)
	}
	eventually(t, "told of the refusal", func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.got) > 0 && strings.Contains(server.got[len(server.got)-1], "第 2 行有误：没有这个配置项")
	})
	if service.config().Publish != "auto" || len(service.Jobs()) != 0 {
		t.Error("the old configuration is not in force")
	}
	setConfig(t, town, good+"jobs:\n  - {name: tidy, schedule: '@monthly', steps: [prune]}\n")
	eventually(t, "in force", func() bool { return len(service.Jobs()) == 1 })
	if code, text := get(t, base+"/readyz"); code != 200 || strings.Contains(text, "refused") {
		t.Errorf("readyz: %d %s", code, text)
	}

	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	kept, err := os.ReadFile(house.logFile())
	if err != nil || !strings.Contains(string(kept), `"msg":"run ends"`) {
		t.Errorf("the log is not kept: %v\n%s", err, kept)
	}
	for _, text := range []string{string(kept), shown.String(), metrics} {
		if strings.Contains(text, "TOPSECRET") {
			t.Error("a secret is shown")
		}
	}
}

// TestMasked: secrets are starred in messages, attributes, errors and groups.
func TestMasked(t *testing.T) {
	t.Setenv("TEST_URL", "https://robot.example/hook/a-secret-path")
	w := Workspace{Dir: t.TempDir(), Config: Config{Notify: NotifyConfig{Channels: []Channel{{Name: "a", Kind: "wecom", URLEnv: "TEST_URL"}}}}}
	if err := w.Config.Log.check(); err != nil {
		t.Fatal(err)
	}
	var shown lines
	log, file := w.OpenLog(&shown)
	log.Info("connect postgres://tongbao:pa55word@db/town", "password", "pa55word", "n", 7,
		"error", errors.New(`post "https://robot.example/hook/a-secret-path?x=1": access_token=pa55word`),
		slog.Group("source", "token", "pa55word", "address", "mysql://a:pa55word@host/x", "note", "api_key: pa55word"))
	file.Close()
	kept, err := os.ReadFile(w.logFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{shown.String(), string(kept)} {
		if strings.Contains(text, "pa55word") || strings.Contains(text, "a-secret-path") || strings.Count(text, "***") < 6 || !strings.Contains(text, "tongbao:***@db/town") {
			t.Errorf("got %s", text)
		}
	}
	if !json.Valid(kept) {
		t.Errorf("not JSON: %s", kept)
	}
	if info, err := os.Stat(w.logFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v; want 0600", info.Mode(), err)
	}
}

// TestLogRotates: the log is put aside at its size, compressed, and its old
// parts stay as long as the retention says.
func TestLogRotates(t *testing.T) {
	w := Workspace{Dir: t.TempDir(), Config: Config{Log: LogConfig{MaxMB: 1}}}
	if err := w.Config.Log.check(); err != nil {
		t.Fatal(err)
	}
	logs := w.path("logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	stamp := func(days int) string {
		return filepath.Join(logs, "tongbao-"+time.Now().AddDate(0, 0, -days).UTC().Format("2006-01-02T15-04-05.000")+".log")
	}
	young, old := stamp(MinKeepDays-1), stamp(MinKeepDays+1)
	for _, name := range []string{young, old} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, file := w.OpenLog(io.Discard)
	defer file.Close()
	for range 1500 {
		log.Info(strings.Repeat("word ", 200))
	}
	eventually(t, "rotated", func() bool {
		packed, _ := filepath.Glob(filepath.Join(logs, "*.log.gz"))
		_, err := os.Stat(old)
		return len(packed) == 2 && os.IsNotExist(err)
	})
	if _, err := os.Stat(young + ".gz"); err != nil {
		t.Errorf("a log of %d days is gone: %v", MinKeepDays-1, err)
	}
}

// TestPrune removes exactly what the retention says.
func TestPrune(t *testing.T) {
	h, now := desk(t)
	ctx := context.Background()
	for _, check := range []error{h.Config.Log.check(), h.Config.Backup.check()} {
		if check != nil {
			t.Fatal(check)
		}
	}
	h.Config.Backup.Keep = 2
	make := func(name string, age int) {
		file := filepath.Join(h.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		then := now.AddDate(0, 0, -age)
		if err := os.Chtimes(file, then, then); err != nil {
			t.Fatal(err)
		}
	}
	h.Config.Backup.To = "backups"
	names := map[string]int{ // by age; those with a 0 in front of the slash go
		"data/builds/2026-10/0001/a": 1, "data/builds/2026-10/0002/a": 1, "data/builds/2026-10/0003/a": 1, "data/builds/2026-10/0004/a": 1,
		"data/runs/2026-01/000001.json": 185, "data/runs/2026-09/000002.json": 183, "data/raw/tickets/a": 999, "data/published/2020-01/v1/a": 999,
		"data/logs/tongbao-old.log.gz": 300, "data/logs/tongbao.log": 1,
		"backups/tongbao-20260101-000000.tar.zst": 1, "backups/tongbao-20260102-000000.tar.gz": 1, "backups/tongbao-20260103-000000/a": 1, "backups/other-20200101-000000": 999,
	}
	gone := []string{"data/builds/2026-10/0001/a", "data/runs/2026-01/000001.json", "data/logs/tongbao-old.log.gz", "backups/tongbao-20260101-000000.tar.zst"}
	for name, age := range names {
		make(name, age)
	}
	for _, age := range []int{185, 183} {
		run := register.Run{Trigger: register.ByHand, Period: testMonth, State: register.Done, QueuedAt: now.AddDate(0, 0, -age), Ended: now.AddDate(0, 0, -age)}
		if err := h.register.AddRun(ctx, &run); err != nil {
			t.Fatal(err)
		}
		if err := h.register.SetStep(ctx, run.ID, 0, register.RunStep{Step: "pull", State: register.Done}); err != nil {
			t.Fatal(err)
		}
	}
	running := register.Run{Trigger: register.ByHand, Period: testMonth, State: register.Running, QueuedAt: now.AddDate(-1, 0, 0)}
	if err := h.register.AddRun(ctx, &running); err != nil {
		t.Fatal(err)
	}
	note, err := h.Prune(ctx)
	if err != nil || note != "removed 1 builds, 1 runs of the history with 1 files, 0 notices, 1 logs, 1 backups" {
		t.Errorf("got %q, %v", note, err)
	}
	for _, name := range gone {
		if _, err := os.Stat(filepath.Join(h.Dir, filepath.FromSlash(name))); !os.IsNotExist(err) {
			t.Errorf("%s is still there", name)
		}
		delete(names, name)
	}
	for name := range names {
		if _, err := os.Stat(filepath.Join(h.Dir, filepath.FromSlash(name))); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
	if left, err := h.register.Runs(ctx, register.RunFilter{}); err != nil || len(left) != 2 {
		t.Errorf("got %d runs, %v; want 2", len(left), err)
	}
}
