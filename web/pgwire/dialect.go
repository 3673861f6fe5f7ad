package pgwire

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tongbao/warehouse"
)

// tokens cuts a statement into texts, quoted names, comments, parameters,
// words, numbers, casts, and single characters. It is no parser: what it makes
// of a statement is judged by the guard like everything else.
var tokens = regexp.MustCompile(`(?s)[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$|` +
	`[\p{L}_][\p{L}\p{N}_$]*|\$\p{N}+|\p{N}+|::|!~|\s+|.`)

// countParams is the greatest $n of a statement.
func countParams(text string) int {
	most := 0
	for _, token := range tokens.FindAllString(text, -1) {
		if n, err := strconv.Atoi(strings.TrimPrefix(token, "$")); err == nil && token[0] == '$' {
			most = max(most, n)
		}
	}
	return min(most, 1<<16-1)
}

// writeLists writes $n as a list of its elements where it is one.
func writeLists(text string, lists map[int][]string) string {
	if len(lists) == 0 {
		return text
	}
	var out strings.Builder
	for _, token := range tokens.FindAllString(text, -1) {
		if n, err := strconv.Atoi(strings.TrimPrefix(token, "$")); err == nil && token[0] == '$' {
			if names, isList := lists[n]; isList {
				token = "[]"
				if len(names) > 0 {
					token = "[$" + strings.Join(names, ", $") + "]"
				}
			}
		}
		out.WriteString(token)
	}
	return out.String()
}

// mentionsCatalog says whether a statement may ask PostgreSQL's catalogue.
var mentionsCatalog = regexp.MustCompile(`(?i)\bpg_|information_schema|\bcurrent_(?:schema|schemas|database|catalog|user|role|setting)\b|\bsession_user\b|` +
	`\bversion\s*\(|_to_(?:string)|\bset_config\b|::\s*(?:reg|oid|name)|\bhas_\w+_privilege|\bobj_description|\bcol_description|\bformat_type|\btxid_current`)

// translate gives a question the catalogue if it may ask it, in the engine's
// dialect.
func (n *session) translate(q *warehouse.Question, published warehouse.Published) {
	if !mentionsCatalog.MatchString(q.SQL) {
		return
	}
	for _, answer := range emptyAnswers {
		if answer.asks.MatchString(q.SQL) {
			q.SQL = answer.instead
		}
	}
	q.SQL = inDialect(q.SQL)
	q.Extra = n.catalog(published)
}

// emptyAnswers are questions of psql about what there is none of, in a form
// that the engine cannot take.
var emptyAnswers = []struct {
	asks    *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?s)^\s*SELECT pubname.*pg_publication`), "select null::varchar as pubname, null::varchar, null::varchar limit 0"},
}

// registers are PostgreSQL's types for names of its catalogue.
var registers = []string{"regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole"}

// castTypes are those of PostgreSQL's types that the engine does not know.
var castTypes = map[string]string{"name": "varchar", "oid": "bigint", "xid": "bigint", "char": "varchar", "int2vector": "varchar", "oidvector": "varchar", "aclitem": "varchar"}

// inDialect writes a question about the catalogue so that the engine takes it:
// the schemas get names that are not the engine's own, operators and types are
// written without a schema, and patterns are found anywhere in a text.
func inDialect(text string) string {
	text = castAs.ReplaceAllString(text, "$1::$2")
	text = asRegister.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasSuffix(strings.ToLower(strings.Join(strings.Fields(found), "")), "oid)") {
			return "as varchar) as bigint)"
		}
		return "as varchar)"
	})
	in := tokens.FindAllString(operatorName.ReplaceAllString(collation.ReplaceAllString(text, " "), " $1 "), -1)
	var out []string
	for i := 0; i < len(in); i++ {
		token := in[i]
		lower := strings.ToLower(token)
		switch {
		case token == "'{0}'":
			out = append(out, "[0]")
		case lower == "pg_catalog" && at(in, i+1) == ".":
			i++ // what follows says whether it needs a schema
		case lower == "information_schema" && at(in, i+1) == ".":
			if i += 2; at(in, i+1) == "(" {
				out = append(out, in[i])
			} else {
				out = append(out, informationSchema, ".", in[i])
			}
		case lower == "json_build_object" && at(in, i+1) == "(":
			out = append(out, "concat") // of what there is none of: identity columns
		case isPattern(in, i):
			out = append(out, "'(?s:.*)(?:", token[1:len(token)-1], ")(?s:.*)'")
		case isText(token) && strings.Contains(token, `\`) && isAfter(in, i, "like", "ilike"):
			out = append(out, token, ` escape '\'`)
		case token == "::":
			if at(in, i+1) == "pg_catalog" && at(in, i+2) == "." {
				i += 2
			}
			i++
			out = cast(out, at(in, i))
		case slices.Contains(catalogTables, lower) && at(in, i-1) != "." && at(in, i+1) != "(":
			out = append(out, catalogSchema, ".", token)
		case slices.Contains(catalogTables, lower) && at(in, i-1) == "." && strings.EqualFold(at(in, i-2), "pg_catalog"):
			out = append(out, catalogSchema, ".", token)
		default:
			out = append(out, token)
		}
	}
	return strings.Join(out, "")
}

var (
	operatorName = regexp.MustCompile(`(?i)\bOPERATOR\s*\(\s*pg_catalog\s*\.\s*([^\s)]+)\s*\)`)
	castAs       = regexp.MustCompile(`(?i)\bCAST\s*\(\s*('[^']*'|\$\d+|[\w.]+)\s+AS\s+((?:pg_catalog\.)?(?:reg\w+|oid|name))\s*\)`)
	asRegister   = regexp.MustCompile(`(?i)\bAS\s+(?:pg_catalog\.)?reg(?:class|type|proc|procedure|namespace|role)\s*\)(?:\s+AS\s+OID\s*\))?`)
	collation    = regexp.MustCompile(`(?i)\s+COLLATE\s+pg_catalog\.("default"|default)`)
)

// cast ends what was written so far with a cast to a type of PostgreSQL.
func cast(out []string, to string) []string {
	lower := strings.ToLower(strings.Trim(to, `"`))
	if other, found := castTypes[lower]; found {
		return append(out, "::", other)
	}
	if !slices.Contains(registers, lower) {
		return append(out, "::", to)
	}
	if len(out) == 0 || !castable.MatchString(out[len(out)-1]) {
		return append(out, "::", "varchar")
	}
	// A name becomes its number, a number its name.
	begin := len(out) - 1
	for begin > 0 && (out[begin-1] == "." || out[begin] == ".") {
		begin--
	}
	function := lower + "_name"
	if first := out[begin][0]; first == '\'' || first == '$' {
		function = "to_" + lower
	}
	operand := strings.Join(out[begin:], "")
	return append(out[:begin], fmt.Sprintf("%s(%s)", function, operand))
}

// castable is a text, a parameter or the last word of a name.
var castable = regexp.MustCompile(`^(?:'.*'|\$\d+|[\p{L}_][\p{L}\p{N}_$]*|".*")$`)

// isPattern says whether a token is the text behind ~ or !~.
func isPattern(in []string, i int) bool {
	return isText(in[i]) && isAfter(in, i, "~", "!~")
}

func isText(token string) bool { return len(token) > 1 && token[0] == '\'' }

func isAfter(in []string, i int, words ...string) bool {
	for i--; i >= 0; i-- {
		if strings.TrimSpace(in[i]) != "" {
			return slices.Contains(words, strings.ToLower(in[i]))
		}
	}
	return false
}

func at(in []string, i int) string {
	if i < 0 || i >= len(in) {
		return ""
	}
	return in[i]
}
