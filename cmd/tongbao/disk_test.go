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
		var output []byte
		var err error
		for range 50 { // a process that another test starts holds our files for a moment
			if output, err = exec.Command("umount", dir).CombinedOutput(); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("umount: %s", output)
	})
	return dir, func(options string) {
		t.Helper()
		if output, err := exec.Command("mount", "-o", "remount,"+options, dir).CombinedOutput(); err != nil {
			t.Fatalf("remount %s: %s", options, output)
		}
	}
}

// TestDiskFull runs a month on a disk that may not be written, and then on one
// that is too small, at several sizes. Each time the message says so; when there
// is space at last the run ends as if nothing had been.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	calm := sharedDemo(t, 1, published)
	sizes := []int{4, 10}
	if os.Getenv("SOAK") != "" {
		sizes = []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 32, 48, 64}
	}
	dir, remount := smallDisk(t, sizes[0])
	town := filepath.Join(dir, "town")
	if err := os.CopyFS(town, os.DirFS(sharedDemo(t, 1, delivered))); err != nil {
		t.Fatal(err)
	}
	remount("ro")
	for _, command := range []string{"run", "serve"} {
		if output, err := start(t, nil, command, "-w", town); err == nil || !strings.Contains(output, "read-only file system") || !strings.Contains(output, town) {
			t.Errorf("%s on a read-only disk: %v\n%s", command, err, output)
		}
	}
	remount("rw")
	for _, size := range sizes {
		remount(fmt.Sprintf("size=%dm", size))
		if output, err := start(t, nil, "run", "-w", town, "--month", "2026-10"); err == nil || !strings.Contains(output, "free some space") {
			t.Errorf("%d MiB: the message does not name the disk: %v\n%s", size, err, output)
		}
	}
	remount("size=500m")
	if output, err := start(t, nil, "run", "-w", town, "--month", "2026-10"); err != nil {
		t.Fatalf("with space again: %v\n%s", err, output)
	}
	holdWhole(t, town, calm)
}

// TestTimeout: a run that takes longer than its job allows has failed, says
// so, and its retries finish what it began.
func TestTimeout(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 1, delivered)
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
