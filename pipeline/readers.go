package pipeline

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// Readers knows what each audience may ask of published versions with SQL.
type Readers struct {
	workspace Workspace
	queries   map[string]warehouse.Query // by table that they make
	titled    []warehouse.Query          // of saved/ and api/

	mu    sync.Mutex
	files map[string]map[string][]warehouse.Column // by path; a published name is never reused
}

// Readers reads the queries of the workspace, for what they say of their tables.
func (w Workspace) Readers() (*Readers, error) {
	all, err := warehouse.ReadQueries(w.queryFiles())
	if err != nil {
		return nil, err
	}
	titled, err := warehouse.ReadTitled(w.queryFiles(), "saved", "api")
	if err != nil {
		return nil, err
	}
	r := &Readers{workspace: w, queries: map[string]warehouse.Query{}, titled: titled, files: map[string]map[string][]warehouse.Column{}}
	for _, query := range all {
		if query.Layer != "indicator" { // many files fill that layer's tables
			r.queries[query.Table()] = query
		}
	}
	return r, nil
}

// Titled are the queries of queries/saved/, for people, and of queries/api/,
// which answer the JSON API; Layer is the folder.
func (r *Readers) Titled() []warehouse.Query { return r.titled }

// Published lists what an audience may ask of a month's current version; month 0
// is the newest published one. What it may not see is in no list, so that no
// statement can name it.
func (r *Readers) Published(ctx context.Context, by register.Audience, month tongbao.Month) (warehouse.Published, error) {
	dir, month, err := r.workspace.Current(month)
	if err != nil {
		return warehouse.Published{}, err
	}
	published := warehouse.Published{Month: month, Version: filepath.Base(dir)}
	for _, file := range []string{publishedFile, recordsFile} {
		source := warehouse.Source{Path: filepath.Join(dir, file)}
		tables, err := r.tables(ctx, source.Path)
		if err != nil {
			return published, err
		}
		for _, table := range slices.Sorted(maps.Keys(tables)) {
			if reading, isSeen := register.Readable(by, table); isSeen {
				source.Relations = append(source.Relations, r.relation(table, reading, tables[table]))
			}
		}
		if len(source.Relations) > 0 {
			published.Sources = append(published.Sources, source)
		}
	}
	return published, nil
}

// relation is a table as it may be read.
func (r *Readers) relation(table string, reading register.Reading, columns []warehouse.Column) warehouse.Relation {
	relation := warehouse.Relation{Name: table, Without: reading.Without, Where: where(reading, columns)}
	relation.Columns = slices.DeleteFunc(slices.Clone(columns), func(c warehouse.Column) bool { return slices.Contains(reading.Without, c.Name) })
	relation.Grain, relation.Rule = r.queries[table].Header["grain"], r.queries[table].Header["rule"]
	return relation
}

// tables lists the tables and columns of a published file.
func (r *Readers) tables(ctx context.Context, path string) (map[string][]warehouse.Column, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, found := r.files[path]; found {
		return known, nil
	}
	db, err := warehouse.Open(ctx, path, warehouse.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tables, err := db.Columns(ctx, warehouse.Layers...)
	if err == nil {
		r.files[path] = tables
	}
	return tables, err
}

// where is a reading's rows as a condition on a table with these columns.
func where(reading register.Reading, columns []warehouse.Column) string {
	var conditions []string
	if reading.Deepest > 0 {
		conditions = append(conditions, fmt.Sprintf("level <= %d", reading.Deepest))
	}
	if reading.Small {
		cases := "denominator"
		if slices.ContainsFunc(columns, func(c warehouse.Column) bool { return c.Name == "own_denominator" }) {
			cases = "own_denominator"
		}
		conditions = append(conditions, "not (coalesce("+cases+" between 1 and 2, false) and indicator in (select indicator from source.seed.rubric where line = 'welfare'))")
	}
	return strings.Join(conditions, " and ")
}
