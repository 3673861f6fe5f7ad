package main

import "github.com/spf13/cobra"

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "What was taken in, computed and published, month by month",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			house, err := a.open(command.Context())
			if err != nil {
				return err
			}
			defer house.Close()
			rows, err := house.Status(command.Context())
			if err != nil {
				return err
			}
			return a.print(rows)
		},
	}
}
