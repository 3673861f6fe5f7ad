package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tongbao/pipeline"
	"tongbao/warehouse"
)

// slowSQL runs until it is stopped.
const slowSQL = "select count(*) from range(1000000) as a(i), range(1000000) as b(j) where hash(i * j) = 1"

// deskOf is a desk of the service in a workspace, with a register of its own
// as each door's process has one.
func deskOf(t *testing.T, dir string) *warehouse.Desk {
	t.Helper()
	w, err := pipeline.FindWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := w.OpenRegister(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	return sharedDesk(w, reg)
}

func askDesk(ctx context.Context, desk *warehouse.Desk, account, sql string) error {
	_, err := desk.Ask(ctx, warehouse.Asker{Account: account, From: "test", Door: "page"}, warehouse.Question{SQL: sql, Limits: warehouse.FileLimits}, &warehouse.Rows{}, nil)
	return err
}

// TestSharedDesk: two desks of a workspace let in two questions together and
// one for each account; what a killed process held is free again.
func TestSharedDesk(t *testing.T) {
	if dir := os.Getenv("TEST_DESK"); dir != "" { // the process that is killed below
		desk := deskOf(t, dir)
		desk.Audit = func(context.Context, warehouse.Asked) error {
			_, err := fmt.Fprintln(os.Stderr, "let in")
			return err
		}
		for _, account := range []string{"one", "two"} {
			go func() { _ = askDesk(t.Context(), desk, account, slowSQL) }()
		}
		time.Sleep(time.Minute)
		return
	}
	t.Parallel()
	town := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(town, pipeline.ConfigName), []byte("town: 测试镇\n"), 0o644), os.Mkdir(filepath.Join(town, "data"), 0o755)); err != nil {
		t.Fatal(err)
	}
	desks := []*warehouse.Desk{deskOf(t, town), deskOf(t, town)}
	var mu sync.Mutex
	running, most := 0, 0
	for _, desk := range desks {
		record := desk.Audit
		desk.Audit = func(ctx context.Context, asked warehouse.Asked) error {
			mu.Lock()
			defer mu.Unlock()
			if running--; asked.End.IsZero() {
				running += 2
			}
			most = max(most, running)
			return record(ctx, asked)
		}
	}
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			if err := askDesk(t.Context(), desks[i%2], fmt.Sprint("account ", i), "select sum(i) from range(1000000) as a(i)"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most != desks[0].Running || running != 0 {
		t.Errorf("%d at a time at both desks, want %d; %d stay", most, desks[0].Running, running)
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(self, "-test.run=^TestSharedDesk$")
	other.Env = append(os.Environ(), "TEST_DESK="+town)
	said, err := other.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	for lines, n := bufio.NewScanner(said), 0; n < 2; n++ {
		if !lines.Scan() {
			t.Fatal("the other process is not let in")
		}
	}
	for account, want := range map[string]warehouse.Kind{"one": warehouse.Busy, "two": warehouse.Busy, "three": warehouse.Cancelled} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		var known *warehouse.QuestionError
		if err := askDesk(ctx, desks[0], account, "select 1"); !errors.As(err, &known) || known.Kind != want {
			t.Errorf("while another process asks: %s: %v, want %s", account, err, want)
		}
		cancel()
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // killed
	for _, account := range []string{"one", "two", "three"} {
		if err := askDesk(t.Context(), desks[1], account, "select 1"); err != nil {
			t.Errorf("after the process was killed: %s: %v", account, err)
		}
	}
}
