package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fillWhile takes all space away once a child has done something there, and
// keeps it, until the child has ended.
func fillWhile(t *testing.T, disk, sign string, ended <-chan struct{}) {
	t.Helper()
	for {
		if found, _ := filepath.Glob(filepath.Join(disk, filepath.FromSlash(sign))); len(found) > 0 {
			break
		}
		select {
		case <-ended:
			return
		case <-time.After(2 * time.Millisecond):
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
	fresh := filepath.Join(t.TempDir(), "town")
	must(t, "init", fresh, "--demo", "--months", "1", "--grids", "16", "--tickets", "200")
	calm := copyWorkspace(t, fresh)
	must(t, "run", "-w", calm, "--month", "2026-10")
	want := readManifest(t, calm, "2026-10")
	town := filepath.Join(disk, "town")
	for _, sign := range []string{"town/data/raw/*/*.csv", "town/data/builds/2026-10/*.tmp", "town/data/published/2026-10/*.tmp"} {
		t.Run("full at "+sign, func(t *testing.T) {
			if err := os.RemoveAll(town); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(town, os.DirFS(fresh)); err != nil {
				t.Fatal(err)
			}
			said, err := runFilling(t, disk, sign, "run", "-w", town, "--month", "2026-10")
			os.Remove(filepath.Join(disk, "filler"))
			// The filler may lose the race with the last step; then all is well already.
			if err == nil && !strings.Contains(sign, "published") {
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
			if got := readManifest(t, town, "2026-10"); !slices.Equal(got.Digest, want.Digest) || got.Counts["rows_in"] != want.Counts["rows_in"] {
				t.Errorf("got another bulletin after a full disk:\n%q\n%q", got.Digest, want.Digest)
			}
		})
	}
}

// runFilling starts the program and fills the disk when the sign appears.
func runFilling(t *testing.T, disk, sign string, args ...string) (string, error) {
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
		fillWhile(t, disk, sign, ended)
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
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town, "--demo", "--months", "1", "--grids", "16", "--tickets", "200")
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
