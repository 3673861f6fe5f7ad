package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
)

func (a *app) pruneCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "prune",
		Short: "Remove what the stated retention no longer asks for: builds, old logs and history, old backups",
		Long: fmt.Sprintf(`Removes builds beyond the newest %d of each month; history, run logs and logs older than
log: keep_days; backups beyond backup: keep. Published versions and raw/ stay.`, pipeline.KeptBuilds),
		Args: cobra.NoArgs,
	}
	raw := command.Flags().Bool("raw", false, "also deliveries of locked months (refused while there are no checkpoints)")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if *raw {
			return &pipeline.Problem{Err: pipeline.ErrRawStays}
		}
		month, err := a.month("")
		if err != nil {
			return err
		}
		outcome, err := a.perform(command.Context(), pipeline.Request{Steps: plan("prune"), Month: month})
		for _, step := range outcome.Run.Steps {
			fmt.Fprintln(a.stderr, step.Note)
		}
		return err
	}
	return command
}
