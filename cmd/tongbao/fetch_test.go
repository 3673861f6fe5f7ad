package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tongbao/warehouse"
)

// ledger is a definition that fetches a ledger from a server.
const ledger = `source: ledger
name: 基金流水
target: fund_entry
connect: {kind: http, url: '%s/entries', token_env: TONGBAO_TEST_TOKEN, cursor: updated_at, since: since, until: until}
key: [entry_id]
columns:
  - {from: id, to: entry_id, required: true}
  - {from: day, to: day, required: true}
  - {from: kind, to: kind, required: true, values: {拨入: in, 支付: paid}}
  - {from: amount, to: amount, required: true}
  - {from: updated_at, to: updated_at}
`

// startLedger serves three entries to those who have the token, and returns
// the addresses that it was asked.
func startLedger(t *testing.T) (url string, asked *[]string) {
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		var entries []string
		for i, kind := range []string{"拨入", "支付", "支付"} {
			entries = append(entries, fmt.Sprintf(`{"id": "f%d", "day": "2024-10-0%d", "kind": "%s", "amount": 12.30, "updated_at": "2024-10-0%dT08:00:00+08:00"}`, i, i+1, kind, i+1))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(entries, ","))
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func writeLedger(t *testing.T, dir, url string) {
	t.Helper()
	must(t, "init", dir)
	if err := os.WriteFile(filepath.Join(dir, "data", "sources", "ledger.yaml"), fmt.Appendf(nil, ledger, url), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFetchKilledAnywhere kills the program at every point of a fetch at which
// something is durable and something is not; the next pull must finish it.
func TestFetchKilledAnywhere(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	url, _ := startLedger(t)
	fresh := filepath.Join(t.TempDir(), "town")
	writeLedger(t, fresh, url)
	for _, point := range []string{"fetch.streamed", "fetch.named", "fetch.landed", "etl.staged", "etl.merged", "etl.before_commit", "etl.after_commit"} {
		t.Run(point, func(t *testing.T) {
			town := copyWorkspace(t, fresh)
			output, err := start(t, []string{"FAILPOINT=" + point}, "pull", "-w", town)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the process was not killed at %s: %v\n%s", point, err, output)
			}
			must(t, "pull", "-w", town)
			db, err := warehouse.Open(context.Background(), filepath.Join(town, "data", "warehouse", "work.duckdb"), warehouse.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			got := ask(t, db, "select count(*), count(distinct source_key), sum(amount), (select max(watermark) from core.load) from core.fund_entry")[0]
			if want := "3 3 36.90 2024-10-03 08:00:00"; strings.Join(got, " ") != want {
				t.Errorf("got %s, want %s", got, want)
			}
			files, _ := filepath.Glob(filepath.Join(town, "data", "raw", "ledger", "*"))
			for _, file := range files {
				if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 || strings.HasSuffix(file, ".tmp") {
					t.Errorf("%s: half-written, or others may read it: %v %v", file, info.Mode(), err)
				}
			}
		})
	}
}

func TestPullFlags(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	url, asked := startLedger(t)
	town := filepath.Join(t.TempDir(), "town")
	writeLedger(t, town, url)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--source", "ledger"}, exitDone, "ledger: 3 rows fetched from 127.0.0.1"},
		{[]string{"--source", "ledger", "--full-refresh"}, exitDone, "nothing new"},
		{[]string{"--source", "ledger", "--from", "2024-10-02", "--to", "2024-10-03"}, exitDone, "(backfill)"},
		{[]string{"--source", "ledgers"}, exitUsage, "no such definition"},
		{[]string{"--full-refresh"}, exitUsage, "need --source"},
		{[]string{"--source", "ledger", "--from", "yesterday"}, exitUsage, "want a day or moment"},
		{[]string{"--source", "ledger", "--full-refresh", "--from", "2024-10-02"}, exitFailed, "exclude each other"},
	} {
		code, _, stderr := command(t, append([]string{"pull", "-w", town}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("pull %v: got exit %d and %q, want %d and %q", c.args, code, stderr, c.code, c.want)
		}
	}
	if want := "/entries?since=2024-10-02T00%3A00%3A00%2B08%3A00&until=2024-10-03T00%3A00%3A00%2B08%3A00"; (*asked)[len(*asked)-1] != want {
		t.Errorf("asked %s, want %s", (*asked)[len(*asked)-1], want)
	}
	// A trial reads and types the same rows, and leaves the town as it was.
	before := digestOf(t, filepath.Join(town, "data", "raw"))
	*asked = nil
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{nil, exitDone, []string{"ledger: all 3 rows read from 127.0.0.1", "nothing is kept", "3 rows in = 3 loaded"}},
		{[]string{"--from", "2024-10-02"}, exitDone, []string{"all 3 rows read"}},
		{[]string{"--to", "tomorrow"}, exitUsage, []string{"want a day or moment"}},
		{[]string{"x.csv"}, exitUsage, []string{"not read from a file"}},
	} {
		code, _, stderr := command(t, append([]string{"sources", "test", "ledger", "-w", town}, c.args...)...)
		for _, want := range c.want {
			if code != c.code || !strings.Contains(stderr, want) {
				t.Errorf("sources test %v: got exit %d and %q, want %d and %q", c.args, code, stderr, c.code, want)
			}
		}
	}
	if after := digestOf(t, filepath.Join(town, "data", "raw")); after != before || len(*asked) != 2 {
		t.Errorf("a trial asked %q and changed raw/ from %s to %s", *asked, before, after)
	}
	t.Setenv("TONGBAO_TEST_TOKEN", "wrong")
	if code, _, stderr := command(t, "sources", "test", "ledger", "-w", town); code != exitFailed || !strings.Contains(stderr, "check the token") {
		t.Errorf("a trial with a wrong token: got exit %d and %q", code, stderr)
	}
	code, _, stderr := command(t, "pull", "-w", town)
	if code != exitFailed || !strings.Contains(stderr, "ledger (http at 127.0.0.1") || !strings.Contains(stderr, "check the token") || strings.Contains(stderr, "wrong") {
		t.Errorf("a wrong token: got exit %d and %q", code, stderr)
	}
}

// TestTrialByService: a secret that only the service has is used there; one
// that is set here is used here. What the service refuses reads the same.
func TestTrialByService(t *testing.T) {
	const variable = "TONGBAO_TEST_TOKEN"
	t.Setenv(variable, "")
	url, _ := startLedger(t)
	town := filepath.Join(t.TempDir(), "town")
	writeLedger(t, town, url)
	try := func() (int, string) {
		code, _, stderr := command(t, "sources", "test", "ledger", "-w", town)
		return code, stderr
	}
	if code, stderr := try(); code != exitFailed || !strings.Contains(stderr, variable+" is not set") {
		t.Errorf("no secret: exit %d, %q", code, stderr)
	}
	service := startService(t, town, variable+"=s3cret", "TONGBAO_TEST_DB=postgres://town:geheim@127.0.0.1:1/town")
	if code, stderr := try(); code != exitDone || !strings.Contains(stderr, "3 rows in = 3 loaded") {
		t.Errorf("the service's secret: exit %d, %q", code, stderr)
	}
	t.Setenv(variable, "wrong")
	if code, stderr := try(); code != exitFailed || !strings.Contains(stderr, "check the token") {
		t.Errorf("a secret of our own: exit %d, %q", code, stderr)
	}
	code, _, stderr := command(t, "sources", "discover", "--connect", "postgres", "--url-env", "TONGBAO_TEST_DB", "--table", "t", "-w", town)
	if code != exitUsage || !strings.Contains(stderr, "postgres at 127.0.0.1:1") || strings.Contains(stderr, "geheim") {
		t.Errorf("discover by the service: exit %d, %q", code, stderr)
	}
	stopService(t, service)
}

// digestOf lists the files of a folder with their sizes.
func digestOf(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			all = append(all, fmt.Sprint(path, info.Size(), info.ModTime()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}
