package pipeline

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// Readable lists what an audience may ask of a month's current version with
// SQL; month 0 is the newest published one. What it may not see is in no list,
// so that no statement can name it.
func (w Workspace) Readable(ctx context.Context, by register.Audience, month tongbao.Month) ([]warehouse.Source, error) {
	dir, _, err := w.Current(month)
	if err != nil {
		return nil, err
	}
	var sources []warehouse.Source
	for _, file := range []string{publishedFile, recordsFile} {
		source := warehouse.Source{Path: filepath.Join(dir, file)}
		tables, err := publishedTables(ctx, source.Path)
		if err != nil {
			return nil, err
		}
		for _, table := range slices.Sorted(maps.Keys(tables)) {
			reading, isSeen := register.Readable(by, table)
			if !isSeen {
				continue
			}
			source.Relations = append(source.Relations, warehouse.Relation{Name: table, Without: reading.Without, Where: where(reading, tables[table])})
		}
		if len(source.Relations) > 0 {
			sources = append(sources, source)
		}
	}
	return sources, nil
}

// publishedTables lists the tables and columns of a published file.
func publishedTables(ctx context.Context, path string) (map[string][]string, error) {
	db, err := warehouse.Open(ctx, path, warehouse.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Tables(ctx, warehouse.Layers...)
}

// where is a reading's rows as a condition on a table with these columns.
func where(reading register.Reading, columns []string) string {
	var conditions []string
	if reading.Deepest > 0 {
		conditions = append(conditions, fmt.Sprintf("level <= %d", reading.Deepest))
	}
	if reading.Small {
		cases := "denominator"
		if slices.Contains(columns, "own_denominator") {
			cases = "own_denominator"
		}
		conditions = append(conditions, "not (coalesce("+cases+" between 1 and 2, false) and indicator in (select indicator from source.seed.rubric where line = 'welfare'))")
	}
	return strings.Join(conditions, " and ")
}
