package warehouse

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"tongbao"
)

// Layers lists the schemas in the order of the data. A query reads earlier
// layers, and its own or later ones only for months before its own.
var Layers = []string{
	"seed", "register", "landed", "core", "indicator", "score", "ranking",
	"confidence", "bulletin",
}

// Build says how a query's rows enter its table.
type Build int

const (
	BuildMonth Build = iota // the month's rows are replaced
	BuildMerge              // core facts: rows of a load are merged by key
)

// Query is one file of queries/: one SELECT that makes layer.name.
type Query struct {
	Layer, Name string
	Path        string
	SQL         string
	Build       Build
	Header      map[string]string // the "-- key: value" lines of its first comment
	Reads       []string          // schema.table, sorted, of other tables of this month or standing ones
	Earlier     []string          // tables read for earlier months only
}

// Table returns the schema and table that the query fills.
func (q Query) Table() string {
	if q.Layer != "indicator" {
		return q.Layer + "." + q.Name
	}
	if q.Header["subject"] == "staff" {
		return staffValueTable
	}
	return valueTable
}

// All indicator files fill one of these two tables, so that adding an
// indicator is one file and no list of tables.
const (
	valueTable      = "indicator.value"
	staffValueTable = "indicator.staff_value"
)

// Select returns the query's text for a month. The month is written as a
// literal: the engine then knows its type and prunes by its zone maps.
func (q Query) Select(month tongbao.Month) string {
	return strings.ReplaceAll(q.SQL, "$month", "date '"+month.First().Format("2006-01-02")+"'")
}

// insert returns the statement that adds the month's rows to the table.
func (q Query) insert(month tongbao.Month) string {
	if q.Layer != "indicator" {
		return fmt.Sprintf("insert into %s by name\n%s", q.Table(), q.Select(month))
	}
	return fmt.Sprintf("insert into %s by name\nselect date '%s' as month, '%s' as indicator, fact.* from (\n%s\n) as fact",
		q.Table(), month.First().Format("2006-01-02"), q.Name, q.Select(month))
}

// ReadQueries reads the table-making queries of a folder of layers, checks the
// layer rule and exact arithmetic on the parse tree, and returns them in an
// order in which each finds what it reads.
func ReadQueries(files fs.FS) ([]Query, error) {
	var queries []Query
	for _, layer := range Layers {
		paths, err := fs.Glob(files, layer+"/*.sql")
		if err != nil {
			return nil, err
		}
		var ofLayer []Query
		for _, p := range paths {
			q, err := readQuery(files, layer, p)
			if err != nil {
				return nil, err
			}
			ofLayer = append(ofLayer, q)
		}
		if ofLayer, err = sortQueries(ofLayer); err != nil {
			return nil, err
		}
		queries = append(queries, ofLayer...)
	}
	return queries, nil
}

func readQuery(files fs.FS, layer, p string) (Query, error) {
	text, err := fs.ReadFile(files, p)
	if err != nil {
		return Query{}, err
	}
	q := Query{
		Layer: layer, Name: strings.TrimSuffix(path.Base(p), ".sql"), Path: p,
		SQL: trimStatement(string(text)), Header: readHeader(string(text)),
	}
	switch build := q.Header["build"]; {
	case layer == "indicator", build == "month":
		q.Build = BuildMonth
	case strings.HasPrefix(build, "merge on "):
		q.Build = BuildMerge
	default:
		return Query{}, fmt.Errorf("%s: header line \"-- build: %s\": want \"month\" or \"merge on <key>\"", p, build)
	}
	if q.Header["grain"] == "" || q.Header["rule"] == "" {
		return Query{}, fmt.Errorf("%s: header needs \"-- grain:\" and \"-- rule:\"", p)
	}
	tree, err := parse(q.SQL)
	if err != nil {
		return Query{}, fmt.Errorf("%s: %w", p, err)
	}
	if err := tree.inspect(&q); err != nil {
		return Query{}, fmt.Errorf("%s: %w", p, err)
	}
	return q, nil
}

func trimStatement(text string) string {
	return strings.TrimRight(strings.TrimSpace(text), "; \n")
}

// readHeader collects the "-- key: value" lines that open a file. A line that
// does not start a new key continues the value before it.
func readHeader(text string) map[string]string {
	header, last := map[string]string{}, ""
	for line := range strings.Lines(text) {
		comment, isComment := strings.CutPrefix(strings.TrimSpace(line), "--")
		if !isComment {
			break
		}
		key, value, found := strings.Cut(comment, ":")
		if key = strings.TrimSpace(key); found && slices.Contains(headerKeys, key) {
			last = key
		} else {
			value = comment
		}
		if last != "" {
			header[last] = strings.TrimSpace(header[last] + " " + strings.TrimSpace(value))
		}
	}
	return header
}

var headerKeys = []string{"grain", "rule", "build", "cohort", "subject", "severity", "title", "title-hant", "title-en", "columns"}

// sortQueries orders the queries of one layer so that each comes after what it
// reads; files without a say keep the order of their names.
func sortQueries(queries []Query) ([]Query, error) {
	var sorted []Query
	placed := map[string]bool{}
	pending := map[string]int{}
	for _, q := range queries {
		pending[q.Table()]++
	}
	for len(sorted) < len(queries) {
		before := len(sorted)
		for _, q := range queries {
			ready := !placed[q.Path]
			for _, read := range q.Reads {
				ready = ready && (pending[read] == 0 || read == q.Table())
			}
			if ready {
				sorted = append(sorted, q)
				placed[q.Path] = true
				pending[q.Table()]--
			}
		}
		if len(sorted) == before {
			return nil, fmt.Errorf("%s: these queries read each other in a circle", unplaced(queries, placed))
		}
	}
	return sorted, nil
}

func unplaced(queries []Query, placed map[string]bool) string {
	var paths []string
	for _, q := range queries {
		if !placed[q.Path] {
			paths = append(paths, q.Path)
		}
	}
	return strings.Join(paths, ", ")
}
