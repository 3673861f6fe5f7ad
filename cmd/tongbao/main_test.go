package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tongbao/pipeline"
	"tongbao/warehouse"
)

// TestMain lets the test binary be the program itself, so that tests can
// start it, kill it, and let it verify files in a child process.
func TestMain(m *testing.M) {
	if text := os.Getenv("TEST_CLOCK"); text != "" {
		mainUnderClock(text)
	}
	if os.Getenv("TONGBAO_MAIN") != "" || len(os.Args) > 1 && (slices.Contains([]string{"verify", "pgwire", warehouse.AskCommand}, os.Args[1])) {
		main()
		return
	}
	code := m.Run()
	stopChromium()
	if dir, err := shared(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// mainUnderClock is the program under a clock that runs faster: the text has
// the moment at which it stood at from, and how many times it is faster.
func mainUnderClock(text string) {
	var from, zero, times int64
	if _, err := fmt.Sscan(text, &zero, &from, &times); err != nil {
		panic(err)
	}
	now := func() time.Time {
		return time.Unix(zero, 0).Add(time.Duration(time.Now().UnixNano()-from) * time.Duration(times))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit((&app{stdout: os.Stdout, stderr: os.Stderr, now: now, sleep: func(ctx context.Context, d time.Duration) {
		select {
		case <-time.After(max(d/time.Duration(times), time.Millisecond)):
		case <-ctx.Done():
		}
	}}).run(ctx, os.Args[1:]))
}

// testNow is the day on which the tests run the program: the demo's last month
// is the last whole one.
var testNow = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// command runs a command line in this process and returns what it printed.
func command(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// must runs a command line that has to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := command(t, args...)
	if code != exitDone {
		t.Fatalf("tongbao %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// start runs the program in a process of its own with the given environment
// added, and returns its output and its error.
func start(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, args...)
	child.Env = append(append(os.Environ(), "TONGBAO_MAIN=1"), env...)
	output, err := child.CombinedOutput()
	return string(output), err
}

// readManifest reads the manifest of a month's current version.
func readManifest(t *testing.T, workspace, month string) pipeline.Manifest {
	t.Helper()
	dir := filepath.Join(workspace, "data", "published", month)
	version, err := os.ReadFile(filepath.Join(dir, "CURRENT"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, strings.TrimSpace(string(version)), "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest pipeline.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	return manifest
}

// copyWorkspace copies a workspace, so that a test may break the copy.
func copyWorkspace(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "town")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}
