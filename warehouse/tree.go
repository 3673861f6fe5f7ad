package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// node is a part of the engine's own parse tree (json_serialize_sql).
type node map[string]any

// parser is one engine in memory, used for parsing only.
var parser = sync.OnceValues(func() (*sql.DB, error) { return sql.Open("duckdb", "") })

// parse returns the parse tree of exactly one SELECT; it binds nothing.
func parse(text string) (node, error) {
	engine, err := parser()
	if err != nil {
		return nil, err
	}
	return parseWith(context.Background(), engine, text)
}

// severalError is a text of no statement, or of more than one.
type severalError struct{ found int }

func (e *severalError) Error() string { return fmt.Sprintf("want one SELECT, found %d", e.found) }

// parseWith parses with an engine that is open already.
func parseWith(ctx context.Context, engine interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, text string) (node, error) {
	var serialized string
	err := engine.QueryRowContext(ctx, "select cast(json_serialize_sql(cast(? as varchar)) as varchar)", text).Scan(&serialized)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error      bool   `json:"error"`
		Message    string `json:"error_message"`
		Statements []node `json:"statements"`
	}
	if err := json.Unmarshal([]byte(serialized), &answer); err != nil {
		return nil, err
	}
	if answer.Error {
		return nil, errors.New(answer.Message)
	}
	if len(answer.Statements) != 1 {
		return nil, &severalError{len(answer.Statements)}
	}
	return answer.Statements[0], nil
}

// walk calls visit for every object of the tree, parents first. A false answer
// skips the children.
func walk(part any, visit func(node) bool) {
	switch part := part.(type) {
	case node:
		walk(map[string]any(part), visit)
	case map[string]any:
		if !visit(part) {
			return
		}
		for _, key := range sortedKeys(part) {
			walk(part[key], visit)
		}
	case []any:
		for _, child := range part {
			walk(child, visit)
		}
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// inspect fills q.Reads and q.Earlier and reports what the rules of the house
// forbid: reading a later layer or oneself for the same month, and inexact
// arithmetic where places are decided.
func (tree node) inspect(q *Query) (broken error) {
	reads, earlier := map[string]bool{}, map[string]bool{}
	walk(tree, func(part node) bool {
		if part["type"] == "SELECT_NODE" {
			limited := isLimitedToEarlierMonths(part["where_clause"])
			for _, table := range tablesOf(part["from_table"]) {
				if limited {
					earlier[table] = true
				} else {
					reads[table] = true
				}
			}
		}
		if name, isFunction := part["function_name"].(string); isFunction {
			if bad := inexact(q.Layer, strings.ToLower(name)); bad != "" {
				broken = errors.Join(broken, errors.New(bad))
			}
		}
		return true
	})
	own := slices.Index(Layers, q.Layer)
	for table := range reads {
		layer := slices.Index(Layers, strings.Split(table, ".")[0])
		switch {
		case layer < 0:
			broken = errors.Join(broken, fmt.Errorf("reads %s, which is in no layer", table))
		case layer > own:
			broken = errors.Join(broken, fmt.Errorf("reads %s of a later layer without \"month < $month\"", table))
		case table == q.Table():
			broken = errors.Join(broken, fmt.Errorf("reads its own table %s without \"month < $month\"", table))
		}
	}
	q.Reads, q.Earlier = sortedSet(reads), sortedSet(earlier)
	return broken
}

func sortedSet(set map[string]bool) []string {
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// inexact says why a function may not be used in a layer, "" if it may.
func inexact(layer, function string) string {
	if layer != "indicator" && layer != "score" && layer != "ranking" {
		return ""
	}
	switch function {
	case "/", "avg", "mean", "favg", "stddev", "stddev_samp", "median", "quantile_cont", "round", "random":
		return fmt.Sprintf("%q is not exact; places are decided with integers and // only", function)
	}
	return ""
}

// tablesOf lists the schema-qualified tables of a FROM clause, not going into
// subqueries, which are judged by their own WHERE.
func tablesOf(from any) []string {
	var tables []string
	walk(from, func(part node) bool {
		if part["type"] == "SELECT_NODE" {
			return false
		}
		if part["type"] == "BASE_TABLE" {
			if schema, _ := part["schema_name"].(string); schema != "" {
				tables = append(tables, schema+"."+part["table_name"].(string))
			}
		}
		return true
	})
	return tables
}

// isLimitedToEarlierMonths finds the condition "<table>.month < $month".
func isLimitedToEarlierMonths(where any) bool {
	found := false
	walk(where, func(part node) bool {
		if part["type"] == "COMPARE_LESSTHAN" {
			left, _ := part["left"].(map[string]any)
			right, _ := part["right"].(map[string]any)
			names, _ := left["column_names"].([]any)
			if len(names) > 0 && names[len(names)-1] == "month" && right["identifier"] == "month" {
				found = true
			}
		}
		return !found && part["type"] != "SELECT_NODE"
	})
	return found
}
