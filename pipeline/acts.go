package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tongbao/etl"
	"tongbao/register"
	"tongbao/warehouse"
)

// An act is a step that a person asks for and no job does: it changes a
// spelling or what waits in quarantine. It is a step all the same, so that it
// waits for the run at work, is written down with its count, and is done in the
// same way with a service and without one.
const (
	actAlias   = "alias"
	actExport  = "export"
	actImport  = "import"
	actReplay  = "replay"
	actDismiss = "dismiss"
)

// AliasAct accepts a spelling of a grid.
func AliasAct(a etl.Alias) register.PlanStep {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	return register.PlanStep{Step: actAlias, Args: []string{a.Spelling, a.Grid, day(a.From), day(a.To)}}
}

// ExportAct writes waiting rows into a workbook, ImportAct takes a corrected
// one in; a file is named from the workspace on, see Exchange.
func ExportAct(file string, w etl.Waiting) register.PlanStep {
	return register.PlanStep{Step: actExport, Args: append([]string{file}, w.Words()...)}
}

// ImportAct is the other way of ExportAct.
func ImportAct(file string) register.PlanStep {
	return register.PlanStep{Step: actImport, Args: []string{file}}
}

// ReplayAct takes waiting rows by the present definitions and seeds.
func ReplayAct(by string, w etl.Waiting) register.PlanStep {
	return register.PlanStep{Step: actReplay, Args: append([]string{by}, w.Words()...)}
}

// DismissAct closes waiting rows for good.
func DismissAct(by, why string, w etl.Waiting) register.PlanStep {
	return register.PlanStep{Step: actDismiss, Args: append([]string{by, why}, w.Words()...)}
}

// isAct says whether a run is what a person does at the keyboard, who reads
// there how it ended.
func isAct(run register.Run) bool {
	return len(run.Plan) > 0 && !slices.ContainsFunc(run.Plan, func(step register.PlanStep) bool {
		return !slices.Contains([]string{actAlias, actExport, actImport, actReplay, actDismiss}, step.Step)
	})
}

// act does one act and says in a few words what it did.
func (h *House) act(ctx context.Context, plan register.PlanStep, result *Result, heard hearing) (string, error) {
	fixed, known := map[string]int{actAlias: 4, actExport: 1, actImport: 1, actReplay: 1, actDismiss: 2}[plan.Step]
	if !known || len(plan.Args) < fixed {
		return "", problemf("step %q: want one of %s", plan.Step, strings.Join(stepNames, ", "))
	}
	args := plan.Args[:fixed]
	if plan.Step == actAlias {
		return h.addAlias(ctx, args, result)
	}
	chosen, err := etl.ParseWaiting(plan.Args[fixed:])
	if err != nil {
		return "", &Problem{err}
	}
	intake, err := h.intake(ctx)
	if err != nil {
		return "", err
	}
	intake.Loaded = heard.loaded
	var report etl.Report
	switch plan.Step {
	case actExport:
		result.Exported, err = etl.Export(ctx, h.db, intake, chosen, filepath.Join(h.Dir, args[0]), h.reasonWords)
		return fmt.Sprintf("%d rows", result.Exported), err
	case actImport:
		if _, err := os.Stat(filepath.Join(h.Dir, args[0])); err != nil {
			return "", problemf("%s is not there any more; import it again: %w", filepath.Base(args[0]), err)
		}
		report, err = etl.Import(ctx, h.db, intake, filepath.Join(h.Dir, args[0]))
	case actReplay:
		report, err = etl.Replay(ctx, h.db, intake, chosen, h.Now(), args[0])
	case actDismiss:
		result.Dismissed, err = etl.Dismiss(ctx, h.db, intake, chosen, h.Now(), args[0], args[1])
		return fmt.Sprintf("%d rows dismissed: %s", result.Dismissed, args[1]), err
	}
	result.Pull.Add(report)
	return fmt.Sprintf("%d rows left quarantine", taken(report.Loads)), err
}

func taken(loads []etl.Load) (rows int64) {
	for _, load := range loads {
		rows += load.In
	}
	return rows
}

func (h *House) addAlias(ctx context.Context, args []string, result *Result) (string, error) {
	alias := etl.Alias{Spelling: args[0], Grid: args[1]}
	for i, bound := range []*time.Time{&alias.From, &alias.To} {
		if text := args[2+i]; text != "" {
			var err error
			if *bound, err = time.Parse(time.DateOnly, text); err != nil {
				return "", problemf("%q: want a day such as 2026-01-31", text)
			}
		}
	}
	db, err := warehouse.Open(ctx, "", h.engine())
	if err != nil {
		return "", err
	}
	defer db.Close()
	if result.Alias, err = etl.AddAlias(ctx, db, h.seedsDir(), alias); err != nil {
		return "", &Problem{err}
	}
	return strings.Join(result.Alias, ","), nil
}

const exchangePrefix = "exchange-"

// Exchange makes a folder through which a file passes between who asks and the
// process that works in the workspace: the service may see no folder but this
// one. It returns its name from the workspace on. Remove it after use; what a
// killed asker left goes a day later.
func (w Workspace) Exchange() (string, error) {
	if err := os.MkdirAll(w.socketDir(), 0o700); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(w.socketDir(), exchangePrefix)
	if err != nil {
		return "", err
	}
	// The folder above lets nobody in but the service's account and root.
	if err := os.Chmod(dir, 0o777); err != nil {
		return "", err
	}
	return filepath.Rel(w.Dir, dir)
}

// clearExchange removes what killed askers left. Nobody waits for a day.
func (w Workspace) clearExchange() error {
	dirs, err := filepath.Glob(filepath.Join(w.socketDir(), exchangePrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			err = os.RemoveAll(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
