package register

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestUpkeep walks a notice and a run through their life, copies the register
// while it is open, and forgets what is old.
func TestUpkeep(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "register.db")
	reg, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v; want mode 0600", name, info, err)
		}
	}
	now := time.Date(2026, 11, 4, 9, 0, 0, 0, time.UTC)
	notice := Notice{Channel: "robot", Key: "published/2026-10/v1", Event: "published", Title: "t", Text: "x", Run: 3, CreatedAt: now}
	for i, want := range []bool{true, false} {
		if added, err := reg.AddNotice(ctx, notice); err != nil || added != want {
			t.Fatalf("time %d: added %v, %v; want %v", i, added, err, want)
		}
	}
	waiting, err := reg.WaitingNotices(ctx)
	if err != nil || len(waiting) != 1 || waiting[0].Text != "x" || !waiting[0].CreatedAt.Equal(now) {
		t.Fatalf("got %+v, %v", waiting, err)
	}
	waiting[0].Attempts, waiting[0].Error, waiting[0].NextAt = 1, "busy", now.Add(time.Minute)
	if err := reg.SetNotice(ctx, waiting[0], Waiting, now); err != nil {
		t.Fatal(err)
	}
	if again, err := reg.WaitingNotices(ctx); err != nil || again[0].Attempts != 1 || again[0].Error != "busy" || !again[0].NextAt.Equal(now.Add(time.Minute)) {
		t.Errorf("got %+v, %v", again, err)
	}
	if _, notices, err := reg.Forget(ctx, now.Add(time.Hour)); err != nil || notices != 0 {
		t.Errorf("a waiting notice was forgotten: %d, %v", notices, err)
	}
	if err := reg.SetNotice(ctx, waiting[0], Sent, now); err != nil {
		t.Fatal(err)
	}
	run := Run{Job: "nightly", Trigger: ByClock, State: Done, QueuedAt: now, Started: now, Ended: now.Add(90 * time.Second), DueAt: now}
	if err := reg.AddRun(ctx, &run); err != nil {
		t.Fatal(err)
	}
	totals, err := reg.RunTotals(ctx)
	if err != nil || len(totals) != 1 || totals[0].Runs != 1 || totals[0].Seconds < 89.9 || totals[0].Seconds > 90.1 {
		t.Errorf("got %+v, %v; want one run of 90 s", totals, err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := reg.CopyTo(ctx, copied); err != nil {
		t.Fatal(err)
	}
	if runs, notices, err := reg.Forget(ctx, now.Add(time.Hour)); err != nil || runs != 1 || notices != 1 {
		t.Errorf("forgot %d runs and %d notices, %v; want 1 and 1", runs, notices, err)
	}
	other, err := Open(ctx, copied)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if runs, err := other.Runs(ctx, RunFilter{}); err != nil || len(runs) != 1 || other.Check(ctx) != nil {
		t.Errorf("the copy has %d runs, %v", len(runs), err)
	}
}
