package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tongbao/register"
)

// startService starts the service of a town and waits until it answers.
func startService(t testing.TB, town string, env ...string) *exec.Cmd {
	t.Helper()
	child, log := serving(t, env, "serve", "-w", town)
	for range 300 {
		if code, _, stderr := command(t, "status", "--jobs", "-w", town); code == exitDone && strings.Contains(stderr, "the service runs as process") {
			return child
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the service does not answer:\n%s", log)
	return nil
}

// stopService tells the service to stop and returns how long it took.
func stopService(t *testing.T, child *exec.Cmd) time.Duration {
	t.Helper()
	begun := time.Now()
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatalf("the service ended with %v", err)
	}
	return time.Since(begun)
}

// TestCommandsBesideService: what a person types while the service runs does
// the same, says the same and ends with the same exit code; nobody meets a
// lock. The workspace lies deeper than a socket's name may be long, and deeper
// than excelize saves.
func TestCommandsBesideService(t *testing.T) {
	t.Parallel()
	deep := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))
	town := filepath.Join(deep, "town")
	if err := os.CopyFS(town, os.DirFS(sharedDemo(t, 1, delivered))); err != nil {
		t.Fatal(err)
	}
	setJobs(t, town, "  - {name: yearly, schedule: \"0 0 1 1 *\", steps: [pull]}\n")
	alone := copyWorkspace(t, town) // what the same command says without a service
	service := startService(t, town)
	folder, folderAlone := t.TempDir(), t.TempDir()
	for _, one := range []struct {
		args string
		code int
	}{
		{"run --month 2026-10", exitDone},
		{"pull", exitDone},
		{"status", exitDone},
		{"quarantine list", exitDone},
		{"quarantine list --counts -o csv", exitDone},
		{"run --month 1999-01", exitUsage},
		{"retry 2", exitDone},
		{"retry 77", exitUsage},
		{"cancel 1", exitUsage},
		{"retry x", exitUsage},
		{"sources list", exitDone},
		{"sources list -o csv", exitDone},
		{"sources test tickets_platform", exitDone},
		{"alias list 锦苑", exitDone},
		{"alias list --unmatched", exitDone},
		{"quarantine replay", exitDone},
		{"alias add 新叫法 锦苑社区 --from 2026-09-01", exitDone},
		{"alias add 新叫法 锦苑社区", exitUsage},
		{"alias list -o csv", exitDone},
		{"quarantine export FOLDER/waiting.xlsx", exitDone},
		{"quarantine export FOLDER/waiting.xlsx", exitUsage},
		{"quarantine import FOLDER/waiting.xlsx", exitFailed}, // nobody corrected it
		{"quarantine import FOLDER/nowhere.xlsx", exitUsage},
		{"quarantine dismiss --reason ragged_row --why 重复", exitDone},
		{"quarantine list --state all", exitDone},
		{"pull --source tickets_12345 --full-refresh", exitDone},
		{"pull --source nowhere", exitUsage},
	} {
		code, stdout, stderr := command(t, append(strings.Fields(strings.ReplaceAll(one.args, "FOLDER", folder)), "-w", town)...)
		wantCode, want, wantErr := command(t, append(strings.Fields(strings.ReplaceAll(one.args, "FOLDER", folderAlone)), "-w", alone)...)
		if code != one.code || wantCode != one.code {
			t.Errorf("tongbao %s: exit %d beside the service, %d alone, want %d\n%s\n%s", one.args, code, wantCode, one.code, stderr, wantErr)
		}
		if got := strings.NewReplacer(town, alone, folder, folderAlone).Replace(stdout); withoutClock(got) != withoutClock(want) {
			t.Errorf("tongbao %s: got %q beside the service, %q alone", one.args, got, want)
		}
	}
	for _, args := range [][]string{{"query", "select 1", "-w", town}, {"report", "-w", town, "--out", t.TempDir()}, {"history", "-w", town}, {"history", "1", "-w", town}} {
		must(t, args...)
	}
	// All at once: each waits for its turn, and nothing is lost.
	var together sync.WaitGroup
	for _, args := range []string{"pull", "alias add 并行一 锦苑社区", "alias add 并行二 锦苑社区", "alias add 并行三 锦苑社区", "quarantine replay", "quarantine list",
		"quarantine export " + filepath.Join(folder, "all.xlsx"), "sources list", "alias list --unmatched"} {
		together.Go(func() {
			if code, _, stderr := command(t, append(strings.Fields(args), "-w", town)...); code != exitDone {
				t.Errorf("tongbao %s among others: exit %d\n%s", args, code, stderr)
			}
		})
	}
	together.Wait()
	if got := strings.Count(must(t, "alias", "list", "锦苑社区", "-w", town), "并行"); got != 3 {
		t.Errorf("%d of the three spellings that were added at once are there", got)
	}
	if left, err := filepath.Glob(filepath.Join(town, "data", "service", "exchange-*")); err != nil || len(left) > 0 {
		t.Errorf("commands left %q, %v", left, err)
	}
	for _, args := range [][]string{{"serve", "-w", town}, {"rebuild", "-w", town}} {
		code, _, stderr := command(t, args...)
		if code != exitFailed || !strings.Contains(stderr, fmt.Sprintf("in use by the service, process %d", service.Process.Pid)) {
			t.Errorf("tongbao %s: exit %d, %q", args[0], code, stderr)
		}
	}
	for _, path := range []string{filepath.Join(town, "data", "service", "socket"), filepath.Join(town, "data", "service")} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: others may use it: %v, %v", path, info, err)
		}
	}
	stopService(t, service)
	if code, _, stderr := command(t, "pull", "-w", town); code != exitDone {
		t.Errorf("pull after the service: exit %d\n%s", code, stderr)
	}
}

// withoutClock leaves out moments of this year's tests: two towns do the same a
// second apart.
func withoutClock(text string) string {
	return regexp.MustCompile(time.Now().Format("2006-01-02")+` [0-9:]{8}`).ReplaceAllString(text, "now")
}

// TestStopAndCancel: SIGTERM in the middle of a run ends it within the stated
// time, rolled back and closed as interrupted; the next start does it again
// because its job says so. A run is cancelled the same way.
func TestStopAndCancel(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 1, delivered)
	setJobs(t, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull, run], retries: 5}\n")
	clock := fmt.Sprintf("TEST_CLOCK=%d %d 60", testNow.Unix(), time.Now().UnixNano())
	service := startService(t, town, clock)
	waitFor(t, town, "a run is at work", func(runs []register.Run) bool { return find(runs, register.Running) != nil })
	if took := stopService(t, service); took > 10*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	first := history(t, town)[0]
	if first.State != register.Interrupted {
		t.Fatalf("the run that was stopped is %s: %s", first.State, first.Error)
	}

	service = startService(t, town, clock)
	var again *register.Run
	waitFor(t, town, "the interrupted run is at work again", func(runs []register.Run) bool {
		again = find(runs, register.Running)
		return again != nil && again.RetryOf != 0
	})
	must(t, "cancel", fmt.Sprint(again.ID), "-w", town)
	waitFor(t, town, "the run is cancelled", func(runs []register.Run) bool { return find(runs, register.Cancelled) != nil })
	if cancelled := find(history(t, town), register.Cancelled); cancelled.ID != again.ID || cancelled.RetryOf != first.ID {
		t.Errorf("got %+v cancelled, want run %d, retry of %d", cancelled, again.ID, first.ID)
	}
	stopService(t, service)
	must(t, "run", "-w", town, "--month", "2026-10")
	db := openWorking(t, town)
	if bad := ask(t, db, "select file from core.load where rows_in <> rows_loaded + rows_duplicate + rows_quarantined"); len(bad) > 0 {
		t.Errorf("loads do not account for their rows: %q", bad)
	}
}

func find(runs []register.Run, state register.RunState) *register.Run {
	for i := range runs {
		if runs[i].State == state {
			return &runs[i]
		}
	}
	return nil
}

func waitFor(t *testing.T, town, what string, is func([]register.Run) bool) {
	t.Helper()
	for range 1200 {
		if is(history(t, town)) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	var said []string
	for _, run := range history(t, town) {
		said = append(said, fmt.Sprintf("%d %s %s", run.ID, run.State, run.Error))
	}
	t.Fatalf("waited in vain: %s; the last of %d runs:\n%s", what, len(said), strings.Join(said[max(0, len(said)-10):], "\n"))
}

// TestHandRunKilled: a run by hand that was killed is found by the next
// command and closed. What it had taken in is in its log and its counts.
func TestHandRunKilled(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 1, delivered)
	var exit *exec.ExitError
	if _, err := start(t, []string{"FAILPOINT=etl.merged:2"}, "pull", "-w", town); !errors.As(err, &exit) {
		t.Fatalf("the pull was not killed: %v", err)
	}
	db := openWorking(t, town)
	taken := ask(t, db, "select rows_in, file from core.load")
	db.Close()
	must(t, "pull", "-w", town)
	runs := history(t, town)
	if len(runs) != 2 || runs[0].State != register.Interrupted || runs[1].State != register.Done || runs[1].Trigger != register.ByHand {
		t.Errorf("got %+v", runs)
	}
	_, out, log := command(t, "history", "1", "-w", town)
	if !strings.Contains(out, "interrupted") {
		t.Errorf("history does not say so:\n%s", out)
	}
	if len(taken) != 1 || fmt.Sprint(runs[0].Rows.In) != taken[0][0] || !strings.Contains(log, taken[0][1]+": "+taken[0][0]+" rows in") {
		t.Errorf("%q was taken in; the killed run says %+v:\n%s", taken, runs[0].Rows, log)
	}
}
