package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"tongbao"
	"tongbao/etl"
	"tongbao/register"
	"tongbao/reports"
)

// doStep is the list of steps. A step that panics has failed; the service goes
// on.
func (h *House) doStep(ctx context.Context, plan register.PlanStep, outcome *Outcome, heard hearing) (note string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%s: a fault in the program: %v\n%s", plan.Step, cause, debug.Stack())
		}
	}()
	run, result := &outcome.Run, &outcome.Result
	month := run.Period
	switch plan.Step {
	case "pull":
		choice, err := etl.ParseChoice(plan.Args)
		if err != nil {
			return "", &Problem{err}
		}
		report, err := h.pull(ctx, choice, heard)
		result.Pull.Add(report)
		return fmt.Sprintf("%d deliveries taken in, %d known before", len(report.Loads), report.Known), err
	case "run":
		err = h.month(ctx, month, result)
		for _, finding := range result.Findings {
			if finding.Severity == "warn" {
				run.Warnings = append(run.Warnings, fmt.Sprintf("%s: %d (%s)", finding.Title, finding.Rows, strings.Join(finding.Samples, "; ")))
			}
		}
		run.Late = result.Late
		note = fmt.Sprintf("%s: %d months computed", month, len(result.Computed))
	case "publish":
		note, err = h.publishStep(ctx, month, result)
	case "report":
		return h.report(ctx, month, plan.Args)
	case "backup":
		return h.backupStep(ctx, plan.Args)
	case "prune":
		return h.Prune(ctx)
	default:
		return h.act(ctx, plan, result, heard)
	}
	if result.IsNew && run.Version == 0 {
		run.Version = result.Version
		note += prefixed(", ", fmt.Sprintf("published %s as v%d", month, result.Version))
	}
	return strings.TrimPrefix(note, ", "), err
}

// publishStep publishes the month whether or not the workspace does so by
// itself; only what has passed its checks is published.
func (h *House) publishStep(ctx context.Context, month tongbao.Month, result *Result) (string, error) {
	if result.Build == "" {
		if err := h.check(ctx, month, result); err != nil {
			return "", err
		}
	} else if h.Config.Publish == "auto" {
		return fmt.Sprintf("%s stands at v%d", month, result.Version), nil
	}
	return "", h.buildAndPublish(ctx, month, result, true)
}

// report draws all editions of the month's current version into a folder, data/reports if none
// is named.
func (h *House) report(ctx context.Context, month tongbao.Month, args []string) (string, error) {
	out := h.path("reports")
	if len(args) > 0 {
		if out = args[0]; !filepath.IsAbs(out) {
			out = filepath.Join(h.Dir, out)
		}
	}
	version, _, err := h.Current(month)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	files, err := Redraw(ctx, h.Dir, version, month, Edition{Edition: AllEditions, Locale: reports.DefaultLocale}, out)
	return fmt.Sprintf("%d files in %s", len(files), out), err
}
