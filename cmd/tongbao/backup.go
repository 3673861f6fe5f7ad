package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
)

func (a *app) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup [FOLDER|FILE.tar.zst|FILE.tar.gz]",
		Short: "Write everything that cannot be made again to a new folder or file, also while the service runs",
		Long: `Writes configuration, seeds, sources, deliveries, register and published versions to a
new folder or one file, by default into the folder that backup: to names, and reads it
through before it says that it is done. What may hold personal data is encrypted with
the passphrase in ` + pipeline.PassphraseVariable + `, or to backup: recipient.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			workspace, err := pipeline.FindWorkspace(a.dir)
			if err != nil {
				return err
			}
			out := ""
			if len(args) > 0 {
				out = args[0]
			}
			made, err := workspace.Back(command.Context(), out, version, a.now())
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "%d files, %.1f MB, read back and compared; \"tongbao restore\" makes a workspace of it\n", made.Files, float64(made.Bytes)/1e6)
			_, err = fmt.Fprintln(a.stdout, made.Path)
			return err
		},
	}
}
