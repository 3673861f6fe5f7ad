package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
)

func (a *app) runCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "run",
		Short: "Take deliveries in, compute the month, check it, build it and publish it",
		Args:  cobra.NoArgs,
	}
	month := a.monthFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		wanted, err := a.month(*month)
		if err != nil {
			return err
		}
		outcome, err := a.perform(command.Context(), pipeline.Request{Steps: plan("pull", "run"), Month: wanted})
		a.printLoads(outcome.Result.Pull)
		a.printResult(outcome.Result)
		return err
	}
	return command
}

// printResult says in a few lines what a run did and what to open.
func (a *app) printResult(result pipeline.Result) {
	if len(result.Computed) > 0 {
		fmt.Fprintf(a.stderr, "computed %d months: %s to %s\n", len(result.Computed),
			result.Computed[0], result.Computed[len(result.Computed)-1])
	}
	for _, finding := range result.Findings {
		if finding.Severity == "warn" {
			fmt.Fprintf(a.stderr, "note: %s: %d (%s)\n", finding.Title, finding.Rows, strings.Join(finding.Samples, "; "))
		}
	}
	for _, late := range result.Late {
		fmt.Fprintf(a.stderr, "note: %s\n", late.Text)
	}
	switch {
	case result.IsNew:
		fmt.Fprintf(a.stderr, "published %s as v%d\n", result.Month, result.Version)
	case result.Version > 0:
		fmt.Fprintf(a.stderr, "%s has not changed since v%d\n", result.Month, result.Version)
	case result.Build != "":
		fmt.Fprintf(a.stderr, "built %s, not published (publish: manual)\n", result.Month)
	}
	for _, file := range result.Files {
		fmt.Fprintln(a.stdout, file)
	}
}
