package pipeline

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
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
	asked := []string{publishedFile}
	if by == register.Taskforce {
		asked = files
	}
	taken := map[string]bool{}
	for _, file := range asked {
		source := warehouse.Source{Path: filepath.Join(dir, file)}
		tables, err := r.tables(ctx, source.Path)
		if err != nil {
			return published, err
		}
		for _, table := range slices.Sorted(maps.Keys(tables)) {
			if _, isSeen := register.Readable(by, table); isSeen && !taken[table] {
				taken[table] = true
				source.Relations = append(source.Relations, r.relation(table, tables[table]))
			}
		}
		if len(source.Relations) > 0 {
			published.Sources = append(published.Sources, source)
		}
	}
	return published, nil
}

func (r *Readers) relation(table string, columns []warehouse.Column) warehouse.Relation {
	header := r.queries[table].Header
	return warehouse.Relation{Name: table, Columns: columns, Grain: header["grain"], Rule: header["rule"]}
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
