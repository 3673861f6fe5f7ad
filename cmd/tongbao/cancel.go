package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel RUN",
		Short: "End a run that is queued or at work in the service; what it committed stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			id, err := runNumber(args[0])
			if err != nil {
				return err
			}
			client, house, err := a.reach(command.Context())
			if err != nil {
				return err
			}
			if client != nil {
				err = client.Cancel(command.Context(), id)
			} else {
				// Without a service no run is at work; one may still be queued.
				defer house.Close()
				_, err = house.CancelQueued(command.Context(), id)
			}
			if err == nil {
				fmt.Fprintf(a.stderr, "run %d is told to end; \"tongbao history %d\" says how it ended\n", id, id)
			}
			return err
		},
	}
}
