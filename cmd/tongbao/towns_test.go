package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Small demo towns, of 16 building grids, are made once for each number of
// months and shared: a run of one takes seconds.

// shared holds what tests share; TestMain removes it.
var shared = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "tongbao-shared-") })

// stage is how far a shared town has come.
type stage string

const (
	delivered stage = "delivered" // its deliveries lie in the inbox
	pulled    stage = "pulled"    // they are taken in
	published stage = "published" // and 2026-10 is published
)

type sharedTown struct {
	mu     sync.Mutex
	stages map[stage]string
}

var (
	townsMu sync.Mutex
	towns   = map[int]*sharedTown{}
)

// sharedDemo is a town of so many months that tests share: it must not be
// changed. See ownDemo for one that may.
func sharedDemo(t *testing.T, months int, upTo stage) string {
	t.Helper()
	townsMu.Lock()
	if towns[months] == nil {
		towns[months] = &sharedTown{stages: map[stage]string{}}
	}
	town := towns[months]
	townsMu.Unlock()
	town.mu.Lock()
	defer town.mu.Unlock()
	if dir := town.stages[upTo]; dir != "" {
		return dir
	}
	root, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	made := func(s stage, from stage, args ...string) {
		dir := filepath.Join(root, fmt.Sprint(months), string(s))
		if town.stages[s] != "" {
			return
		}
		if from != "" {
			if err := os.CopyFS(dir, os.DirFS(town.stages[from])); err != nil {
				t.Fatal(err)
			}
		}
		must(t, append(args, dir)...)
		town.stages[s] = dir
	}
	made(delivered, "", "init", "--demo", "--months", fmt.Sprint(months), "--grids", "16")
	if upTo == pulled || upTo == published {
		made(pulled, delivered, "pull", "-w")
	}
	if upTo == published {
		made(published, pulled, "run", "--month", "2026-10", "-w")
	}
	return town.stages[upTo]
}

// ownDemo is a copy of a shared town for a test of its own.
func ownDemo(t *testing.T, months int, upTo stage) string {
	t.Helper()
	return copyWorkspace(t, sharedDemo(t, months, upTo))
}
