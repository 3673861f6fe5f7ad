package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tongbao"
	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/templates"
	"tongbao/warehouse"
)

func (a *app) quarantineCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "quarantine",
		Short: "Rows that could not be taken in, with the reason; fix, replay or dismiss them",
	}
	command.AddCommand(a.quarantineList(), a.quarantineExport(), a.quarantineImport(), a.quarantineReplay(), a.quarantineDismiss())
	return command
}

// waitingFlags adds the flags that choose quarantined rows.
func (a *app) waitingFlags(flags *pflag.FlagSet) func() (etl.Waiting, error) {
	source := flags.String("source", "", "only this source")
	reason := flags.String("reason", "", "only this reason")
	file := flags.String("file", "", "only rows of this file")
	month := flags.String("month", "", "only deliveries of this month, as 2026-10")
	row := flags.Int64("row", 0, "only this row of the file")
	return func() (etl.Waiting, error) {
		w := etl.Waiting{Source: *source, Reason: *reason, File: *file, Row: *row}
		if *month == "" {
			return w, nil
		}
		parsed, err := tongbao.ParseMonth(*month)
		if err != nil {
			return w, &usageError{fmt.Errorf("--month: %w", err)}
		}
		w.Month = parsed
		return w, nil
	}
}

// onWaiting does an act on the chosen rows and tells what became of it.
func (a *app) onWaiting(choose func() (etl.Waiting, error), act func(etl.Waiting) register.PlanStep, tell func(pipeline.Result)) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, _ []string) error {
		chosen, err := choose()
		if err != nil {
			return err
		}
		outcome, err := a.act(command.Context(), act(chosen))
		if err == nil {
			tell(outcome.Result)
		}
		return err
	}
}

// act has one act done, by the service or here.
func (a *app) act(ctx context.Context, step register.PlanStep) (pipeline.Outcome, error) {
	month, err := a.month("")
	if err != nil {
		return pipeline.Outcome{}, err
	}
	return a.perform(ctx, pipeline.Request{Steps: []register.PlanStep{step}, Month: month})
}

// throughExchange gives work a folder of the workspace that the service can
// see too: its name from here on, and from the workspace on.
func (a *app) throughExchange(work func(here, there string) error) error {
	workspace, err := pipeline.FindWorkspace(a.dir)
	if err != nil {
		return err
	}
	there, err := workspace.Exchange()
	if err != nil {
		return err
	}
	here := filepath.Join(a.dir, there)
	defer os.RemoveAll(here)
	return work(here, there)
}

// copyFile makes a new file of the same content.
func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

func (a *app) quarantineList() *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "List quarantined rows: file, sheet, row, column, value (masked), reason, state",
		Args:  cobra.NoArgs,
	}
	choose := a.waitingFlags(command.Flags())
	state := command.Flags().String("state", "open", "open, replayed, fixed, dismissed or all")
	counts := command.Flags().Bool("counts", false, "counts by source, reason and state instead of rows")
	command.RunE = func(command *cobra.Command, _ []string) error {
		chosen, err := choose()
		if err != nil {
			return err
		}
		waiting, err := json.Marshal(chosen)
		if err != nil {
			return err
		}
		query := url.Values{"waiting": {string(waiting)}, "state": {*state}, "counts": {strconv.FormatBool(*counts)}}
		rows, err := a.look(command.Context(), "/quarantine?"+query.Encode(), func(house *pipeline.House) (warehouse.Rows, error) {
			return house.Quarantine(command.Context(), chosen, *state, *counts)
		})
		if err != nil {
			return err
		}
		return a.print(rows)
	}
	return command
}

func (a *app) quarantineExport() *cobra.Command {
	command := &cobra.Command{
		Use:   "export FILE.xlsx",
		Short: "Write waiting rows into a workbook to correct, the reason beside each faulty cell",
		Long: `Writes the waiting rows with the cells of their untouched deliveries, the reason beside each
faulty cell. The workbook holds personal data: only its owner may read it; delete it when it is
done with. Correct the cells, keep the first columns, and give it back by "quarantine import" or
through the inbox. Rows that nobody touched go on waiting.`,
		Args: cobra.ExactArgs(1),
	}
	choose := a.waitingFlags(command.Flags())
	command.RunE = func(command *cobra.Command, args []string) error {
		chosen, err := choose()
		if err != nil {
			return err
		}
		if _, err := os.Stat(args[0]); err == nil {
			return &usageError{fmt.Errorf("%s exists; choose another name", args[0])}
		}
		return a.throughExchange(func(here, there string) error {
			const name = "export.xlsx"
			outcome, err := a.act(command.Context(), pipeline.ExportAct(filepath.Join(there, name), chosen))
			switch {
			case err != nil:
				return err
			case outcome.Result.Exported == 0:
				fmt.Fprintln(a.stderr, "no row waits; nothing was written")
				return nil
			}
			if err := copyFile(filepath.Join(here, name), args[0], 0o600); err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "%d rows; the workbook holds personal data: only you may read it (mode 0600), delete it when it is done with\n", outcome.Result.Exported)
			_, err = fmt.Fprintln(a.stdout, args[0])
			return err
		})
	}
	return command
}

// reasonWords puts reasons into the words of the bulletin.
func reasonWords() (func(string) string, error) {
	text, err := fs.ReadFile(templates.FS, "locale/zh-Hans.json")
	if err != nil {
		return nil, err
	}
	var locale struct{ Codes map[string]string }
	err = json.Unmarshal(text, &locale)
	return func(reason string) string {
		if words := locale.Codes[reason]; words != "" {
			return words
		}
		return reason
	}, err
}

func (a *app) quarantineImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE.xlsx",
		Short: "Take a corrected export in; the rows that it answers are closed",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			if err != nil {
				return &usageError{err}
			}
			return a.throughExchange(func(here, there string) error {
				// Its name and its time are part of the delivery that it becomes.
				given := filepath.Join(here, filepath.Base(args[0]))
				if err := copyFile(args[0], given, 0o600); err != nil {
					return err
				}
				if err := errors.Join(os.Chmod(given, 0o644), os.Chtimes(given, info.ModTime(), info.ModTime())); err != nil {
					return err
				}
				outcome, err := a.act(command.Context(), pipeline.ImportAct(filepath.Join(there, filepath.Base(given))))
				a.printLoads(outcome.Result.Pull)
				return err
			})
		},
	}
}

func (a *app) quarantineReplay() *cobra.Command {
	command := &cobra.Command{
		Use:   "replay",
		Short: "Read waiting rows again from raw/, after a definition, spelling or category changed",
		Args:  cobra.NoArgs,
	}
	choose := a.waitingFlags(command.Flags())
	command.RunE = a.onWaiting(choose, func(chosen etl.Waiting) register.PlanStep { return pipeline.ReplayAct(systemUser(), chosen) },
		func(result pipeline.Result) {
			var taken, loaded int64
			for _, load := range result.Pull.Loads {
				taken += load.In
				loaded += load.Loaded
			}
			fmt.Fprintf(a.stderr, "%d rows left quarantine: %d loaded + %d duplicate\n", taken, loaded, taken-loaded)
		})
	return command
}

func (a *app) quarantineDismiss() *cobra.Command {
	command := &cobra.Command{
		Use:   "dismiss",
		Short: "Close waiting rows for good, with a reason",
		Args:  cobra.NoArgs,
	}
	choose := a.waitingFlags(command.Flags())
	why := command.Flags().String("why", "", "the reason, kept with the rows")
	command.RunE = a.onWaiting(func() (etl.Waiting, error) {
		chosen, err := choose()
		switch {
		case err != nil:
			return chosen, err
		case *why == "":
			return chosen, &usageError{fmt.Errorf("dismiss: --why: say why these rows need not be taken in")}
		case chosen == etl.Waiting{}:
			return chosen, &usageError{fmt.Errorf("dismiss: choose the rows by --source, --reason, --file, --month or --row")}
		}
		return chosen, nil
	}, func(chosen etl.Waiting) register.PlanStep { return pipeline.DismissAct(systemUser(), *why, chosen) },
		func(result pipeline.Result) {
			fmt.Fprintf(a.stderr, "%d rows dismissed: %s\n", result.Dismissed, *why)
		})
	return command
}

// systemUser is who sits at the machine, "" if it does not say.
func systemUser() string {
	who, err := user.Current()
	if err != nil {
		return ""
	}
	return who.Username
}
