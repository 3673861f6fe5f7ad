package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tickOfFiller is how often it is asked whether the moment has come.
const tickOfFiller = 2 * time.Millisecond

// fillWhile takes all space away at a moment, and keeps it, until the child has
// ended.
func fillWhile(t *testing.T, disk string, is func() bool, ended <-chan struct{}) {
	t.Helper()
	for !is() {
		select {
		case <-ended:
			return
		case <-time.After(tickOfFiller):
		}
	}
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Error(err)
		return
	}
	defer filler.Close()
	block := bytes.Repeat([]byte("full"), 1<<14)
	for {
		_, err := filler.Write(block)
		if err == nil {
			continue
		}
		if len(block) > 4096 {
			block = block[:4096]
			continue
		}
		select {
		case <-ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// TestDiskFillsUp lets the disk fill up at several moments of a run;
// the run says so in plain words, and the next one, with space again, publishes
// what an undisturbed run would have.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	disk, _ := smallDisk(t, 400)
	moments := []moment{
		{"the warehouse is made", delivered, appears(disk, "town/data/warehouse/work.duckdb"), true},
		{"the first delivery", delivered, appears(disk, "town/data/raw/*/*.csv"), true},
		{"a build", pulled, appears(disk, "town/data/builds/2026-10/*.tmp"), true},
		// The filler may lose the race with the last step; then all is well already.
		{"a version", pulled, appears(disk, "town/data/published/2026-10/*.tmp"), false},
	}
	if os.Getenv("SOAK") != "" {
		for range 40 {
			wait := time.Duration(rand.Int64N(int64(8 * time.Second)))
			moments = append(moments, moment{wait.String(), delivered, func() bool { wait -= tickOfFiller; return wait < 0 }, false})
		}
	}
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) { fillsUpAt(t, disk, m) })
	}
}

// moment is when a disk fills up: the run begins with a town of a stage, and
// ends badly for sure or perhaps.
type moment struct {
	name   string
	from   stage
	is     func() bool
	breaks bool
}

func appears(disk, sign string) func() bool {
	return func() bool {
		found, _ := filepath.Glob(filepath.Join(disk, filepath.FromSlash(sign)))
		return len(found) > 0
	}
}

func fillsUpAt(t *testing.T, disk string, m moment) {
	t.Helper()
	town := filepath.Join(disk, "town")
	if err := os.RemoveAll(town); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(town, os.DirFS(sharedDemo(t, 1, m.from))); err != nil {
		t.Fatal(err)
	}
	said, err := runFilling(t, disk, m.is, "run", "-w", town, "--month", "2026-10")
	os.Remove(filepath.Join(disk, "filler"))
	if err == nil && m.breaks {
		t.Errorf("the run on a full disk says that all is well:\n%s", said)
	}
	if err != nil && !strings.Contains(said, "free some space") {
		t.Errorf("no plain word on the disk:\n%s", said)
	}
	if strings.Contains(said, "goroutine ") || strings.Contains(said, "panic") {
		t.Errorf("a stack:\n%s", said)
	}
	if said, err := start(t, nil, "run", "-w", town, "--month", "2026-10"); err != nil {
		t.Fatalf("the run with space again: %v\n%s", err, said)
	}
	got, want := readManifest(t, town, "2026-10"), readManifest(t, sharedDemo(t, 1, published), "2026-10")
	if !slices.Equal(got.Digest, want.Digest) || got.Counts["rows_in"] != want.Counts["rows_in"] {
		t.Errorf("got another bulletin after a full disk:\n%q\n%q", got.Digest, want.Digest)
	}
}

// runFilling starts the program and fills the disk at a moment.
func runFilling(t *testing.T, disk string, is func() bool, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, self, args...)
	child.Env = append(os.Environ(), "TONGBAO_MAIN=1")
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended, filled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(filled)
		fillWhile(t, disk, is, ended)
	}()
	err = child.Wait()
	close(ended)
	<-filled
	return said.String(), err
}

// TestSourceDown: an inbox on a share that is gone fails the run and touches
// nothing; the next run, with the share back, takes everything in.
func TestSourceDown(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 1, delivered)
	inbox := filepath.Join(town, "data", "inbox")
	if err := os.Rename(inbox, inbox+"-away"); err != nil {
		t.Fatal(err)
	}
	code, _, said := command(t, "run", "-w", town, "--month", "2026-10")
	if code == exitDone || !strings.Contains(said, "inbox") {
		t.Errorf("got exit %d, %q; want a word on the inbox", code, said)
	}
	if err := os.Rename(inbox+"-away", inbox); err != nil {
		t.Fatal(err)
	}
	must(t, "run", "-w", town, "--month", "2026-10")
	if got := readManifest(t, town, "2026-10"); got.Version != 1 {
		t.Errorf("got v%d", got.Version)
	}
}
