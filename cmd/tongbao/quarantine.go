package main

import (
	"github.com/spf13/cobra"
)

func (a *app) quarantineCommand() *cobra.Command {
	command := &cobra.Command{Use: "quarantine", Short: "Rows that could not be taken in, with the reason"}
	list := &cobra.Command{
		Use:   "list",
		Short: "List quarantined rows: file, sheet, row, column, value (masked), reason",
		Args:  cobra.NoArgs,
	}
	source := list.Flags().String("source", "", "only this source")
	reason := list.Flags().String("reason", "", "only this reason")
	counts := list.Flags().Bool("counts", false, "counts by source and reason instead of rows")
	list.RunE = func(command *cobra.Command, _ []string) error {
		house, err := a.open(command.Context())
		if err != nil {
			return err
		}
		defer house.Close()
		rows, err := house.Quarantine(command.Context(), *source, *reason, *counts)
		if err != nil {
			return err
		}
		return a.print(rows)
	}
	command.AddCommand(list)
	return command
}
