package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
)

func (a *app) historyCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "history [RUN]",
		Short: "The newest runs, or one run with its steps and its log",
		Args:  cobra.MaximumNArgs(1),
	}
	limit := command.Flags().Int("limit", 20, "how many runs")
	job := command.Flags().String("job", "", "only runs of this job")
	command.RunE = func(command *cobra.Command, args []string) error {
		workspace, err := pipeline.FindWorkspace(a.dir)
		if err != nil {
			return err
		}
		if len(args) == 1 {
			id, err := runNumber(args[0])
			if err != nil {
				return err
			}
			return a.printRun(command, workspace, id)
		}
		if *limit < 1 {
			return &usageError{fmt.Errorf("--limit %d: want 1 or more", *limit)}
		}
		runs, err := workspace.History(command.Context(), register.RunFilter{Job: *job, Limit: *limit})
		if err != nil {
			return err
		}
		return a.print(historyRows(runs))
	}
	return command
}

// historyRows has one row a run, newest first.
func historyRows(runs []register.Run) warehouse.Rows {
	rows := warehouse.Rows{Columns: []string{"run", "job", "trigger", "month", "state", "due", "started", "took",
		"rows_in", "rows_loaded", "rows_duplicate", "rows_quarantined", "version", "warnings", "error"}}
	for _, run := range runs {
		what := run.Job
		if what == "" {
			var steps []string
			for _, step := range run.Plan {
				steps = append(steps, step.Step)
			}
			what = strings.Join(steps, " ")
		}
		problem, _, _ := strings.Cut(run.Error, "\n")
		rows.Cells = append(rows.Cells, texts(fmt.Sprint(run.ID), what, string(run.Trigger), run.Period.String(), string(run.State),
			shortTime(run.DueAt), shortTime(run.Started), took(run.Started, run.Ended), fmt.Sprint(run.Rows.In), fmt.Sprint(run.Rows.Loaded),
			fmt.Sprint(run.Rows.Duplicate), fmt.Sprint(run.Rows.Quarantined), strings.TrimPrefix(fmt.Sprintf("v%d", run.Version), "v0"),
			fmt.Sprint(len(run.Warnings)+len(run.Late)), problem))
	}
	return rows
}

func texts(cells ...string) []sql.NullString {
	row := make([]sql.NullString, len(cells))
	for i, cell := range cells {
		row[i] = sql.NullString{String: cell, Valid: cell != ""}
	}
	return row
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

func took(started, ended time.Time) string {
	if started.IsZero() || ended.IsZero() {
		return ""
	}
	return ended.Sub(started).Round(time.Millisecond).String()
}

// printRun prints all that is kept of a run.
func (a *app) printRun(command *cobra.Command, workspace pipeline.Workspace, id int64) error {
	runs, err := workspace.History(command.Context(), register.RunFilter{ID: id})
	if err != nil {
		return err
	}
	run := runs[0]
	if a.output == "json" {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(run)
	}
	if err := a.print(historyRows(runs)); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	rows := warehouse.Rows{Columns: []string{"step", "state", "took", "rows_in", "rows_loaded", "rows_duplicate", "rows_quarantined", "note", "error"}}
	for _, step := range run.Steps {
		rows.Cells = append(rows.Cells, texts(step.Step, string(step.State), took(step.Started, step.Ended), fmt.Sprint(step.Rows.In), fmt.Sprint(step.Rows.Loaded),
			fmt.Sprint(step.Rows.Duplicate), fmt.Sprint(step.Rows.Quarantined), step.Note, step.Error))
	}
	if err := a.print(rows); err != nil {
		return err
	}
	for _, warning := range run.Warnings {
		fmt.Fprintln(a.stderr, "note:", warning)
	}
	for _, late := range run.Late {
		fmt.Fprintln(a.stderr, "note:", late.Text)
	}
	log, err := workspace.RunLog(run)
	if err == nil && log != "" {
		fmt.Fprintf(a.stderr, "\n%s", log)
	}
	return err
}
