package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tongbao/pipeline"
	"tongbao/register"
)

// benchPages are what readers open, in no order.
var benchPages = []string{"/", "/line/city", "/line/law", "/unit", "/unit/329118110201", "/unit/329118110204", "/unit/329118110201901", "/indicator", "/indicator/cg2", "/archive", "/health", "/coordination"}

// benchQueries are what statisticians ask: small, and by the month's own view.
var benchQueries = []string{
	"select name, total, place from bulletin.community where month = $month order by place",
	"select line_name, max(score) - min(score) as spread from bulletin.line_unit where month = $month group by line_name order by all",
	"select community, count(*) as areas, round(avg(total), 2) as mean from bulletin.area where month = $month group by community order by all",
}

// BenchmarkPortal is 50 readers who open a page a second and 10 statisticians
// who ask a query every other second, while the service takes changed tickets
// in, computes and publishes them. It reports the 95th percentile and the
// longest answer of both, and fails on any answer that is not whole.
func BenchmarkPortal(b *testing.B) {
	seconds := 30
	if text := os.Getenv("BENCH_SECONDS"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	town := copyWorkspace(b, demoTown(b))
	setPortal(b, town)
	setJobs(b, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull, run, publish]}\n")
	service := startService(b, town)
	address := portalOf(b, town)
	readers, askers := signedIn(b, town, address, 50), statisticians(b, town, 10)
	for b.Loop() {
		lasting := time.Duration(seconds) * time.Second
		var pages, answers timings
		var all sync.WaitGroup
		for _, reader := range readers {
			all.Go(func() { pages.keep(lasting, 500*time.Millisecond, func() error { return openPage(reader, address) }) })
		}
		for _, token := range askers {
			all.Go(func() { answers.keep(lasting, 1500*time.Millisecond, func() error { return askSmall(address, token) }) })
		}
		all.Go(func() {
			for turn := range max(1, seconds/30) {
				deliverChanged(b, town, turn+1)
				time.Sleep(30 * time.Second)
			}
		})
		all.Wait()
		pages.report(b, "page", lasting)
		answers.report(b, "query", lasting)
		b.ReportMetric(float64(peakOf(b, service.Process.Pid)), "service-MB")
		runs := runsBy(b, town)
		b.Logf("runs beside it: %v; %d versions of 2026-10", runs, versionsOf(b, town, "2026-10"))
		if runs[register.Done] == 0 || runs[register.Failed] > 0 {
			b.Errorf("no run was done beside the readers, or one failed: %v", runs)
		}
	}
}

// timings are how long answers took, and what was no answer.
type timings struct {
	mu     sync.Mutex
	spent  []time.Duration
	failed []error
}

// keep does something again and again, with a rest of one to three times the
// least between.
func (t *timings) keep(lasting, least time.Duration, do func() error) {
	until := time.Now().Add(lasting)
	for time.Sleep(rand.N(2 * least)); time.Now().Before(until); time.Sleep(least + rand.N(2*least)) {
		begun := time.Now()
		err := do()
		spent := time.Since(begun)
		t.mu.Lock()
		if t.spent = append(t.spent, spent); err != nil {
			t.failed = append(t.failed, err)
		}
		t.mu.Unlock()
	}
}

func (t *timings) report(b *testing.B, what string, lasting time.Duration) {
	for _, err := range t.failed {
		b.Error(err)
	}
	slices.Sort(t.spent)
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(float64(len(t.spent))/lasting.Seconds(), what+"/s")
	b.ReportMetric(milliseconds(t.spent[len(t.spent)/2]), what+"-p50-ms")
	b.ReportMetric(milliseconds(t.spent[len(t.spent)*95/100]), what+"-p95-ms")
	b.ReportMetric(milliseconds(t.spent[len(t.spent)-1]), what+"-max-ms")
}

// openPage opens one of the pages and wants all of it.
func openPage(reader *http.Client, address string) error {
	page := benchPages[rand.IntN(len(benchPages))]
	response, err := reader.Get(address + page)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(text, []byte("</html>")) {
		return fmt.Errorf("%s: %s, %d bytes, %v", page, response.Status, len(text), err)
	}
	return nil
}

// askSmall asks one of the queries and wants its rows.
func askSmall(address, token string) error {
	sql := benchQueries[rand.IntN(len(benchQueries))]
	body, err := json.Marshal(map[string]any{"sql": sql, "params": map[string]string{"month": "2026-10"}})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, address+"/api/v1/query", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct{ Rows []map[string]any }
	text, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || response.StatusCode != http.StatusOK || len(answer.Rows) < 8 {
		return fmt.Errorf("%s: %s, %.200s, %v", sql, response.Status, text, err)
	}
	return nil
}

// statisticians have an account and a token each.
func statisticians(b *testing.B, town string, count int) (tokens []string) {
	b.Helper()
	reg := registerOf(b, town)
	for i := range count {
		name, now := "statistician"+strconv.Itoa(i), time.Now()
		if err := reg.AddAccount(b.Context(), register.By{At: now}, register.Account{Name: name, Role: register.RoleStatistician}, ""); err != nil {
			b.Fatal(err)
		}
		secret, err := reg.NewToken(b.Context(), register.By{Account: name, At: now}, register.Token{Account: name, Title: "bench",
			Scopes: []register.Scope{register.ScopeQuery}, ExpiresAt: now.Add(time.Hour)})
		if err != nil {
			b.Fatal(err)
		}
		tokens = append(tokens, secret)
	}
	return tokens
}

// deliverChanged delivers the newest tickets again, each seventh with another
// number of reworks, which changes scores.
func deliverChanged(b *testing.B, town string, turn int) {
	inbox := filepath.Join(town, "data", "inbox")
	files, err := filepath.Glob(filepath.Join(inbox, "12345工单_20261*.csv"))
	if err != nil || len(files) == 0 {
		b.Errorf("no tickets to deliver again: %v", err)
		return
	}
	content, err := os.ReadFile(slices.Min(files))
	if err != nil {
		b.Error(err)
		return
	}
	var changed strings.Builder
	number := 0
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimRight(line, "\r\n"), ",")
		if number > 0 && number%7 == 0 && !strings.Contains(line, `"`) {
			fields[len(fields)-6], fields[len(fields)-1] = strconv.Itoa(turn), fmt.Sprintf("2026-11-10 08:00:%02d", turn)
			line = strings.Join(fields, ",") + "\n"
		}
		changed.WriteString(line)
		number++
	}
	name := filepath.Join(inbox, fmt.Sprintf("12345工单_202611%02d.csv", 11+turn))
	if err := os.WriteFile(name+".tmp", []byte(changed.String()), 0o600); err != nil {
		b.Error(err)
		return
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		b.Error(err)
	}
}

func versionsOf(t testing.TB, town, month string) int {
	t.Helper()
	versions, err := filepath.Glob(filepath.Join(town, "data", "published", month, "v*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(versions)
}

// peakOf is the most memory that a process has held, in MB.
func peakOf(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _ := strconv.Atoi(strings.Fields(after)[0])
	return kilobytes / 1024
}

func registerOf(t testing.TB, town string) *register.Register {
	t.Helper()
	workspace, err := pipeline.FindWorkspace(town)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := workspace.OpenRegister(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	return reg
}

// signedIn are browsers of leaders with a session each.
func signedIn(t testing.TB, town, address string, count int) []*http.Client {
	t.Helper()
	ctx, reg := context.Background(), registerOf(t, town)
	home, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var readers []*http.Client
	for i := range count {
		name := "reader" + strconv.Itoa(i)
		if err := reg.AddAccount(ctx, register.By{At: time.Now()}, register.Account{Name: name, Role: register.RoleLeader}, ""); err != nil {
			t.Fatal(err)
		}
		secret, err := reg.NewSession(ctx, name, "127.0.0.1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		jar, _ := cookiejar.New(nil)
		jar.SetCookies(home, []*http.Cookie{{Name: "tongbao", Value: secret}})
		readers = append(readers, &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1}})
	}
	return readers
}
