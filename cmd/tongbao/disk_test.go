package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tongbao/register"
)

// smallDisk mounts a file system of so many MiB; the test is skipped where
// nobody lets us.
func smallDisk(t *testing.T, size int) (dir string, remount func(options string)) {
	t.Helper()
	dir = t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", size), "tongbao-test", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system needs the right to mount: %s", output)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", output)
		}
	})
	return dir, func(options string) {
		t.Helper()
		if output, err := exec.Command("mount", "-o", "remount,"+options, dir).CombinedOutput(); err != nil {
			t.Fatalf("remount %s: %s", options, output)
		}
	}
}

// TestDiskFull runs a month on disks that become full at different steps, and
// on one that may not be written. The message says so, and when there is space
// again the next run ends as if nothing had been.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	fresh := filepath.Join(t.TempDir(), "town")
	must(t, "init", fresh, "--demo", "--months", "1", "--grids", "16")
	calm := copyWorkspace(t, fresh)
	must(t, "run", "-w", calm, "--month", "2026-10")
	sizes := []int{4, 10}
	if os.Getenv("SOAK") != "" {
		sizes = []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24}
	}
	for _, size := range sizes {
		t.Run(fmt.Sprint(size, " MiB"), func(t *testing.T) {
			dir, remount := smallDisk(t, size)
			town := filepath.Join(dir, "town")
			if err := os.CopyFS(town, os.DirFS(fresh)); err != nil {
				t.Fatal(err)
			}
			output, err := start(t, nil, "run", "-w", town, "--month", "2026-10")
			if err == nil {
				t.Skipf("%d MiB are enough", size)
			}
			if !strings.Contains(output, "free some space") {
				t.Errorf("the message does not name the disk:\n%s", output)
			}
			remount("size=500m")
			if output, err := start(t, nil, "run", "-w", town, "--month", "2026-10"); err != nil {
				t.Fatalf("with space again: %v\n%s", err, output)
			}
			holdWhole(t, town, calm)
		})
	}
	t.Run("read-only", func(t *testing.T) {
		dir, remount := smallDisk(t, 500)
		town := filepath.Join(dir, "town")
		if err := os.CopyFS(town, os.DirFS(fresh)); err != nil {
			t.Fatal(err)
		}
		remount("ro")
		for _, command := range []string{"run", "serve"} {
			if output, err := start(t, nil, command, "-w", town); err == nil || !strings.Contains(output, "read-only file system") || !strings.Contains(output, town) {
				t.Errorf("%s on a read-only disk: %v\n%s", command, err, output)
			}
		}
		remount("rw")
		if output, err := start(t, nil, "run", "-w", town, "--month", "2026-10"); err != nil {
			t.Fatalf("with a disk that may be written: %v\n%s", err, output)
		}
		holdWhole(t, town, calm)
	})
}

// TestTimeout: a run that takes longer than its job allows has failed, says
// so, and its retries finish what it began.
func TestTimeout(t *testing.T) {
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town, "--demo", "--months", "2", "--grids", "16")
	setJobs(t, town, "  - {name: hasty, schedule: \"@yearly\", steps: [pull, run], timeout: 400ms, retries: 10, retry_delay: 0s, catchup: all}\n")
	// The year turns a few seconds after the service has started.
	turn := time.Date(2026, 12, 31, 23, 55, 0, 0, time.FixedZone("CST", 8*3600))
	clock := fmt.Sprintf("TEST_CLOCK=%d %d 60", turn.Unix(), time.Now().UnixNano())
	service := startService(t, town, clock)
	waitFor(t, town, "a run has taken too long", func(runs []register.Run) bool { return find(runs, register.Failed) != nil })
	stopService(t, service)
	run := find(history(t, town), register.Failed)
	if !strings.Contains(run.Error, "longer than its timeout") || run.Job != "hasty" {
		t.Errorf("got %+v", run)
	}
	must(t, "run", "-w", town, "--month", "2026-10")
}
