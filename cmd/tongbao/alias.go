package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/warehouse"
)

func (a *app) aliasCommand() *cobra.Command {
	command := &cobra.Command{Use: "alias", Short: "Spellings of grids: list the known and the unmatched, accept one"}
	list := &cobra.Command{
		Use:   "list [GRID]",
		Short: "Known spellings of a grid or of all; with --unmatched the names that stand for none",
		Args:  cobra.MaximumNArgs(1),
	}
	unmatched := list.Flags().Bool("unmatched", false, "names in quarantine that no grid has, with counts and the nearest spellings")
	list.RunE = func(command *cobra.Command, args []string) error {
		ctx := command.Context()
		workspace, err := pipeline.FindWorkspace(a.dir)
		if err != nil {
			return err
		}
		var rows warehouse.Rows
		if *unmatched {
			rows, err = a.look(ctx, "/unmatched", func(house *pipeline.House) (warehouse.Rows, error) { return house.Unmatched(ctx) })
		} else {
			rows, err = workspace.Aliases(ctx, strings.Join(args, ""))
		}
		if err != nil {
			return err
		}
		return a.print(rows)
	}
	add := &cobra.Command{
		Use:   "add SPELLING GRID",
		Short: "Accept a spelling of a grid for some days; then replay the rows that wait for it",
		Long: `Writes a dated row into data/seeds/grid_alias.csv. GRID is a grid's id, its name or another
known spelling. Without --from and --to the spelling is valid as long as the grid is.`,
		Args: cobra.ExactArgs(2),
	}
	from := add.Flags().String("from", "", "first day, as 2026-01-31 (default: the grid's own)")
	to := add.Flags().String("to", "", "last day (default: the grid's own)")
	add.RunE = func(command *cobra.Command, args []string) error {
		alias := etl.Alias{Spelling: args[0], Grid: args[1]}
		for _, day := range []struct {
			flag, text string
			into       *time.Time
		}{{"--from", *from, &alias.From}, {"--to", *to, &alias.To}} {
			if day.text == "" {
				continue
			}
			parsed, err := time.Parse(time.DateOnly, day.text)
			if err != nil {
				return &usageError{fmt.Errorf("%s %q: want a day such as 2026-01-31", day.flag, day.text)}
			}
			*day.into = parsed
		}
		outcome, err := a.act(command.Context(), pipeline.AliasAct(alias))
		if err != nil {
			return fmt.Errorf("alias add: %w", err)
		}
		fmt.Fprintf(a.stderr, "next: tongbao quarantine replay --reason unknown_grid\n")
		_, err = fmt.Fprintln(a.stdout, strings.Join(outcome.Result.Alias, ","))
		return err
	}
	command.AddCommand(list, add)
	return command
}
