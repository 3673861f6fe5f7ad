package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/warehouse"
)

func (a *app) statusCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "status",
		Short: "What was taken in, computed and published, month by month; with --jobs what is due",
		Args:  cobra.NoArgs,
	}
	jobs := command.Flags().Bool("jobs", false, "the jobs instead: when they are due and how they went")
	command.RunE = func(command *cobra.Command, _ []string) error {
		ctx := command.Context()
		workspace, err := pipeline.FindWorkspace(a.dir)
		if err != nil {
			return err
		}
		if who, since, isServed := workspace.Served(ctx); isServed {
			fmt.Fprintf(a.stderr, "the service runs as process %d since %s\n", who, since.Format(time.DateTime))
		} else {
			fmt.Fprintf(a.stderr, "no service runs here; \"tongbao serve -w %s\" starts it\n", a.dir)
		}
		var rows warehouse.Rows
		if *jobs {
			rows, err = workspace.JobStatus(ctx, a.now())
		} else {
			rows, err = a.look(ctx, "/status", func(house *pipeline.House) (warehouse.Rows, error) { return house.Status(ctx) })
		}
		if err != nil {
			return err
		}
		return a.print(rows)
	}
	return command
}
