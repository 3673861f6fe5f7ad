package main

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/register"
)

// turn is a clock that stands still while there is work and then jumps to the
// next moment of interest.
type turn struct {
	mu  sync.Mutex
	now time.Time
}

func (c *turn) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *turn) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// TestReplay lets the service live through months under a compressed clock:
// deliveries come on their days, a job pulls tickets in the middle of the month, and
// on the third working day the last one is published. The builds equal those of runs by
// hand on the same days.
func TestReplay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("three months take half a minute")
	}
	months := 3
	if os.Getenv("SOAK") != "" {
		months = 24
	}
	zone, err := time.LoadLocation(pipeline.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	served, byHand := ownDemo(t, months, delivered), ownDemo(t, months, delivered)
	setJobs(t, served, `
  - {name: cut-off, on: 3rd working day, at: "18:30", steps: [pull, run, publish]}
  - {name: middle, schedule: "0 3 16 * *", steps: [{pull: [tickets_12345, tickets_platform]}]}
`)
	first := tongbao.NewMonth(2026, 10).Add(1 - months)
	start := time.Date(first.Next().Year(), first.Next().Calendar(), 1, 0, 0, 0, 0, zone)
	moments := liveThrough(t, served, start, time.Date(2026, 11, 20, 0, 0, 0, 0, zone))

	held := hold(t, byHand)
	for _, run := range moments {
		held.handUntil(t, run.DueAt.In(zone))
		args := []string{"pull", "-w", byHand}
		if run.Job == "cut-off" {
			args = []string{"run", "-w", byHand, "--month", run.Period.String()}
		}
		hand := app{stdout: &discard{}, stderr: &discard{}, now: func() time.Time { return run.DueAt }}
		if code := hand.run(context.Background(), args); code != exitDone {
			t.Fatalf("by hand %v: exit %d", args, code)
		}
		if run.Job == "cut-off" && run.Version != 1 {
			t.Errorf("%s: the service published v%d, want v1", run.Period, run.Version)
		}
	}
	for m := first; m <= tongbao.NewMonth(2026, 10); m++ {
		got, want := readManifest(t, served, m.String()), readManifest(t, byHand, m.String())
		if diff := cmp.Diff(got.Digest, want.Digest); diff != "" {
			t.Errorf("%s: served (-), by hand (+):\n%s", m, diff)
		}
		if diff := cmp.Diff(got.Counts, want.Counts); diff != "" {
			t.Errorf("%s: served (-), by hand (+):\n%s", m, diff)
		}
	}

	// A town that was taken in month by month is the one that is made at once.
	must(t, "run", "-w", byHand, "--month", "2026-10")
	schemas := []string{"core", "indicator", "score", "ranking", "bulletin"}
	lived := digests(t, byHand, schemas...)
	must(t, "rebuild", "-w", byHand, "--month", "2026-10")
	if diff := cmp.Diff(digests(t, byHand, schemas...), lived); diff != "" {
		t.Errorf("after rebuild (-), month by month (+):\n%s", diff)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// handUntil gives the deliveries of days before or on a day.
func (c *courier) handUntil(t *testing.T, now time.Time) {
	t.Helper()
	n := 0
	for n < len(c.names) && day(c.names[n]) <= now.Format("20060102") {
		n++
	}
	c.hand(t, n)
}

// liveThrough serves a town from one moment to another and returns what its
// jobs did, in order.
func liveThrough(t *testing.T, town string, start, end time.Time) []register.Run {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	held := hold(t, town)
	clock := &turn{now: start}
	house, err := pipeline.Open(ctx, town, pipeline.Options{Now: clock.Now, Verify: verifyInChild})
	if err != nil {
		t.Fatal(err)
	}
	defer house.Close()
	// The service sleeps when it has decided what is due: wait for the work,
	// then jump. What is due next the service itself says.
	var service *pipeline.Service
	sleep := func(context.Context, time.Duration) {
		for runs := runsBy(t, town); runs[register.Queued]+runs[register.Running] > 0; runs = runsBy(t, town) {
			time.Sleep(5 * time.Millisecond)
		}
		next := service.NextDue(clock.Now())
		if next.After(end) {
			cancel()
			return
		}
		held.handUntil(t, next.In(start.Location()))
		clock.set(next)
	}
	if service, err = pipeline.NewService(house, pipeline.ServiceOptions{Sleep: sleep}); err != nil {
		t.Fatal(err)
	}
	var told []int64
	service.OnRun(func(run register.Run) { told = append(told, run.ID) })
	if err := service.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	runs := history(t, town)
	var ids []int64
	for _, run := range runs {
		ids = append(ids, run.ID)
		if run.State != register.Done || run.Trigger != register.ByClock {
			t.Errorf("run %d of %s, due %s, %s: %s %s", run.ID, run.Job, run.DueAt, run.Trigger, run.State, run.Error)
		}
	}
	if !slices.Equal(told, ids) {
		t.Errorf("told of runs %v, want %v", told, ids)
	}
	return runs
}
