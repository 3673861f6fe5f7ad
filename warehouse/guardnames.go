package warehouse

import (
	_ "embed"
	"maps"
	"strings"
	"sync"
)

//go:embed functions.txt
var functionsText string

// functions maps the functions that a statement may call to their class.
var functions = sync.OnceValue(func() map[string]string {
	allowed, _ := readFunctions(functionsText)
	return allowed
})

// readFunctions reads the judged names with the class of each.
func readFunctions(text string) (allowed, refused map[string]string) {
	allowed, refused = map[string]string{}, map[string]string{}
	into, class := allowed, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "# ") {
			continue
		}
		if reason, opens := strings.CutPrefix(line, "allowed: "); opens {
			into, class = allowed, reason
			continue
		}
		if reason, opens := strings.CutPrefix(line, "refused: "); opens {
			into, class = refused, reason
			continue
		}
		for _, name := range strings.Fields(line) {
			into[strings.ToLower(name)] = class
		}
	}
	return allowed, refused
}

// AllowedFunctions maps the functions that a statement may call to the class
// in which they were judged, for the pages that list them.
func AllowedFunctions() map[string]string { return maps.Clone(functions()) }

// tableFunctions may stand in FROM; as values range and generate_series may not.
var tableFunctions = []string{"range", "generate_series", "unnest"}

// isEngineName says whether the engine knows the name without a schema: its
// own views and its functions in FROM.
func isEngineName(name string) bool {
	for _, prefix := range []string{"duckdb_", "pragma_", "sqlite_", "pg_", "information_schema", "read_", "parquet_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return engineSources[name]
}

var engineSources = set(`arrow_scan arrow_scan_dumb check_peg_parser checkpoint disable_logging disable_peg_parser
	disable_profiling enable_logging enable_peg_parser enable_profiling force_checkpoint generate_series glob histogram
	histogram_values icu_calendar_names json_each json_execute_serialized_sql json_tree query query_table range repeat
	repeat_row seq_scan sniff_csv sql_auto_complete summary test_all_types test_vector_types truncate_duckdb_logs unnest
	which_secret`)

// knownParts are the kinds of objects of a parse tree that the guard knows:
// nodes, what stands in FROM, modifiers, orders, expressions, and types.
var knownParts = set(`SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE
	BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT SHOW_REF
	LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER ORDER_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING
	COLUMN_REF VALUE_CONSTANT VALUE_PARAMETER FUNCTION STAR LAMBDA LAMBDA_REF CASE_EXPR OPERATOR_CAST COLLATE
	POSITIONAL_REFERENCE COMPARE_EQUAL COMPARE_NOTEQUAL COMPARE_LESSTHAN COMPARE_GREATERTHAN
	COMPARE_LESSTHANOREQUALTO COMPARE_GREATERTHANOREQUALTO COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM
	COMPARE_BETWEEN COMPARE_NOT_BETWEEN COMPARE_IN COMPARE_NOT_IN CONJUNCTION_AND CONJUNCTION_OR
	OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_NULLIF OPERATOR_TRY OPERATOR_UNPACK
	ARRAY_EXTRACT ARRAY_SLICE ARRAY_CONSTRUCTOR STRUCT_EXTRACT ARROW GROUPING_FUNCTION
	LIST_TYPE_INFO STRUCT_TYPE_INFO ARRAY_TYPE_INFO DECIMAL_TYPE_INFO STRING_TYPE_INFO UNBOUND_TYPE_INFO`)

var knownClasses = set(`COLUMN_REF CONSTANT PARAMETER FUNCTION STAR LAMBDA LAMBDA_REF CASE CAST COLLATE
	POSITIONAL_REFERENCE COMPARISON BETWEEN CONJUNCTION OPERATOR SUBQUERY WINDOW TYPE`)

func set(words string) map[string]bool {
	known := map[string]bool{}
	for _, word := range strings.Fields(words) {
		known[word] = true
	}
	return known
}
