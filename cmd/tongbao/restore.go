package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tongbao"
	"tongbao/pipeline"
)

func (a *app) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore BACKUP DIR",
		Short: "Make a workspace of a backup in a new folder, and compute its months again",
		Long: `Writes the files of a backup into a folder that is empty or does not exist, compares each
with the list of the backup, makes the warehouse again, and says whether the newest
published month comes out as it was published. Needs the passphrase in
` + pipeline.PassphraseVariable + `, or ` + pipeline.IdentityVariable + ` with the file of the age identity.`,
		Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			list, err := pipeline.Restore(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			a.dir = args[1]
			fmt.Fprintf(a.stderr, "%s of %s: %d files are back, each as the list says\n", list.Town, list.MadeAt.Format("2006-01-02 15:04 MST"), len(list.Files))
			house, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer house.Close()
			report, err := house.Rebuild(ctx)
			a.printLoads(report)
			if err != nil || list.Month == "" {
				return err
			}
			month, err := tongbao.ParseMonth(list.Month)
			if err != nil {
				return err
			}
			if err := house.Recompute(ctx, month); err != nil {
				return err
			}
			found, err := house.CompareWithPublished(ctx, month)
			switch {
			case err != nil || found.Version == 0:
				return err
			case len(found.Differ) == 0:
				fmt.Fprintf(a.stderr, "%s comes out as published: v%d\n", month, found.Version)
			default:
				fmt.Fprintf(a.stderr, "note: %d tables of %s do not come out as v%d, which tongbao %s published (%s …): program, rules or deliveries changed since; v%d itself is back as it was\n",
					len(found.Differ), month, found.Version, found.Program, strings.Join(found.Differ[:min(3, len(found.Differ))], ", "), found.Version)
			}
			return nil
		},
	}
}
