package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tongbao/pipeline"
	"tongbao/register"
)

// Bounds of what a service may gain over its runs; docs/operations.md states
// them. What runs keep on disk goes with prune.
const (
	maxRunBytes   = 6 << 10  // a run on disk: its rows in the register, its file, its log
	maxFileGrowth = 16 << 20 // the working file, over any number of runs that take nothing in
	maxHeapGrowth = 16 << 20 // the service's own memory, likewise
)

// TestGrowth lets the service do runs that find nothing new, but for a seed
// that changes now and then: 10,000 in make soak, some in make test. Memory and
// files stay within their bounds.
func TestGrowth(t *testing.T) {
	runs := 16
	if os.Getenv("SOAK") != "" {
		runs = 10_000
	}
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town)
	setJobs(t, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull]}\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	clock := &turn{now: testNow}
	house, err := pipeline.Open(ctx, town, pipeline.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer house.Close()
	ended := make(chan struct{}, 1)
	done, begun := 0, false
	var before, after size
	warm := runs / 4
	sleep := func(ctx context.Context, _ time.Duration) {
		if begun {
			select {
			case <-ended:
			case <-ctx.Done():
				return
			}
		}
		begun = true
		switch done {
		case warm:
			before = measure(t, town)
		case runs:
			after = measure(t, town)
			cancel()
			return
		}
		clock.set(clock.Now().Truncate(time.Minute).Add(time.Minute))
	}
	service, err := pipeline.NewService(house, pipeline.ServiceOptions{Sleep: sleep})
	if err != nil {
		t.Fatal(err)
	}
	service.OnRun(func(run register.Run) {
		if run.State != register.Done {
			t.Errorf("run %d: %s: %s", run.ID, run.State, run.Error)
		}
		if done++; done%seedEvery == 0 {
			touchSeed(t, town)
		}
		ended <- struct{}{}
	})
	if err := service.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	counted := int64(runs - warm)
	t.Logf("%d runs: %d bytes a run on disk, working file %+d, heap %+d, goroutines %+d", runs,
		(after.kept-before.kept)/counted, after.working-before.working, after.heap-before.heap, after.routines-before.routines)
	if got := (after.kept - before.kept) / counted; got > maxRunBytes {
		t.Errorf("a run keeps %d bytes on disk, at most %d are stated", got, maxRunBytes)
	}
	if got := after.working - before.working; got > maxFileGrowth {
		t.Errorf("the working file grew by %d bytes, at most %d are stated", got, maxFileGrowth)
	}
	if got := after.heap - before.heap; got > maxHeapGrowth {
		t.Errorf("the heap grew by %d bytes, at most %d are stated", got, maxHeapGrowth)
	}
	if after.routines > before.routines+2 {
		t.Errorf("goroutines grew from %d to %d", before.routines, after.routines)
	}
}

// seedEvery is after how many runs a seed changes.
const seedEvery = 8

// touchSeed changes the text of a seed, so that all seeds are loaded again.
func touchSeed(t *testing.T, town string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(town, "data", "seeds", "calendar.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString("\n")
		file.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

type size struct {
	kept, working, heap int64
	routines            int
}

func measure(t *testing.T, town string) size {
	t.Helper()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s := size{heap: int64(memory.HeapAlloc), routines: runtime.NumGoroutine()}
	err := filepath.WalkDir(filepath.Join(town, "data"), func(path string, entry fs.DirEntry, err error) error {
		// SQLite's own log has a size of its own, whatever the number of runs.
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "register.db-") {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == "warehouse" {
			s.working += info.Size()
		} else {
			s.kept += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
