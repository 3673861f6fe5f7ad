package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
)

func (a *app) testCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test",
		Short: "Run the SQL cases of every query, those of the workspace included",
		Long: `Runs the cases of the program's queries and of the workspace's own queries/ folder
(queries/testdata/<layer>/<table>/<case>.txtar). A query without a case is named.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			workspace, err := pipeline.FindWorkspace(a.dir)
			if err != nil {
				return err
			}
			result, err := workspace.TestQueries(command.Context())
			if err != nil {
				return err
			}
			for _, path := range result.Without {
				fmt.Fprintf(a.stderr, "no case: %s\n", path)
			}
			for _, failure := range result.Failures {
				fmt.Fprintf(a.stdout, "FAIL %s\n%s\n", failure.Path, failure.Text)
			}
			fmt.Fprintf(a.stderr, "%d cases, %d failed\n", result.Cases, len(result.Failures))
			if len(result.Failures) > 0 {
				return fmt.Errorf("%d of %d cases failed", len(result.Failures), result.Cases)
			}
			return nil
		},
	}
}

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check configuration, seeds, rubric, source definitions and queries without running",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			workspace, err := pipeline.FindWorkspace(a.dir)
			if err != nil {
				return err
			}
			if err := workspace.Validate(command.Context(), a.now()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stderr, "%s is valid\n", a.dir)
			return err
		},
	}
}
