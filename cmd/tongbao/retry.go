package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/register"
)

func (a *app) retryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retry RUN",
		Short: "Do an earlier run once more: the same steps for the same month",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			id, err := runNumber(args[0])
			if err != nil {
				return err
			}
			workspace, err := pipeline.FindWorkspace(a.dir)
			if err != nil {
				return err
			}
			runs, err := workspace.History(command.Context(), register.RunFilter{ID: id})
			if err != nil {
				return err
			}
			request, err := pipeline.Again(runs[0])
			if err != nil {
				return err
			}
			outcome, err := a.perform(command.Context(), request)
			a.printLoads(outcome.Result.Pull)
			a.printResult(outcome.Result)
			return err
		},
	}
}

// runNumber reads the number of a run.
func runNumber(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, &usageError{fmt.Errorf("%q: want the number of a run; \"tongbao history\" lists them", text)}
	}
	return id, nil
}
