package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tongbao/register"
)

// runFile is where the JSON file and the log of a run lie.
func (w Workspace) runFile(run register.Run, extension string) string {
	return w.path("runs", run.QueuedAt.UTC().Format("2006-01"), fmt.Sprintf("%06d.%s", run.ID, extension))
}

// writeRun writes the JSON file of a run, for those who grep.
func (h *House) writeRun(run register.Run) error {
	file := h.runFile(run, "json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return writeJSON(file, run)
}

// runLog appends to the log of a run. A log that cannot be written holds up no
// run: what matters is on the register.
type runLog struct{ file *os.File }

func (h *House) openLog(run register.Run) *runLog {
	name := h.runFile(run, "log")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return &runLog{}
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return &runLog{}
	}
	return &runLog{file}
}

func (l *runLog) write(now time.Time, text string) {
	if l.file != nil {
		fmt.Fprintf(l.file, "%s %s\n", now.Format(time.RFC3339), text)
	}
}

func (l *runLog) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// describe says in one line what a run is.
func describe(run register.Run) string {
	steps := make([]string, len(run.Plan))
	for i, step := range run.Plan {
		steps[i] = strings.Join(slices.Concat([]string{step.Step}, step.Args), " ")
	}
	what := strings.Join(steps, ", ") + " for " + run.Period.String() + ", " + string(run.Trigger)
	if run.Job != "" {
		what = run.Job + ": " + what
	}
	if !run.DueAt.IsZero() {
		what += ", due " + run.DueAt.Format(time.RFC3339)
	}
	return what
}
