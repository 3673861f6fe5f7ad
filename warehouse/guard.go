package warehouse

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a statement; the messages of refusals name them.
const (
	maxStatement = 64 << 10
	maxBrackets  = 100
	maxDepth     = 300
)

// Guarded is a statement that the guard lets run.
type Guarded struct {
	SQL       string   // without what ends it, parameters written as literals
	Relations []string // the listed tables that it reads, sorted
}

// granted is what a statement may name besides what everybody may.
type granted struct {
	relations []string // schema.table
	functions []string
	schema    string // of relations that are written without one, "" for none
}

// Shape checks what can be checked without a parser.
func Shape(text string) error {
	switch {
	case len(text) > maxStatement:
		return refuse("long", fmt.Sprint(len(text)))
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return refuse("text", "")
	}
	depth, deepest := 0, 0
	for _, r := range text {
		switch r {
		case '(', '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ')', ']', '}':
			depth--
		}
	}
	if deepest > maxBrackets {
		return refuse("brackets", fmt.Sprint(deepest))
	}
	return nil
}

// guard decides whether a statement of a person may run: one SELECT that reads
// only what it may and calls only the functions allowed in functions.txt. It
// binds nothing, and it denies what it does not know. Its refusals are of type
// *QuestionError.
func guard(text string, params []Param, may granted, parse func(string) (node, error)) (Guarded, error) {
	if err := Shape(text); err != nil {
		return Guarded{}, err
	}
	text = trimStatement(text)
	asked, err := judge(text, may, parse)
	if err != nil {
		return Guarded{}, err
	}
	if len(asked.params) > 0 {
		if text, err = fillIn(text, asked.params, params); err != nil {
			return Guarded{}, err
		}
		if asked, err = judge(text, may, parse); err != nil {
			return Guarded{}, err
		}
		if len(asked.params) > 0 {
			return Guarded{}, refuse("parameter", asked.params[0])
		}
	}
	// Text that closes the bracket around it is one statement before and
	// another after.
	if _, err := judge(bounded(text, 1), may, parse); err != nil {
		return Guarded{}, err
	}
	slices.Sort(asked.reads)
	return Guarded{SQL: text, Relations: slices.Compact(asked.reads)}, nil
}

// bounded is a guarded statement of which one row more than limit is fetched.
func bounded(text string, limit int) string {
	return fmt.Sprintf("select * from (\n%s\n) limit %d", text, limit+1)
}

// judge parses the text and walks all of its tree.
func judge(text string, may granted, parse func(string) (node, error)) (*walker, error) {
	tree, err := parse(text)
	if err != nil {
		return nil, refusalOfParser(err)
	}
	w := &walker{may: may}
	return w, w.visit(map[string]any(tree), nil, 0)
}

func refusalOfParser(err error) *QuestionError {
	var several *severalError
	switch {
	case errors.As(err, &several):
		return refuse("several", fmt.Sprint(several.found))
	case strings.Contains(err.Error(), "Only SELECT statements"):
		return refuse("select", "")
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	return refuse("syntax", message)
}

// walker collects what a tree reads and stops at the first part that is not
// known to be harmless.
type walker struct {
	may    granted
	reads  []string
	params []string
}

// visit judges a part and everything below it. Steps are the names of WITH
// that are in scope.
func (w *walker) visit(part any, steps []string, depth int) error {
	if depth > maxDepth {
		return refuse("depth", fmt.Sprint(maxDepth))
	}
	switch part := part.(type) {
	case []any:
		for _, child := range part {
			if err := w.visit(child, steps, depth); err != nil {
				return err
			}
		}
	case map[string]any:
		steps, err := w.enter(part, steps, depth)
		if err != nil {
			return err
		}
		for _, key := range sortedKeys(part) {
			if key == "cte_map" {
				continue // enter has been there
			}
			if err := w.visit(part[key], steps, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter judges one object of the tree and returns the steps that its children see.
func (w *walker) enter(part map[string]any, steps []string, depth int) ([]string, error) {
	kind, class := word(part, "type"), word(part, "class")
	if kind != "" && !knownParts[kind] && !strings.HasPrefix(kind, "WINDOW_") {
		return nil, refuse("part", kind)
	}
	if class != "" && !knownClasses[class] {
		return nil, refuse("part", class)
	}
	if _, calls := part["function_name"]; calls {
		if err := w.call(part); err != nil {
			return nil, err
		}
	}
	switch kind {
	case "BASE_TABLE":
		return steps, w.read(part, steps)
	case "TABLE_FUNCTION":
		function, _ := part["function"].(map[string]any)
		name := strings.ToLower(word(function, "function_name"))
		if !slices.Contains(tableFunctions, name) {
			return nil, refuse("source", name)
		}
		function["is_source"] = true
	case "SHOW_REF":
		shown := word(part, "show_type")
		if shown != "DESCRIBE" && shown != "SUMMARY" || word(part, "table_name") != "" || part["query"] == nil {
			return nil, refuse("show", shown)
		}
	case "VALUE_PARAMETER":
		w.params = append(w.params, word(part, "identifier"))
	case "RECURSIVE_CTE_NODE":
		steps = append(slices.Clone(steps), strings.ToLower(word(part, "cte_name")))
	}
	if enum := word(part, "pivot_enum"); enum != "" {
		return nil, refuse("part", enum)
	}
	return w.with(part, steps, depth)
}

// call judges a function that is called.
func (w *walker) call(part map[string]any) error {
	name := strings.ToLower(word(part, "function_name"))
	_, isAllowed := functions()[name]
	isAllowed = isAllowed || slices.Contains(w.may.functions, name)
	isSource := part["is_source"] == true
	schema := word(part, "schema")
	if !isAllowed && !isSource || schema != "" && schema != "main" || word(part, "catalog") != "" {
		return refuse("function", name)
	}
	return nil
}

// read judges a table.
func (w *walker) read(part map[string]any, steps []string) error {
	schema, table, catalog := word(part, "schema_name"), word(part, "table_name"), word(part, "catalog_name")
	name := strings.ToLower(table)
	if schema == "" && catalog == "" && part["at_clause"] == nil && slices.Contains(steps, name) {
		return nil
	}
	whole := strings.Trim(catalog+"."+schema+"."+table, ".")
	if schema == "" {
		schema = w.may.schema
	}
	if name = strings.ToLower(schema) + "." + name; catalog == "" && part["at_clause"] == nil && slices.Contains(w.may.relations, name) {
		w.reads = append(w.reads, name)
		return nil
	}
	return refuse("relation", whole)
}

// with judges the steps of a WITH. A step sees those before it, and itself if
// it is recursive. Relations are written with their schema and steps without,
// so neither can stand for the other (at a door with a default schema a step
// stands before a relation of that name, here and in the engine, and both may be
// read); a step may not have a name that the engine would know without it,
// wherever its scope ends.
func (w *walker) with(part map[string]any, steps []string, depth int) ([]string, error) {
	ctes, _ := part["cte_map"].(map[string]any)
	entries, _ := ctes["map"].([]any)
	steps = slices.Clone(steps)
	for _, entry := range entries {
		entry, _ := entry.(map[string]any)
		name := strings.ToLower(word(entry, "key"))
		if !stepName.MatchString(name) || isEngineName(name) {
			return nil, refuse("step", name)
		}
		if err := w.visit(entry["value"], steps, depth+1); err != nil {
			return nil, err
		}
		steps = append(steps, name)
	}
	return steps, nil
}

// stepName has no dot and no slash, which a file would have.
var stepName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`)

func word(part map[string]any, key string) string {
	text, _ := part[key].(string)
	return text
}
