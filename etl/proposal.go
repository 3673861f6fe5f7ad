package etl

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// write is the proposal as a person reads it: each column with what was seen
// of it.
func (s Sample) write(source, target, key string, columns []proposed, made map[string]bool) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# yaml-language-server: $schema=schema.json")
	line("# Proposed from %s; read every line, then try: tongbao sources test %s", s.Name, source)
	line("source: %s", source)
	if s.Connect != nil {
		line("name: %s", quoted(s.Name[strings.LastIndex(s.Name, ".")+1:]))
		line("target: %s", target)
		b.WriteString(s.connectLines())
	} else {
		line("name: %s", quoted(strings.TrimSuffix(s.Name, filepath.Ext(s.Name))))
		line("target: %s", target)
		line("files: %s", literal(filePattern(s.Name)))
		line("format: %s", s.Format)
	}
	if s.Delimiter != "" && s.Delimiter != "," {
		line("delimiter: %q", s.Delimiter)
	}
	if s.Sheet != "" {
		line("sheet: %s", quoted(s.Sheet))
	}
	line("key: %s", key)
	if when := factTime[target]; made[gridColumn] && made[when] {
		line("grid_date: %s", when)
	}
	line("columns:")
	for _, p := range columns {
		note := fmt.Sprintf("%s, %d %% filled", p.kind, p.filled)
		parts := []string{"from: " + quoted(p.name)}
		switch {
		case p.column != nil:
			parts = append(parts, columnKeys(*p.column)...)
			if p.column.To == "" {
				note += "; read and dropped"
			}
		case p.isPersonal && doorName.MatchString(p.name):
			note += "; personal: dropped. To count homes, give it a to with mask: hash_in_grid"
		case p.isPersonal:
			note += "; personal: dropped. To find duplicates, give it a to with mask: hash"
		case p.kind == "long text":
			note += "; not mapped. If you give it a to, add mask: scan"
		default:
			note += "; not mapped: give it a to, or leave the line out"
		}
		line("  - {%s} # %s", strings.Join(parts, ", "), note)
	}
	return b.String()
}

// columnKeys are the keys of a known column, without its from.
func columnKeys(c Column) []string {
	var keys []string
	add := func(name, value string) {
		if value != "" {
			keys = append(keys, name+": "+value)
		}
	}
	add("to", c.To)
	if c.Required {
		add("required", "true")
	}
	add("lookup", c.Lookup)
	if c.Default != "" {
		add("default", quoted(c.Default))
	}
	if len(c.Values) > 0 {
		var pairs []string
		for _, value := range sortedKeys(c.Values) {
			pairs = append(pairs, quoted(value)+": "+quoted(c.Values[value]))
		}
		add("values", "{"+strings.Join(pairs, ", ")+"}")
	}
	if c.DayEnd {
		add("day_end", "true")
	}
	add("mask", c.Mask)
	return keys
}

func firstKey(target string) string {
	for _, name := range sortedKeys(targets[target]) {
		if strings.HasSuffix(name, "_id") && name != "grid_id" && name != "staff_id" {
			return name
		}
	}
	return ""
}

var plainScalar = regexp.MustCompile(`^\p{Han}[\p{Han}A-Za-z0-9_]*$|^[A-Za-z_][\p{Han}A-Za-z0-9_]*$`)

// quoted writes a text as a YAML scalar.
func quoted(text string) string {
	reserved := []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
	if plainScalar.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	return literal(text)
}

var datePart = regexp.MustCompile(`[0-9]{8}`)

// filePattern makes of a name the pattern of its sisters: a day in it is the
// day of delivery.
func filePattern(name string) string {
	if at := datePart.FindStringIndex(name); at != nil {
		return "^" + regexp.QuoteMeta(name[:at[0]]) + `(?P<delivered>\d{8})` + regexp.QuoteMeta(name[at[1]:]) + "$"
	}
	return "^" + regexp.QuoteMeta(name) + "$"
}
