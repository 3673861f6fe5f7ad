package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
)

func (a *app) queryCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "query SQL",
		Short: "Ask the published data one SELECT",
		Long: `Asks a published month one SELECT, in a process of its own that can read nothing else. At most
100,000 rows, 64 MiB and 60 seconds. Without SQL it lists the tables. $name in the SQL is the value of --param name=value.
Every query goes into the audit log. docs/sql.md has the tables, the functions that may be called, and examples.`,
		Args: cobra.MaximumNArgs(1),
	}
	month := command.Flags().String("month", "", "published month as 2026-10 (default: the newest)")
	params := command.Flags().StringArray("param", nil, "value of a parameter, as month=2026-10 or community=NAME; may be repeated")
	records := command.Flags().Bool("records", false, "also what the taskforce alone may see: records, staff, building grids")
	command.RunE = func(command *cobra.Command, args []string) error {
		return a.withRegister(command.Context(), func(workspace pipeline.Workspace, reg *register.Register, by register.By) error {
			sources, err := a.readable(command.Context(), workspace, *month, *records)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.print(tablesOf(sources))
			}
			question := warehouse.Question{SQL: args[0], Sources: sources, Limits: warehouse.FileLimits}
			for _, param := range *params {
				name, value, found := strings.Cut(param, "=")
				if !found {
					return &usageError{fmt.Errorf("--param %q: want name=value", param)}
				}
				question.Params = append(question.Params, warehouse.NewParam(name, value))
			}
			return a.ask(command.Context(), newDesk(reg), warehouse.Asker{Account: by.Account, From: by.From, Door: "command"}, question)
		})
	}
	return command
}

// ask prints the answer in the form that --output asks for.
func (a *app) ask(ctx context.Context, desk *warehouse.Desk, by warehouse.Asker, question warehouse.Question) error {
	var rows warehouse.Rows
	if a.output == "parquet" {
		question.Form = warehouse.Parquet
	}
	summary, err := desk.Ask(ctx, by, question, &rows, a.stdout)
	var known *warehouse.QuestionError
	switch {
	case errors.As(err, &known) && known.Kind == warehouse.Refused:
		return &usageError{err}
	case err != nil:
		return err
	case summary.Truncated != "":
		return fmt.Errorf("query: more than %d rows or %d MiB; add a limit or a where", question.Limits.Rows, question.Limits.Bytes>>20)
	case question.Form == warehouse.Parquet:
		return nil
	}
	return a.print(rows)
}

// readable lists what the command may read of a published month.
func (a *app) readable(ctx context.Context, workspace pipeline.Workspace, monthFlag string, records bool) ([]warehouse.Source, error) {
	var month tongbao.Month
	if monthFlag != "" {
		var err error
		if month, err = a.month(monthFlag); err != nil {
			return nil, err
		}
	}
	audience := register.Statisticians
	if records {
		audience = register.Taskforce
	}
	readers, err := workspace.Readers()
	if err != nil {
		return nil, err
	}
	published, err := readers.Published(ctx, audience, month)
	return published.Sources, err
}

// tablesOf lists the tables of sources, one a row.
func tablesOf(sources []warehouse.Source) warehouse.Rows {
	list := warehouse.Rows{Columns: []string{"table"}}
	for _, source := range sources {
		for _, relation := range source.Relations {
			list.Cells = append(list.Cells, texts(relation.Name))
		}
	}
	slices.SortFunc(list.Cells, func(x, y []sql.NullString) int { return strings.Compare(x[0].String, y[0].String) })
	return list
}

// answerCommand is what every query starts; see warehouse.Answer.
func (a *app) answerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    warehouse.AskCommand,
		Short:  "Answer one query of stdin",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return warehouse.Answer(command.Context(), os.Stdin, a.stdout)
		},
	}
}
