package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tongbao/pipeline"
	"tongbao/register"
)

// serving starts the program in a process of its own and returns it with what
// it prints; the caller ends it.
func serving(t testing.TB, env []string, args ...string) (*exec.Cmd, *heard) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, args...)
	child.Env = append(append(os.Environ(), "TONGBAO_MAIN=1"), env...)
	log := &heard{}
	child.Stdout, child.Stderr = log, log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	return child, log
}

// heard is what a child prints; it may be read while the child goes on.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// setJobs replaces the jobs of a workspace; its service is watched on a port
// of its own.
func setJobs(t testing.TB, town, jobs string) {
	t.Helper()
	file := filepath.Join(town, pipeline.ConfigName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(text), "\njobs:")
	if !found {
		t.Fatalf("%s has no jobs", file)
	}
	head = strings.Replace(head, pipeline.DefaultListen, "127.0.0.1:0", 1)
	if err := os.WriteFile(file, []byte(head+"\njobs:\n"+jobs), 0o644); err != nil {
		t.Fatal(err)
	}
}

var deliveredPattern = regexp.MustCompile(`_(\d{8})[_.]`)

// courier holds back the deliveries of a town and hands them over in order.
type courier struct {
	held, inbox string
	names       []string // what is still held, in order of delivery
}

func hold(t *testing.T, town string) *courier {
	t.Helper()
	c := &courier{held: filepath.Join(town, "held"), inbox: filepath.Join(town, "data", "inbox")}
	if err := os.Rename(c.inbox, c.held); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(c.inbox, 0o755); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(c.held)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		c.names = append(c.names, entry.Name())
	}
	slices.SortStableFunc(c.names, func(a, b string) int { return strings.Compare(day(a), day(b)) })
	return c
}

func day(name string) string {
	if match := deliveredPattern.FindStringSubmatch(name); match != nil {
		return match[1]
	}
	return ""
}

// hand gives the next n deliveries, and those of the same day: the order of a
// day's deliveries is the program's.
func (c *courier) hand(t *testing.T, n int) {
	t.Helper()
	for n < len(c.names) && n > 0 && day(c.names[n]) == day(c.names[n-1]) {
		n++
	}
	n = min(n, len(c.names))
	for _, name := range c.names[:n] {
		if err := os.Rename(filepath.Join(c.held, name), filepath.Join(c.inbox, name)); err != nil {
			t.Fatal(err)
		}
	}
	c.names = c.names[n:]
}

// TestKilledServing kills the service at random moments while it does its jobs
// and deliveries come in. Afterwards every load accounts for its rows, every
// month is whole, no run is left running, and the published data equal those
// of an undisturbed run.
func TestKilledServing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("twenty kills take most of a minute")
	}
	kills := 20
	if os.Getenv("SOAK") != "" {
		kills = 600
	}
	if n, err := strconv.Atoi(os.Getenv("KILLS")); err == nil {
		kills = n
	}
	calm, town := sharedDemo(t, 3, published), ownDemo(t, 3, delivered)
	setJobs(t, town, `
  - {name: often, schedule: "* * * * *", steps: [pull, run], catchup: last, retries: 3, retry_delay: 1s}
  - {name: draw, schedule: "*/5 * * * *", steps: [publish, report], catchup: none}
`)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	held := hold(t, town)
	deliveries := len(held.names)
	// A minute of the clock is a second of ours: there is always work.
	clock := fmt.Sprintf("TEST_CLOCK=%d %d 60", testNow.Unix(), time.Now().UnixNano())
	for kill := range kills {
		handed := deliveries - len(held.names)
		// A quarter at once, so that there is a month to compute from the first on.
		held.hand(t, max(0, deliveries/4+(kill+1)*(deliveries-deliveries/4)/kills-handed))
		var killed int64 // the run that the kill before left running
		if run := find(history(t, town), register.Running); run != nil {
			killed = run.ID
		}
		child, log := serving(t, []string{clock}, "serve", "-w", town)
		switch kill % 5 {
		case 2, 3: // at work for sure, however slow the machine is
			waitFor(t, town, "a run is at work", func(runs []register.Run) bool {
				run := find(runs, register.Running)
				return run != nil && run.ID != killed
			})
		case 4:
			waitForDone(t, town, kill/5+1) // so that there is something to publish over
		}
		time.Sleep(time.Duration(random.Int64N(int64(1700 * time.Millisecond))))
		if err := child.Process.Kill(); err != nil {
			t.Fatalf("kill %d: the service had ended by itself: %v\n%s", kill, err, log)
		}
		_ = child.Wait()
	}
	held.hand(t, len(held.names))
	if output, err := start(t, []string{clock}, "run", "-w", town, "--month", "2026-10"); err != nil {
		t.Fatalf("the run after %d kills: %v\n%s", kills, err, output)
	}
	holdWhole(t, town, calm)
	tellRuns(t, town)
}

// waitForDone waits until so many runs of the town are done.
func waitForDone(t *testing.T, town string, want int) {
	t.Helper()
	for range 600 {
		if runsBy(t, town)[register.Done] >= want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("no %d runs are done within a minute: %v", want, runsBy(t, town))
}

func history(t testing.TB, town string) []register.Run {
	t.Helper()
	workspace, err := pipeline.FindWorkspace(town)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := workspace.History(context.Background(), register.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func runsBy(t testing.TB, town string) map[register.RunState]int {
	t.Helper()
	states := map[register.RunState]int{}
	for _, run := range history(t, town) {
		states[run.State]++
	}
	return states
}

// holdWhole holds a town against one that was left in peace.
func holdWhole(t *testing.T, town, calm string) {
	t.Helper()
	schemas := []string{"core", "indicator", "score", "ranking", "bulletin"}
	if diff := cmp.Diff(digests(t, town, schemas...), digests(t, calm, schemas...)); diff != "" {
		t.Errorf("tables: got (-), undisturbed (+):\n%s", diff)
	}
	got, want := readManifest(t, town, "2026-10"), readManifest(t, calm, "2026-10")
	if diff := cmp.Diff(got.Digest, want.Digest); diff != "" {
		t.Errorf("published: got (-), undisturbed (+):\n%s", diff)
	}
	db := openWorking(t, town)
	if bad := ask(t, db, "select file from core.load where rows_in <> rows_loaded + rows_duplicate + rows_quarantined"); len(bad) > 0 {
		t.Errorf("loads do not account for their rows: %q", bad)
	}
	left, err := filepath.Glob(filepath.Join(town, "data", "*", "*", "*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("half-made folders are left: %q, %v", left, err)
	}
}

// tellRuns holds that no run is left running, and that each has its file.
func tellRuns(t *testing.T, town string) {
	t.Helper()
	for _, run := range history(t, town) {
		files, err := filepath.Glob(filepath.Join(town, "data", "runs", "*", fmt.Sprintf("%06d.json", run.ID)))
		if run.State.IsOver() && !run.Started.IsZero() && (err != nil || len(files) != 1) {
			t.Errorf("run %d (%s) has files %q, %v", run.ID, run.State, files, err)
		}
	}
	states := runsBy(t, town)
	t.Logf("runs: %v", states)
	if states[register.Running] > 0 {
		t.Errorf("%d runs are left running", states[register.Running])
	}
	if states[register.Interrupted] == 0 || states[register.Done] == 0 {
		t.Errorf("the kills met no work, or none was done: %v", states)
	}
}
