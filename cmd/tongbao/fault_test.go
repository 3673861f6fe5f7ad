package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"tongbao/pipeline"
)

// failpoints are the named moments at which the program may lose power, with
// the town that it then works on; each follows or precedes something durable.
var failpoints = []struct {
	months int
	from   stage
	points []string
}{
	{1, delivered, []string{"etl.landed:3", "etl.staged:4", "etl.merged:5", "etl.before_commit:6", "etl.after_commit:7"}},
	{2, pulled, []string{"build.before_commit:2", "build.month_committed"}},
	{1, pulled, []string{"build.snapshot_written", "build.before_rename", "publish.before_rename", "publish.before_pointer", "publish.after_pointer"}},
}

// TestKilledAnywhere kills the program with SIGKILL at every failpoint of a
// run; the next run must finish and publish the same data as an undisturbed
// one, as version 1.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, town := range failpoints {
		want := readManifest(t, sharedDemo(t, town.months, published), "2026-10")
		for _, point := range town.points {
			t.Run(point, func(t *testing.T) { killedAt(t, point, ownDemo(t, town.months, town.from), want) })
		}
	}
}

// killedAt runs the town's month, has it killed at the point, and runs it again.
func killedAt(t *testing.T, point, town string, want pipeline.Manifest) {
	t.Helper()
	output, err := start(t, []string{"FAILPOINT=" + point}, "run", "-w", town, "--month", "2026-10")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed at %s: %v\n%s", point, err, output)
	}
	if output, err := start(t, nil, "run", "-w", town, "--month", "2026-10"); err != nil {
		t.Fatalf("the run after the kill: %v\n%s", err, output)
	}
	got := readManifest(t, town, "2026-10")
	if got.Version != 1 {
		t.Errorf("got version %d, want 1", got.Version)
	}
	if !slices.Equal(got.Digest, want.Digest) {
		t.Errorf("published data differ from an undisturbed run:\ngot  %q\nwant %q", got.Digest, want.Digest)
	}
	for _, name := range []string{"rows_in", "rows_loaded", "rows_duplicate", "rows_quarantined"} {
		if got.Counts[name] != want.Counts[name] {
			t.Errorf("%s: got %d, want %d", name, got.Counts[name], want.Counts[name])
		}
	}
	left, err := filepath.Glob(filepath.Join(town, "data", "*", "*", "*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("half-made folders are left: %q, %v", left, err)
	}
}
