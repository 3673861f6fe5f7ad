package warehouse

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// fillIn writes the values of the parameters into the text as literals. The
// names are those that the parser found; the text is judged again afterwards,
// so a mistake here can only lead to a refusal.
func fillIn(text string, names []string, params []Param) (string, error) {
	literals := map[string]string{}
	for _, name := range names {
		at := slices.IndexFunc(params, func(p Param) bool { return strings.EqualFold(p.Name, name) })
		if at < 0 {
			return "", refuse("parameter", name)
		}
		literal, ok := params[at].literal()
		if !ok {
			return "", refuse("value", name)
		}
		literals[strings.ToLower(name)] = literal
	}
	var filled strings.Builder
	for _, token := range tokens.FindAllString(text, -1) {
		name, isName := strings.CutPrefix(token, "$")
		if literal, known := literals[strings.ToLower(name)]; isName && known {
			token = literal
		}
		filled.WriteString(token)
	}
	return filled.String(), nil
}

// tokens cuts a statement into what may hold a $ that is no parameter (texts,
// quoted names, comments, words), parameters, and single characters.
var tokens = regexp.MustCompile(`(?s)[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$|` +
	`[\p{L}_][\p{L}\p{N}_$]*|\$[\p{L}\p{N}_]+|.`)

var number = regexp.MustCompile(`^-?\d{1,38}(\.\d{1,38})?([eE][-+]?\d{1,3})?$`)

// ParamNames lists the parameters of a statement in the order of the text, as
// a form would ask for them. It is no parser: the guard decides.
func ParamNames(text string) []string {
	var names []string
	for _, token := range tokens.FindAllString(text, -1) {
		name, isName := strings.CutPrefix(token, "$")
		if isName && name != "" && !strings.HasPrefix(name, "$") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// NewParam is the parameter of a form field or flag: a value that is a month
// or a day is a date, everything else text.
func NewParam(name, value string) Param {
	p := Param{Name: name, Value: value}
	if _, isDate := dateOf(value); isDate {
		p.Type = DateParam
	}
	return p
}

func dateOf(value string) (string, bool) {
	for _, layout := range []string{"2006-01-02", "2006-01"} {
		if day, err := time.Parse(layout, value); err == nil {
			return day.Format("2006-01-02"), true
		}
	}
	return "", false
}

// literal writes the value as SQL; brackets keep a sign from joining what
// stands before it.
func (p Param) literal() (string, bool) {
	switch p.Type {
	case TextParam:
		return "'" + strings.ReplaceAll(p.Value, "'", "''") + "'", !strings.ContainsRune(p.Value, 0)
	case DateParam:
		day, ok := dateOf(p.Value)
		return "date '" + day + "'", ok
	case NumberParam:
		return "(" + p.Value + ")", number.MatchString(p.Value)
	case BoolParam:
		return p.Value, p.Value == "true" || p.Value == "false"
	case NullParam:
		return "null", true
	}
	return "", false
}
