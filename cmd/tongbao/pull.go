package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/register"
)

func (a *app) pullCommand() *cobra.Command {
	var sources []string
	var full bool
	var from, to string
	command := &cobra.Command{
		Use:   "pull",
		Short: "Take in what lies in the inbox and what the servers have; nothing is computed",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			words := slices.Clone(sources)
			if full {
				words = append(words, "--full-refresh")
			}
			for name, value := range map[string]string{"--from": from, "--to": to} {
				if value != "" {
					words = append(words, name+"="+value)
				}
			}
			choice, err := etl.ParseChoice(words)
			if err != nil {
				return &usageError{err}
			}
			month, err := a.month("")
			if err != nil {
				return err
			}
			step := register.PlanStep{Step: "pull", Args: choice.Words()}
			outcome, err := a.perform(command.Context(), pipeline.Request{Steps: []register.PlanStep{step}, Month: month})
			a.printLoads(outcome.Result.Pull)
			return err
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&sources, "source", nil, "only this source; may be repeated")
	flags.BoolVar(&full, "full-refresh", false, "read everything that the server has, whatever was read before")
	flags.StringVar(&from, "from", "", "read again from this day or moment on (2026-10-01, 2026-10-01 08:00:00); the watermark stays")
	flags.StringVar(&to, "to", "", "read again up to, without, this day or moment")
	return command
}

// printFetches says what each server gave; an empty fetch is no load, and is
// told here only.
func (a *app) printFetches(fetches []etl.Fetch) {
	for _, f := range fetches {
		since := ""
		if f.From != "" {
			since = " from " + f.From
		}
		switch {
		case f.Rows == 0:
			fmt.Fprintf(a.stderr, "%s: nothing%s at %s\n", f.Source, since, f.Server)
		case f.IsUnchanged:
			fmt.Fprintf(a.stderr, "%s: nothing new%s at %s: the same %d rows as last time\n", f.Source, since, f.Server, f.Rows)
		default:
			fmt.Fprintf(a.stderr, "%s: %d rows%s fetched from %s (%s)\n", f.Source, f.Rows, since, f.Server, f.Kind)
		}
	}
}

// loadsShown is how many deliveries are listed one by one.
const loadsShown = 12

// printLoads accounts for every row of every delivery: in = loaded +
// duplicates + quarantined.
func (a *app) printLoads(report etl.Report) {
	a.printFetches(report.Fetches)
	shown := report.Loads
	if len(shown) > loadsShown {
		shown = nil
		a.printSources(report.Loads)
	}
	for _, load := range shown {
		fmt.Fprintf(a.stderr, "%s: %d rows in = %d loaded + %d duplicate + %d quarantined\n",
			load.File, load.In, load.Loaded, load.Duplicate, load.Quarantined)
	}
	for _, load := range report.Loads {
		if load.Deleted > 0 {
			fmt.Fprintf(a.stderr, "%s: a full set; %d rows that it lacks were deleted\n", load.File, load.Deleted)
		}
		if load.KeptFor > 0 {
			fmt.Fprintf(a.stderr, "note: %s: a full set, but nothing was deleted: %d rows in quarantine have no readable key\n", load.File, load.KeptFor)
		}
	}
	if report.Known > 0 {
		fmt.Fprintf(a.stderr, "%d deliveries were taken in before; nothing to do\n", report.Known)
	}
	if len(report.Unsettled) > 0 {
		fmt.Fprintf(a.stderr, "note: left alone, still being written or open in Excel: %s\n", strings.Join(report.Unsettled, ", "))
	}
	if len(report.Unmatched) > 0 {
		fmt.Fprintf(a.stderr, "note: no source definition fits %s\n", strings.Join(report.Unmatched, ", "))
	}
}

// printSources sums up many deliveries by source.
func (a *app) printSources(loads []etl.Load) {
	type sum struct{ files, in, loaded, duplicate, quarantined int64 }
	sums := map[string]*sum{}
	var sources []string
	all := sum{}
	for _, load := range loads {
		if sums[load.Source] == nil {
			sums[load.Source] = &sum{}
			sources = append(sources, load.Source)
		}
		for _, s := range []*sum{sums[load.Source], &all} {
			s.files++
			s.in += load.In
			s.loaded += load.Loaded
			s.duplicate += load.Duplicate
			s.quarantined += load.Quarantined
		}
	}
	slices.Sort(sources)
	line := func(name string, s sum) {
		fmt.Fprintf(a.stderr, "%-18s %4d files: %7d rows in = %7d loaded + %6d duplicate + %4d quarantined\n",
			name, s.files, s.in, s.loaded, s.duplicate, s.quarantined)
	}
	for _, name := range sources {
		line(name, *sums[name])
	}
	line("all", all)
}
