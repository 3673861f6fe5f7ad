package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tongbao"
	"tongbao/etl"
	"tongbao/pipeline"
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

// onWaiting runs work on the open workspace with the chosen rows.
func (a *app) onWaiting(choose func() (etl.Waiting, error), work func(*cobra.Command, *pipeline.House, etl.Waiting, []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		chosen, err := choose()
		if err != nil {
			return err
		}
		house, err := a.open(command.Context())
		if err != nil {
			return err
		}
		defer house.Close()
		return work(command, house, chosen, args)
	}
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
	command.RunE = a.onWaiting(choose, func(command *cobra.Command, house *pipeline.House, chosen etl.Waiting, args []string) error {
		words, err := reasonWords()
		if err != nil {
			return err
		}
		count, err := house.ExportQuarantine(command.Context(), chosen, args[0], words)
		switch {
		case err != nil:
			return err
		case count == 0:
			fmt.Fprintln(a.stderr, "no row waits; nothing was written")
			return nil
		}
		fmt.Fprintf(a.stderr, "%d rows; the workbook holds personal data: only you may read it (mode 0600), delete it when it is done with\n", count)
		_, err = fmt.Fprintln(a.stdout, args[0])
		return err
	})
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
			house, err := a.open(command.Context())
			if err != nil {
				return err
			}
			defer house.Close()
			report, err := house.ImportFixes(command.Context(), args[0])
			a.printLoads(report)
			return err
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
	command.RunE = a.onWaiting(choose, func(command *cobra.Command, house *pipeline.House, chosen etl.Waiting, _ []string) error {
		report, err := house.Replay(command.Context(), chosen, systemUser())
		var taken, loaded int64
		for _, load := range report.Loads {
			taken += load.In
			loaded += load.Loaded
		}
		if err == nil {
			fmt.Fprintf(a.stderr, "%d rows left quarantine: %d loaded + %d duplicate\n", taken, loaded, taken-loaded)
		}
		return err
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
	}, func(command *cobra.Command, house *pipeline.House, chosen etl.Waiting, _ []string) error {
		count, err := house.Dismiss(command.Context(), chosen, systemUser(), *why)
		if err == nil {
			fmt.Fprintf(a.stderr, "%d rows dismissed: %s\n", count, *why)
		}
		return err
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
