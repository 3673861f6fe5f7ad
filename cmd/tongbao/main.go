// Command tongbao runs a town's monthly assessment: it takes deliveries in,
// computes the rankings and publishes the bulletin. The command that you type
// is the file that you open here; all wiring is in this package.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tongbao"
	"tongbao/pipeline"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "development"

// Exit codes; help prints them.
const (
	exitDone        = 0
	exitFailed      = 1 // the run or a check failed
	exitUsage       = 2 // wrong usage or configuration
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code. Data goes to
// stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return (&app{stdin: os.Stdin, stdout: stdout, stderr: stderr, now: time.Now}).run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		fmt.Fprintln(a.stderr, "tongbao: interrupted; what was not finished is done again by the next run")
		return exitInterrupted
	}
	fmt.Fprintf(a.stderr, "tongbao: %v\n", pipeline.Advise(err))
	var problem *pipeline.Problem
	var usage *usageError
	if errors.As(err, &problem) || errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// app is what every command shares.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	sleep          func(context.Context, time.Duration) // of the service; nil waits in real time
	dir            string                               // workspace
	output         string                               // table | json | csv | parquet
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:  "tongbao",
		Args: cobra.NoArgs,
		// Without a RunE an unknown command would not be an error of usage.
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
		Short: "Monthly assessment of a town's neighbourhoods: from deliveries to the published bulletin",
		Long: `tongbao takes service tickets, repairs and grid performance data in, computes the
month's rankings on nine lines, and publishes an Excel workbook and an HTML bulletin.

Exit codes: 0 done · 1 the run or a check failed · 2 wrong usage or configuration · 130 interrupted`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVarP(&a.dir, "workspace", "w", ".", "folder with tongbao.yaml")
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "table", "form of data on stdout: table, json or csv; of a query also parquet")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.PersistentPreRunE = func(command *cobra.Command, _ []string) error {
		if a.output == "parquet" && command.Name() == "query" {
			return nil
		}
		if a.output != "table" && a.output != "json" && a.output != "csv" {
			return &usageError{fmt.Errorf("--output %q: want table, json or csv", a.output)}
		}
		return nil
	}
	root.AddCommand(
		a.initCommand(), a.validateCommand(), a.pullCommand(), a.runCommand(),
		a.rebuildCommand(), a.testCommand(), a.queryCommand(), a.answerCommand(), a.reportCommand(),
		a.serveCommand(), a.statusCommand(), a.historyCommand(), a.retryCommand(), a.cancelCommand(),
		a.quarantineCommand(), a.aliasCommand(), a.sourcesCommand(), a.accountCommand(),
		a.doctorCommand(), a.backupCommand(), a.restoreCommand(), a.pruneCommand(), a.versionCommand(), a.verifyCommand(), a.pgwireCommand(),
	)
	wrapArgs(root)
	return root
}

// wrapArgs makes a wrong number of arguments an error of usage.
func wrapArgs(command *cobra.Command) {
	if check := command.Args; check != nil {
		command.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &usageError{err}
			}
			return nil
		}
	}
	for _, child := range command.Commands() {
		wrapArgs(child)
	}
}

// open opens the workspace for writing.
func (a *app) open(ctx context.Context) (*pipeline.House, error) {
	bar := newProgress(a.stderr)
	words, err := reasonWords()
	if err != nil {
		return nil, err
	}
	return pipeline.Open(ctx, a.dir, pipeline.Options{
		Program: version, Now: a.now, Progress: bar.show, Verify: verifyInChild, Reasons: words,
	})
}

// monthFlag adds --month; empty means the last whole month.
func (a *app) monthFlag(command *cobra.Command) *string {
	return command.Flags().String("month", "", "month of assessment as 2026-10 (default: the last whole month)")
}

func (a *app) month(flag string) (tongbao.Month, error) {
	if flag == "" {
		return tongbao.MonthOf(a.now()).Prev(), nil
	}
	month, err := tongbao.ParseMonth(flag)
	if err != nil {
		return 0, &usageError{fmt.Errorf("--month: %w", err)}
	}
	return month, nil
}
