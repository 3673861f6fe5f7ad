package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tongbao/etl"
	"tongbao/pipeline"
	"tongbao/warehouse"
)

func (a *app) sourcesCommand() *cobra.Command {
	command := &cobra.Command{Use: "sources", Short: "The sources: list them, try a delivery, propose a definition"}
	list := &cobra.Command{
		Use:   "list",
		Short: "Every source with its kind, target, last delivery and rows",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			rows, err := a.look(command.Context(), "/sources", func(house *pipeline.House) (warehouse.Rows, error) {
				return house.Sources(command.Context())
			})
			if err != nil {
				return err
			}
			return a.print(rows)
		},
	}
	schema := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a source definition",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := etl.Schema()
			if err == nil {
				_, err = a.stdout.Write(text)
			}
			return err
		},
	}
	command.AddCommand(list, a.sourcesTest(), a.sourcesDiscover(), schema)
	return command
}

func (a *app) sourcesTest() *cobra.Command {
	command := &cobra.Command{
		Use:   "test NAME [FILE]",
		Short: "Read and type a delivery, or a server's first rows, as a pull would, and load nothing",
		Long: fmt.Sprintf(`Prints the counts, the reasons and the first bad rows (masked). Without FILE it takes the
newest delivery of the source in the inbox; of a server it reads the first %d rows, with --from
and --to those of a window. Exit code 1 if a pull would refuse the delivery.`, etl.ProbeRows),
		Args: cobra.RangeArgs(1, 2),
	}
	shown := command.Flags().Int("rows", 20, "bad rows to show")
	from := command.Flags().String("from", "", "of a server: rows from this day or moment on, by the cursor")
	to := command.Flags().String("to", "", "of a server: rows up to, without, this day or moment")
	command.RunE = func(command *cobra.Command, args []string) error {
		words := args[:1]
		for _, bound := range [][2]string{{"--from", *from}, {"--to", *to}} {
			if bound[1] != "" {
				words = append(words[:len(words):len(words)], bound[0]+"="+bound[1])
			}
		}
		choice, err := etl.ParseChoice(words)
		if err != nil {
			return &usageError{err}
		}
		workspace, err := pipeline.FindWorkspace(a.dir)
		if err != nil {
			return err
		}
		variable, err := workspace.SecretVariable(args[0])
		if err != nil {
			return err
		}
		trier, err := withSecrets(command.Context(), workspace, variable)
		if err != nil {
			return err
		}
		request := pipeline.TrialRequest{Source: args[0], File: strings.Join(args[1:], ""), Choice: choice, Shown: *shown}
		trial, err := trier.TestSource(command.Context(), request)
		if err != nil {
			return err
		}
		a.printTrial(trial)
		if len(trial.Reasons.Cells) > 0 {
			if err := a.print(trial.Reasons); err != nil {
				return err
			}
			fmt.Fprintln(a.stdout)
			if err := a.print(trial.Bad); err != nil {
				return err
			}
		}
		if trial.Refused != nil {
			return trial.Refused
		}
		return nil
	}
	return command
}

// sourceTrier tries sources and looks at tables: the workspace here, or its
// service, which touches no more than the workspace does.
type sourceTrier interface {
	TestSource(context.Context, pipeline.TrialRequest) (pipeline.Trial, error)
	Discover(context.Context, pipeline.Unknown) (string, error)
}

// withSecrets chooses where a server is asked: here, unless its secret is in
// the service's environment only.
func withSecrets(ctx context.Context, workspace pipeline.Workspace, variable string) (sourceTrier, error) {
	if variable == "" || os.Getenv(variable) != "" {
		return workspace, nil
	}
	client, err := workspace.Dial(ctx)
	if errors.Is(err, pipeline.ErrNoService) {
		return workspace, nil
	}
	return client, err
}

// printTrial says what was read and what would become of it.
func (a *app) printTrial(trial pipeline.Trial) {
	switch f := trial.Fetch; {
	case f.Server == "" || f.Rows == 0 && trial.Refused != nil:
	case f.Rows == 0:
		fmt.Fprintf(a.stderr, "%s: %s has no rows\n", f.Source, f.Server)
	case f.Rows < etl.ProbeRows:
		fmt.Fprintf(a.stderr, "%s: all %d rows read from %s; nothing is kept\n", f.Source, f.Rows, f.Server)
	default:
		fmt.Fprintf(a.stderr, "%s: the first %d rows read from %s; nothing is kept\n", f.Source, f.Rows, f.Server)
	}
	if trial.Load.In > 0 {
		a.printLoads(etl.Report{Loads: []etl.Load{trial.Load}})
	}
	if len(trial.Passed) > 0 {
		fmt.Fprintf(a.stderr, "note: not read, because the definition does not name them: %s\n", strings.Join(trial.Passed, ", "))
	}
}

func (a *app) sourcesDiscover() *cobra.Command {
	command := &cobra.Command{
		Use:   "discover [FILE]",
		Short: "Propose a definition for a file or a database table, for a person to read and correct",
		Long: `Guesses the header, the columns' kinds and what they become, by the names that the present
definitions read. What looks like personal data is masked or dropped. No value of the file or
table is printed. Of a table the first 200 rows are looked at, read-only.
Put the result into data/sources/<NAME>.yaml, correct it, and try it with "sources test".`,
		Example: `  tongbao sources discover inbox/repairs.xlsx --name repairs
  tongbao sources discover --connect postgres --url-env REPAIRS_URL --table public.repair --name repairs`,
		Args: cobra.MaximumNArgs(1),
	}
	var of pipeline.Unknown
	command.Flags().StringVar(&of.Sheet, "sheet", "", "sheet of the workbook (default: the first)")
	command.Flags().StringVar(&of.Connect, "connect", "", "instead of FILE, kind of the database: postgres or mysql (MariaDB too)")
	command.Flags().StringVar(&of.URLEnv, "url-env", "", "environment variable with the database's address, account and password")
	command.Flags().StringVar(&of.Table, "table", "", "table or view, as name or schema.name")
	command.Flags().StringVar(&of.Target, "target", "", "what its rows are, as ticket or repair (default: guessed by the names)")
	command.Flags().StringVar(&of.Source, "name", "new_source", "name of the source")
	command.RunE = func(command *cobra.Command, args []string) error {
		isTable := of.Connect != "" && of.URLEnv != "" && of.Table != "" && of.Sheet == ""
		isFile := of.Connect+of.URLEnv+of.Table == ""
		if len(args) == 0 && !isTable || len(args) == 1 && !isFile {
			return &pipeline.Problem{Err: errors.New("want either FILE, or --connect with --url-env and --table")}
		}
		of.File = strings.Join(args, "")
		workspace, err := pipeline.FindWorkspace(a.dir)
		if err != nil {
			return err
		}
		trier, err := withSecrets(command.Context(), workspace, of.URLEnv)
		if err != nil {
			return err
		}
		text, err := trier.Discover(command.Context(), of)
		if err == nil {
			_, err = fmt.Fprint(a.stdout, text)
		}
		return err
	}
	return command
}
