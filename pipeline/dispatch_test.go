package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tongbao/register"
)

// world is a register and a clock that the test moves; opening it again is a
// restart of the service.
type world struct {
	t    testing.TB
	path string
	reg  *register.Register
	jobs []Job
	now  time.Time
}

func newWorld(t testing.TB, now time.Time, jobs ...Job) *world {
	t.Helper()
	// Memory where there is some: thousands of synced commits are not the point.
	dir, err := os.MkdirTemp("/dev/shm", "tongbao-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for i := range jobs {
		if jobs[i].Name == "job" {
			jobs[i].Name = fmt.Sprintf("job%d", i)
		}
	}
	w := &world{t: t, path: filepath.Join(dir, "register.db"), jobs: jobs, now: now}
	w.restart()
	t.Cleanup(func() { w.reg.Close() })
	return w
}

func (w *world) d() dispatcher { return dispatcher{register: w.reg, jobs: w.jobs} }

func (w *world) restart() {
	w.t.Helper()
	if w.reg != nil {
		w.reg.Close()
	}
	var err error
	if w.reg, err = register.Open(context.Background(), w.path); err != nil {
		w.t.Fatal(err)
	}
	left, err := w.d().left(context.Background(), w.now)
	for _, run := range left {
		err = errors.Join(err, w.d().end(context.Background(), run))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tick() []string {
	w.t.Helper()
	made, err := w.d().tick(context.Background(), w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return made.notes
}

func (w *world) take() *register.Run {
	w.t.Helper()
	run, err := w.d().take(context.Background(), w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

func (w *world) end(run *register.Run, state register.RunState) {
	w.t.Helper()
	run.State, run.Ended = state, w.now
	if err := w.d().end(context.Background(), *run); err != nil {
		w.t.Fatal(err)
	}
}

// work does everything that is queued and may start.
func (w *world) work() {
	w.t.Helper()
	for run := w.take(); run != nil; run = w.take() {
		w.end(run, register.Done)
	}
}

func (w *world) runs(states ...register.RunState) []register.Run {
	w.t.Helper()
	runs, err := w.reg.Runs(context.Background(), register.RunFilter{States: states})
	if err != nil {
		w.t.Fatal(err)
	}
	return runs
}

// story is what became of each due moment, in words.
func (w *world) story() []string {
	w.t.Helper()
	var told []string
	for _, run := range w.runs() {
		told = append(told, fmt.Sprintf("%s %s %s %d %s %s", run.Job, run.DueAt.In(shanghai).Format("01-02 15:04"), run.Trigger, run.Attempt, run.State, run.Period))
	}
	return told
}

var shanghai, _ = time.LoadLocation(DefaultZone)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// TestTwoYears drives two years of schedules under a fake clock, with restarts
// between any two steps of the dispatcher. Every moment that the schedules name
// has one run that is done, of every job in order.
func TestTwoYears(t *testing.T) {
	seeds := 2
	if os.Getenv("SOAK") != "" {
		seeds = 100
	}
	texts := []string{
		"schedule: \"30 2 * * *\"\ncatchup: all",
		"schedule: \"30 2 * * *\"\ncatchup: all\ntimezone: America/New_York\nretries: 10\nretry_delay: 0s",
		"schedule: \"0 */8 * * *\"\ncatchup: all\ntimezone: Australia/Lord_Howe\nretries: 10",
		"schedule: \"30 2 * * *\"\ncatchup: all\ncalendar: working days\nretries: 10",
		"on: 3rd working day\nat: \"18:30\"\ncatchup: all\nretries: 10",
		"schedule: \"0 6 29,30,31 * *\"\ncatchup: all\nretries: 10",
		"schedule: \"@monthly\"\ncatchup: all\nretries: 10",
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			start := at("2023-12-31 23:59")
			var jobs []Job
			for _, text := range texts {
				jobs = append(jobs, mustParseJob(t, text, start))
			}
			jobs[0].Retries = 10
			w := newWorld(t, start, jobs...)
			w.tick()
			end := at("2026-01-01 00:00")
			for restarts := 0; w.now.Before(end); {
				w.now = w.now.Add(time.Duration(random.ExpFloat64() * float64(9*time.Hour)))
				if random.IntN(40) == 0 {
					w.now = w.now.Add(time.Duration(random.IntN(10*24)) * time.Hour) // it slept
				}
				w.tick()
				for run := w.take(); run != nil; run = w.take() {
					if random.IntN(20) == 0 {
						restarts++
						w.restart() // while the run is at work
						continue
					}
					w.end(run, register.Done)
				}
			}
			w.tick()
			w.work()
			holdEveryMomentOnce(t, w, start, w.now)
		})
	}
}

func holdEveryMomentOnce(t *testing.T, w *world, start, end time.Time) {
	t.Helper()
	if open := w.runs(register.Queued, register.Running); len(open) > 0 {
		t.Fatalf("%d runs are not over, the first: %+v", len(open), open[0])
	}
	total := 0
	for i := range w.jobs {
		job := &w.jobs[i]
		var want, first, done []string
		for due := job.table.next(start); !due.IsZero() && !due.After(end); due = job.table.next(due) {
			want = append(want, due.UTC().Format(time.DateTime))
		}
		for _, run := range w.runs() {
			if run.Job != job.Name {
				continue
			}
			if run.Attempt == 1 {
				first = append(first, run.DueAt.UTC().Format(time.DateTime))
			}
			if run.State == register.Done {
				done = append(done, run.DueAt.UTC().Format(time.DateTime))
			}
		}
		slices.Sort(done)
		if len(want) < 20 {
			t.Fatalf("%s: only %d moments", job.when(), len(want))
		}
		total += len(want)
		if diff := cmp.Diff(first, want); diff != "" {
			t.Errorf("%s: first attempts in order (-), due moments (+):\n%s", job.when(), diff)
		}
		if diff := cmp.Diff(done, want); diff != "" {
			t.Errorf("%s: done (-), due moments (+):\n%s", job.when(), diff)
		}
	}
	t.Logf("%d due moments", total)
}

// TestSlept: what a job does about a week in which nobody watched.
func TestSlept(t *testing.T) {
	for _, one := range []struct {
		name, job, from, to string
		want                []string
		warning             string
	}{
		{"none", "schedule: \"30 2 * * *\"\ncatchup: none", "2026-11-01 12:00", "2026-11-08 09:00",
			[]string{"job0 11-08 02:30 catch-up 1 missed 2026-10"}, "6 earlier times"},
		{"last", "schedule: \"30 2 * * *\"\ncatchup: last", "2026-11-01 12:00", "2026-11-08 09:00",
			[]string{"job0 11-08 02:30 catch-up 1 done 2026-10"}, "6 earlier times"},
		{"all, over the end of a month", "schedule: \"30 2 * * *\"\ncatchup: all", "2026-10-30 12:00", "2026-11-02 09:00",
			[]string{"job0 10-31 02:30 catch-up 1 done 2026-09", "job0 11-01 02:30 catch-up 1 done 2026-10", "job0 11-02 02:30 catch-up 1 done 2026-10"}, ""},
		{"awake at the very minute", "schedule: \"30 2 * * *\"\ncatchup: none", "2026-11-01 12:00", "2026-11-08 02:31",
			[]string{"job0 11-08 02:30 clock 1 done 2026-10"}, "6 earlier times"},
	} {
		t.Run(one.name, func(t *testing.T) {
			w := newWorld(t, at(one.from), mustParseJob(t, one.job, at(one.from)))
			w.tick()
			w.restart()
			w.now = at(one.to)
			w.tick()
			w.work()
			if diff := cmp.Diff(w.story(), one.want); diff != "" {
				t.Errorf("got (-), want (+):\n%s", diff)
			}
			if got := strings.Join(w.runs()[0].Warnings, "; "); (one.warning == "") != (got == "") || !strings.HasPrefix(got, one.warning) {
				t.Errorf("got warnings %q, want %q", got, one.warning)
			}
			w.tick()
			w.work()
			if len(w.runs()) != len(one.want) {
				t.Errorf("the same moment was due again: %q", w.story())
			}
		})
	}
}

// TestClockSet: the clock is set back and forth; nothing happens twice, and
// what was run under a clock that was wrong by days is due again.
func TestClockSet(t *testing.T) {
	night := "schedule: \"30 2 * * *\"\ncatchup: last"
	t.Run("an hour back", func(t *testing.T) {
		w := newWorld(t, at("2026-11-03 02:29"), mustParseJob(t, night, at("2026-11-03 02:29")))
		w.tick()
		for _, now := range []string{"2026-11-03 02:30", "2026-11-03 01:35", "2026-11-03 02:30", "2026-11-03 02:31", "2026-11-04 02:30"} {
			w.now = at(now)
			w.tick()
			w.work()
		}
		want := []string{"job0 11-03 02:30 clock 1 done 2026-10", "job0 11-04 02:30 clock 1 done 2026-10"}
		if diff := cmp.Diff(w.story(), want); diff != "" {
			t.Errorf("got (-), want (+):\n%s", diff)
		}
	})
	t.Run("a year ahead and back", func(t *testing.T) {
		w := newWorld(t, at("2026-11-03 12:00"), mustParseJob(t, night, at("2026-11-03 12:00")))
		w.tick()
		w.now = at("2026-11-05 12:00") // its battery is empty: it skips to a wrong day
		w.tick()
		w.work()
		w.now = at("2026-11-03 12:01")
		if notes := w.tick(); len(notes) != 1 {
			t.Errorf("got notes %q, want one on the clock", notes)
		}
		for _, now := range []string{"2026-11-04 02:30", "2026-11-05 02:30"} {
			w.now = at(now)
			w.tick()
			w.work()
		}
		want := []string{"job0 11-05 02:30 catch-up 1 done 2026-10", "job0 11-04 02:30 clock 1 done 2026-10", "job0 11-05 02:30 clock 1 done 2026-10"}
		if diff := cmp.Diff(w.story(), want); diff != "" {
			t.Errorf("got (-), want (+):\n%s", diff)
		}
	})
}

// TestOverlap: its time comes while the run before is not over.
func TestOverlap(t *testing.T) {
	for overlap, want := range map[string][]string{
		"skip":  {"job0 11-03 02:00 clock 1 running 2026-10", "job0 11-03 03:00 clock 1 skipped 2026-10"},
		"queue": {"job0 11-03 02:00 clock 1 running 2026-10", "job0 11-03 03:00 clock 1 queued 2026-10"},
	} {
		w := newWorld(t, at("2026-11-03 01:59"), mustParseJob(t, "schedule: \"0 * * * *\"\noverlap: "+overlap, at("2026-11-03 01:59")))
		w.tick()
		w.now = at("2026-11-03 02:00")
		w.tick()
		if w.take() == nil {
			t.Fatal("nothing is queued")
		}
		w.now = at("2026-11-03 03:00")
		w.tick()
		if diff := cmp.Diff(w.story(), want); diff != "" {
			t.Errorf("%s: got (-), want (+):\n%s", overlap, diff)
		}
	}
}

// TestRetries: a failed run waits for its delay and is tried so often; a
// cancelled one is not; two jobs of one minute keep their order; a changed
// schedule makes up for nothing.
func TestRetries(t *testing.T) {
	start := at("2026-11-03 02:29")
	w := newWorld(t, start,
		mustParseJob(t, "schedule: \"30 2 * * *\"\nretries: 2\nretry_delay: 10m", start),
		mustParseJob(t, "schedule: \"30 2 * * *\"\nretries: 2", start))
	w.tick()
	w.now = at("2026-11-03 02:30")
	w.tick()
	first := w.take()
	if first.Job != "job0" {
		t.Fatalf("got %s first, want job0", first.Job)
	}
	w.end(first, register.Failed)
	w.end(w.take(), register.Cancelled)
	if early := w.take(); early != nil {
		t.Fatalf("run %d starts before its delay", early.ID)
	}
	for range 3 {
		w.now = w.now.Add(10 * time.Minute)
		if run := w.take(); run != nil {
			w.end(run, register.Failed)
		}
	}
	want := []string{
		"job0 11-03 02:30 clock 1 failed 2026-10", "job1 11-03 02:30 clock 1 cancelled 2026-10",
		"job0 11-03 02:30 retry 2 failed 2026-10", "job0 11-03 02:30 retry 3 failed 2026-10",
	}
	if diff := cmp.Diff(w.story(), want); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
	changed := mustParseJob(t, "schedule: \"0 0 * * *\"", start)
	changed.Name = "job0"
	w.jobs = []Job{changed}
	w.now = at("2026-11-03 12:00")
	w.tick()
	if got := w.runs(); len(got) != len(want) {
		t.Errorf("a changed schedule made up for %v", got[len(want):])
	}
	w.now = at("2026-11-04 00:00")
	w.tick()
	if got := w.runs(register.Queued); len(got) != 1 || !got[0].DueAt.Equal(w.now) {
		t.Errorf("the changed schedule is not due at its time: %+v", got)
	}
}
