package main

import (
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/warehouse"
)

// Bounds of a query from the command line; the help names them.
const (
	queryRows = 100_000
	queryTime = 60 * time.Second
)

func (a *app) queryCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "query SQL",
		Short: "Ask the published data one SELECT",
		Long: `Asks the current version's warehouse.duckdb one SELECT, read-only. At most 100,000
rows and 60 seconds. Tables: seed.*, core.month_*, indicator.value, score.*, ranking.*, bulletin.*`,
		Args: cobra.ExactArgs(1),
	}
	month := command.Flags().String("month", "", "published month as 2026-10 (default: the newest)")
	command.RunE = func(command *cobra.Command, args []string) error {
		file, _, err := a.published(*month)
		if err != nil {
			return err
		}
		rows, err := warehouse.Ask(command.Context(), file, args[0], queryRows, queryTime)
		if err != nil {
			return err
		}
		return a.print(rows)
	}
	return command
}

// published finds the warehouse.duckdb of a published month.
func (a *app) published(monthFlag string) (file string, month tongbao.Month, err error) {
	workspace, err := pipeline.FindWorkspace(a.dir)
	if err != nil {
		return "", 0, err
	}
	if monthFlag != "" {
		if month, err = a.month(monthFlag); err != nil {
			return "", 0, err
		}
	}
	dir, month, err := workspace.Current(month)
	return filepath.Join(dir, "warehouse.duckdb"), month, err
}
