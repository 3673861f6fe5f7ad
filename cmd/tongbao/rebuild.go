package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
)

func (a *app) rebuildCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the warehouse again from raw/, the seeds and the register, up to a month",
		Args:  cobra.NoArgs,
	}
	month := a.monthFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		wanted, err := a.month(*month)
		if err != nil {
			return err
		}
		if err := pipeline.Discard(a.dir, a.now); err != nil {
			return err
		}
		house, err := a.open(command.Context())
		if err != nil {
			return err
		}
		defer house.Close()
		report, err := house.Rebuild(command.Context())
		a.printLoads(report)
		if err != nil {
			return err
		}
		computed, err := house.Compute(command.Context(), wanted)
		fmt.Fprintf(a.stderr, "computed %d months\n", len(computed))
		return err
	}
	return command
}
