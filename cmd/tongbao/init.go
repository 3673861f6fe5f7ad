package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tongbao"
	"tongbao/data"
	"tongbao/pipeline"
)

func (a *app) initCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a workspace; with --demo also a made-up town and its deliveries",
		Args:  cobra.ExactArgs(1),
	}
	flags := command.Flags()
	town := flags.String("town", "示例镇", "name of the town, heads the bulletin")
	demo := flags.Bool("demo", false, "fill the inbox with a made-up town")
	months := flags.Int("months", 24, "demo: months of deliveries")
	until := flags.String("until", "2026-10", "demo: last month")
	seed := flags.Uint64("seed", 1, "demo: the same seed gives the same bytes")
	grids := flags.Int("grids", 147, "demo: building grids")
	tickets := flags.Int("tickets", 0, "demo: tickets in all (0: about 280 a month)")
	command.RunE = func(command *cobra.Command, args []string) error {
		dir := args[0]
		if !*demo {
			if err := pipeline.Init(dir, *town, "manual"); err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "made %s; next: describe the town in data/seeds/grid.csv, put deliveries into data/inbox, then tongbao run -w %s\n", dir, dir)
			return nil
		}
		last, err := tongbao.ParseMonth(*until)
		if err != nil {
			return &usageError{fmt.Errorf("--until: %w", err)}
		}
		if *months < 1 || *months > 120 || *grids < 16 || *grids > 20_000 || *tickets < 0 {
			return &usageError{fmt.Errorf("want 1 to 120 --months, 16 to 20000 --grids and no negative --tickets")}
		}
		err = pipeline.InitDemo(command.Context(), data.Demo{
			Dir: dir, Months: *months, Until: last, Seed: *seed, Grids: *grids, Tickets: *tickets,
		})
		if err == nil {
			fmt.Fprintf(a.stderr, "made %s with a made-up town; next: tongbao run -w %s --month %s\n", dir, dir, last)
		}
		return err
	}
	return command
}
