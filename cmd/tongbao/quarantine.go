package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/warehouse"
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
		query := url.Values{"source": {*source}, "reason": {*reason}, "counts": {strconv.FormatBool(*counts)}}
		rows, err := a.look(command.Context(), "/quarantine?"+query.Encode(), func(house *pipeline.House) (warehouse.Rows, error) {
			return house.Quarantine(command.Context(), *source, *reason, *counts)
		})
		if err != nil {
			return err
		}
		return a.print(rows)
	}
	command.AddCommand(list)
	return command
}
