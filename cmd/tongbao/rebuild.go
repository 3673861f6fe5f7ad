package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/warehouse"
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
		waited := a.waitingRows(command.Context())
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
		if rows, listing := house.Quarantine(command.Context(), etl.Waiting{}, "", false); listing == nil {
			a.printGone(waited, rows)
		}
		if err != nil {
			return err
		}
		computed, err := house.Compute(command.Context(), wanted)
		fmt.Fprintf(a.stderr, "computed %d months\n", len(computed))
		return err
	}
	return command
}

// waitingRows are the rows that wait before a rebuild, none where the old
// warehouse cannot be opened.
func (a *app) waitingRows(ctx context.Context) warehouse.Rows {
	house, err := a.open(ctx)
	if err != nil {
		return warehouse.Rows{}
	}
	defer house.Close()
	rows, err := house.Quarantine(ctx, etl.Waiting{}, "", false)
	if err != nil {
		return warehouse.Rows{}
	}
	return rows
}

// printGone says which rows waited and do not any more, because definitions or
// seeds changed since: nothing leaves quarantine unnoticed.
func (a *app) printGone(before, after warehouse.Rows) {
	waiting := map[string]bool{}
	for _, row := range after.Cells {
		waiting[row[0].String+row[1].String+"|"+row[2].String] = true
	}
	gone := 0
	for _, row := range before.Cells {
		if !waiting[row[0].String+row[1].String+"|"+row[2].String] {
			gone++
			fmt.Fprintf(a.stderr, "note: %s row %s waited for %s; the present definitions and seeds take it in\n", row[0].String, row[2].String, row[5].String)
		}
	}
	if gone > 0 {
		fmt.Fprintf(a.stderr, "note: %d rows left quarantine by this rebuild\n", gone)
	}
}
