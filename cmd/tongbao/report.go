package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
)

func (a *app) reportCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "report",
		Short: "Draw the workbook and the page of a published month again, without computing",
		Args:  cobra.NoArgs,
	}
	month := command.Flags().String("month", "", "published month as 2026-10 (default: the newest)")
	out := command.Flags().String("out", ".", "folder to write into")
	command.RunE = func(command *cobra.Command, _ []string) error {
		file, of, err := a.published(*month)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(*out, 0o755); err != nil {
			return err
		}
		files, err := pipeline.Redraw(command.Context(), a.dir, filepath.Dir(file), of, *out)
		for _, file := range files {
			fmt.Fprintln(a.stdout, file)
		}
		return err
	}
	return command
}
