package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tongbao/etl"
	"tongbao/warehouse"
)

// Validate checks everything that a person may have edited, and touches
// nothing: configuration, seeds and rubric, source definitions, queries and
// checks; a schedule must have a time within five years of now. The first
// thing wrong is returned as a Problem.
func (w Workspace) Validate(ctx context.Context, now time.Time) error {
	queries, err := warehouse.ReadQueries(w.queryFiles())
	if err != nil {
		return &Problem{fmt.Errorf("queries: %w", err)}
	}
	if _, err := warehouse.ReadChecks(w.queryFiles()); err != nil {
		return &Problem{fmt.Errorf("queries: %w", err)}
	}
	db, err := warehouse.Open(ctx, "", w.engine())
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.MakeTables(ctx, queries); err != nil {
		return &Problem{fmt.Errorf("queries: %w", err)}
	}
	if _, err := w.jobs(now); err != nil {
		return err
	}
	return w.loadSeeds(ctx, db)
}

// definitions reads data/sources/ of the workspace.
func (w Workspace) definitions() ([]etl.Definition, error) {
	definitions, err := etl.ReadDefinitions(w.sourcesDir())
	if err != nil {
		return nil, &Problem{err}
	}
	return definitions, nil
}

// jobs reads the jobs of the configuration, ready to be asked when they are
// due.
func (w Workspace) jobs(now time.Time) ([]Job, error) {
	definitions, err := w.definitions()
	if err != nil {
		return nil, err
	}
	var sources []string
	for _, d := range definitions {
		if _, err := deadlines(d); err != nil {
			return nil, err
		}
		sources = append(sources, d.Source)
	}
	return w.prepareJobs(now, sources)
}

// loadSeeds replaces the seed tables by what data/seeds/ says.
func (w Workspace) loadSeeds(ctx context.Context, db *warehouse.DB) error {
	err := db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		return etl.LoadSeeds(ctx, tx, w.seedsDir())
	})
	if err != nil {
		return &Problem{err}
	}
	return nil
}

// CaseFailure is an SQL case whose rows are not the wanted ones.
type CaseFailure struct{ Path, Text string }

// CaseResult is the outcome of the SQL cases of a workspace.
type CaseResult struct {
	Cases    int
	Failures []CaseFailure
	Without  []string // queries that have no case
}

// TestQueries runs the SQL cases of every query in an empty database.
func (w Workspace) TestQueries(ctx context.Context) (CaseResult, error) {
	files := w.queryFiles()
	queries, err := warehouse.ReadQueries(files)
	if err != nil {
		return CaseResult{}, &Problem{err}
	}
	checks, err := warehouse.ReadChecks(files)
	if err != nil {
		return CaseResult{}, &Problem{err}
	}
	saved, err := warehouse.ReadTitled(files, "saved", "api")
	if err != nil {
		return CaseResult{}, &Problem{err}
	}
	cases, without, err := warehouse.ReadCases(files, slices.Concat(queries, checks, saved))
	if err != nil {
		return CaseResult{}, &Problem{err}
	}
	db, err := warehouse.Open(ctx, "", w.engine())
	if err != nil {
		return CaseResult{}, err
	}
	defer db.Close()
	if err := db.MakeTables(ctx, queries); err != nil {
		return CaseResult{}, &Problem{err}
	}
	result := CaseResult{Cases: len(cases), Without: without}
	for _, c := range cases {
		got, err := db.RunCase(ctx, c)
		switch {
		case err != nil:
			result.Failures = append(result.Failures, CaseFailure{c.Path, err.Error()})
		case !warehouse.SameCSV(got, c.Want):
			result.Failures = append(result.Failures, CaseFailure{c.Path, "got:\n" + got + "want:\n" + c.Want})
		}
	}
	return result, nil
}
