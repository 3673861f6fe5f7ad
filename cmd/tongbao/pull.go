package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tongbao/etl"
	"tongbao/pipeline"
)

func (a *app) pullCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pull",
		Short: "Take in what lies in the inbox; nothing is computed",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			month, err := a.month("")
			if err != nil {
				return err
			}
			outcome, err := a.perform(command.Context(), pipeline.Request{Steps: plan("pull"), Month: month})
			a.printLoads(outcome.Result.Pull)
			return err
		},
	}
}

// loadsShown is how many deliveries are listed one by one.
const loadsShown = 12

// printLoads accounts for every row of every delivery: in = loaded +
// duplicates + quarantined.
func (a *app) printLoads(report etl.Report) {
	shown := report.Loads
	if len(shown) > loadsShown {
		shown = nil
		a.printSources(report.Loads)
	}
	for _, load := range shown {
		fmt.Fprintf(a.stderr, "%s: %d rows in = %d loaded + %d duplicate + %d quarantined\n",
			load.File, load.In, load.Loaded, load.Duplicate, load.Quarantined)
	}
	if report.Known > 0 {
		fmt.Fprintf(a.stderr, "%d deliveries were taken in before; nothing to do\n", report.Known)
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
