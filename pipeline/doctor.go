package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// What a check of Doctor comes to.
const (
	DoctorOK    = "ok"
	DoctorWarn  = "warn"
	DoctorError = "error"
)

// Diagnosis is one check of Doctor: what was found, and what to do about it
// where that is not "ok".
type Diagnosis struct{ Check, State, Found, Do string }

func fine(check, format string, args ...any) Diagnosis {
	return Diagnosis{check, DoctorOK, fmt.Sprintf(format, args...), ""}
}

func warn(check, do, format string, args ...any) Diagnosis {
	return Diagnosis{check, DoctorWarn, fmt.Sprintf(format, args...), do}
}

func wrong(check, do, format string, args ...any) Diagnosis {
	return Diagnosis{check, DoctorError, fmt.Sprintf(format, args...), do}
}

// Doctor looks the workspace and the machine over, beside whoever works there,
// and changes nothing.
func (w Workspace) Doctor(ctx context.Context, program string, now time.Time) []Diagnosis {
	found := []Diagnosis{
		w.lookAtVersion(ctx, program), w.lookAtConfig(ctx, now), w.lookAtService(ctx),
		w.lookAtDisk(), w.lookAtClock(ctx, now), lookAtZone(now), w.lookAtCalendar(now),
	}
	found = append(found, w.lookAtModes()...)
	found = append(found, w.lookAtSources(ctx)...)
	found = append(found, w.lookAtRegister(ctx)...)
	return append(found, w.lookAtBackup(now), w.lookAtSizes())
}

func (w Workspace) lookAtVersion(ctx context.Context, program string) Diagnosis {
	db, err := warehouse.Open(ctx, "", w.engine())
	if err != nil {
		return wrong("version", "install the program again", "the engine does not start: %v", err)
	}
	defer db.Close()
	var engine string
	if err := db.SQL().QueryRowContext(ctx, "select version()").Scan(&engine); err != nil {
		return wrong("version", "install the program again", "the engine does not answer: %v", err)
	}
	return fine("version", "tongbao %s, DuckDB %s, %s, %s/%s", program, strings.TrimPrefix(engine, "v"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (w Workspace) lookAtConfig(ctx context.Context, now time.Time) Diagnosis {
	if err := w.Validate(ctx, now); err != nil {
		return wrong("configuration", "correct the place that it names; \"tongbao validate\" says it again", "%s", firstLines(err.Error(), 3))
	}
	return fine("configuration", "%s, seeds, sources and queries are in order", ConfigName)
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(text, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], " ")
}

func (w Workspace) lookAtService(ctx context.Context) Diagnosis {
	if pid, since, isServed := w.Served(ctx); isServed {
		return fine("service", "process %d answers since %s", pid, since.Format(time.DateTime))
	}
	switch inUse := w.heldBy(); {
	case inUse == nil && len(w.Config.Jobs) > 0:
		return warn("service", "start \"tongbao serve\" (docs/operations.md has the systemd unit)", "no service runs; nobody does the %d jobs", len(w.Config.Jobs))
	case inUse == nil:
		return fine("service", "no service runs, and there are no jobs")
	case inUse.IsService:
		return wrong("service", "wait a minute and look again; if it stays so, restart the service", "process %d holds the lock since %s but does not answer", inUse.PID, inUse.Since.Format(time.DateTime))
	default:
		return fine("service", "process %d%s works here since %s", inUse.PID, prefixed(" of ", inUse.User), inUse.Since.Local().Format(time.DateTime))
	}
}

// Bounds of the disk check; a run asks for what is needed before it begins.
const (
	needFree    = 64 << 20 // besides a copy of the working file
	scarcePart  = 10       // warn when less than a tenth is free …
	scarceBytes = 5 << 30  // … and less than this
)

// needed is how much free space a run wants: a build copies what is in the
// working file, and the engine writes beside it.
func (w Workspace) needed() int64 {
	need := int64(needFree)
	if info, err := os.Stat(w.workingFile()); err == nil {
		need += info.Size()
	}
	return need
}

// wantSpace refuses a run that would most likely fill the disk half-way.
func (w Workspace) wantSpace() error {
	free, _, err := diskFree(w.path())
	if err == nil && free < w.needed() {
		return fmt.Errorf("the disk of %s is nearly full: %s free, a run needs %s; free some space or move the workspace, then run again: nothing was changed",
			w.path(), megabytes(free), megabytes(w.needed()))
	}
	return nil // where it cannot be known, the run finds out
}

func (w Workspace) lookAtDisk() Diagnosis {
	free, size, err := diskFree(w.path())
	if errors.Is(err, errors.ErrUnsupported) {
		return fine("disk", "not known on this system")
	}
	if err != nil {
		return wrong("disk", "look at the disk", "%v", err)
	}
	const do = "free space or move the workspace to a larger disk; \"tongbao prune\" removes old builds, logs and backups"
	switch {
	case free < w.needed():
		return wrong("disk", do, "%s free, a run needs %s", megabytes(free), megabytes(w.needed()))
	case free < size/scarcePart && free < scarceBytes:
		return warn("disk", do, "%s of %s free", megabytes(free), megabytes(size))
	}
	return fine("disk", "%s of %s free", megabytes(free), megabytes(size))
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// lookAtClock compares the clock with what was written down before: a clock
// that was set back lies before its own past.
func (w Workspace) lookAtClock(ctx context.Context, now time.Time) Diagnosis {
	const do = "set the clock and turn on time synchronisation (timedatectl set-ntp true); the town's own time server will do"
	var newest time.Time
	if reg := w.existingRegister(ctx); reg != nil {
		defer reg.Close()
		runs, err := reg.Runs(ctx, register.RunFilter{Limit: 20})
		if err == nil {
			for _, run := range runs {
				if run.Ended.After(newest) {
					newest = run.Ended
				}
			}
		}
	}
	switch {
	case now.Year() < 2026:
		return wrong("clock", do, "it says %s", now.Format(time.DateTime))
	case newest.After(now.Add(10 * time.Minute)):
		return wrong("clock", do, "it says %s, but a run ended at %s: it was set back, or was ahead then", now.Format(time.DateTime), newest.In(now.Location()).Format(time.DateTime))
	}
	return fine("clock", "%s", now.Format("2006-01-02 15:04:05 MST"))
}

func lookAtZone(now time.Time) Diagnosis {
	town, err := time.LoadLocation(DefaultZone)
	if err != nil {
		return wrong("time zone", "install the program again", "%v", err)
	}
	_, here := now.Zone()
	if _, there := now.In(town).Zone(); here != there {
		return warn("time zone", "timedatectl set-timezone "+DefaultZone+"; jobs keep to their own zone in any case", "the machine is at %s, the town at %s", now.Format("-07:00"), now.In(town).Format("-07:00"))
	}
	return fine("time zone", "%s", now.Format("-07:00"))
}

// lookAtCalendar asks for holidays and make-up days of the year that next
// month lies in; the State Council names them each November.
func (w Workspace) lookAtCalendar(now time.Time) Diagnosis {
	const do = "add the new year's holidays and make-up days to data/seeds/calendar.csv (day,is_working,name)"
	days, err := readCalendar(w.seedsDir())
	if err != nil {
		return wrong("calendar", "correct data/seeds/calendar.csv", "%v", err)
	}
	last := 0
	for day := range days.exceptions {
		last = max(last, day.Year())
	}
	next := tongbao.MonthOf(now).Next()
	switch {
	case next.First().Year() > last:
		return wrong("calendar", do, "it ends with %d; next month is %s", last, next)
	case next.Next().First().Year() > last:
		return warn("calendar", do, "it ends with %d", last)
	}
	return fine("calendar", "it has the holidays until %d", last)
}

// lookAtModes finds what others on this machine could read.
func (w Workspace) lookAtModes() []Diagnosis {
	if runtime.GOOS == "windows" {
		return []Diagnosis{fine("permissions", "left to the folder's own rights on Windows")}
	}
	var found []Diagnosis
	for _, one := range []struct {
		path string
		want fs.FileMode
	}{{w.rawDir(), 0o700}, {w.path("warehouse"), 0o700}, {w.path("register.db"), 0o600}} {
		name, err := filepath.Rel(w.Dir, one.path)
		if err != nil {
			name = one.path
		}
		info, err := os.Stat(one.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			found = append(found, wrong("permissions", "run as the user that owns the workspace", "%v", err))
			continue
		}
		if open := info.Mode().Perm() &^ one.want; open != 0 {
			found = append(found, wrong("permissions", fmt.Sprintf("chmod %o %s", one.want, one.path), "%s is %04o: it holds personal data, want %04o", name, info.Mode().Perm(), one.want))
		}
	}
	if len(found) == 0 {
		found = append(found, fine("permissions", "raw/, warehouse/ and the register are for their owner only"))
	}
	return found
}
