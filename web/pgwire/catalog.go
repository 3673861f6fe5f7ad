package pgwire

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"tongbao/warehouse"
)

// The schemas of catalog.sql.
const (
	catalogSchema     = "pg"
	informationSchema = "information"
)

//go:embed catalog.sql
var catalogSQL string

var (
	madeTable = regexp.MustCompile(`(?m)^create view (\w+)\.(\w+) as`)
	madeMacro = regexp.MustCompile(`(?m)^create macro (\w+)\(`)

	catalogRelations, catalogTables = relationsMade()
	catalogFunctions                = append(functionsMade(), sessionFunctions...)
)

// sessionFunctions are made anew for every question.
var sessionFunctions = []string{"current_user", "session_user", "current_role", "current_database", "current_catalog", "current_schema", "pg_backend_pid", "user"}

func relationsMade() (relations, tables []string) {
	for _, found := range madeTable.FindAllStringSubmatch(catalogSQL, -1) {
		relations = append(relations, found[1]+"."+found[2])
		if found[1] == catalogSchema {
			tables = append(tables, found[2])
		}
	}
	return relations, tables
}

func functionsMade() (functions []string) {
	for _, found := range madeMacro.FindAllStringSubmatch(catalogSQL, -1) {
		functions = append(functions, found[1])
	}
	return functions
}

// firstTable is the number of the first table, where PostgreSQL's users' begin.
const firstTable = 20000

// catalog is PostgreSQL's catalogue of what an account may read, and of
// nothing else: it is made of that list.
func (n *session) catalog(published warehouse.Published) warehouse.Extra {
	database := n.database
	if database == "" {
		database = n.account
	}
	schema := n.schema()
	setup := []string{
		"create schema " + catalogSchema, "create schema " + informationSchema,
		fmt.Sprintf("create macro session_user() as %s", quote(n.account)), fmt.Sprintf("create macro current_user() as %s", quote(n.account)),
		fmt.Sprintf("create macro current_role() as %s", quote(n.account)), fmt.Sprintf("create macro user() as %s", quote(n.account)),
		fmt.Sprintf("create macro current_database() as %s", quote(database)), fmt.Sprintf("create macro current_catalog() as %s", quote(database)),
		fmt.Sprintf("create macro current_schema() as %s", quote(schema)), fmt.Sprintf("create macro pg_backend_pid() as %d", n.number),
	}
	var tables, columns, settings []string
	number := firstTable
	for _, source := range published.Sources {
		for _, relation := range source.Relations {
			number++
			schema, table, _ := strings.Cut(relation.Name, ".")
			tables = append(tables, fmt.Sprintf("(%d, %s, %s, %d, %s)", number, quote(schema), quote(table), len(relation.Columns), quote(relation.Grain)))
			for i, column := range relation.Columns {
				one := typeOf(column.Type)
				columns = append(columns, fmt.Sprintf("(%d, %d, %s, %d, %d)", number, i+1, quote(column.Name), one.oid, one.mod))
			}
		}
	}
	for _, name := range sortedNames(n.settings) {
		settings = append(settings, fmt.Sprintf("(%s, %s)", quote(name), quote(n.settings[name])))
	}
	setup = append(setup,
		filled("shown_table", "oid, schema_name, table_name, columns, comment", "(0, '', '', 0, '')", tables),
		filled("shown_column", "table_oid, position, column_name, type_oid, type_mod", "(0, 0, '', 0, 0)", columns),
		filled("setting", "key, setting", "('', '')", settings),
	)
	return warehouse.Extra{Setup: append(setup, catalogSQL), Relations: catalogRelations, Functions: catalogFunctions}
}

// filled makes a table of rows; none is a row that is not there, for the types.
func filled(table, columns, none string, rows []string) string {
	values := strings.Join(append([]string{none}, rows...), ", ")
	return fmt.Sprintf("create table %s.%s as select * from (values %s) as filled(%s) offset 1", catalogSchema, table, values, columns)
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
