package etl

import (
	"fmt"
	"slices"
	"strings"
)

// typing writes the SQL that turns a stage of text into typed rows in one
// pass: trim, map, cast, and for a row that cannot be taken the first column
// that is wrong, why, and its masked value.
type typing struct {
	d           *Definition
	st          stage
	deliveredAt string   // as an SQL literal
	sources     []string // source columns in the order r0, r1 …
	bounds      []string // what the step "bounded" replaces
	faults      []fault
}

// fault is one way in which a row can be wrong; its number is its place + 1.
type fault struct {
	condition string // on the step "typed"
	column    string // source column
	reason    string
	value     string // SQL of what to show
	isFree    bool   // value may hold personal data and is scanned for it
}

// blankRunes are trimmed around every cell: spaces of all kinds, line ends, BOM.
const blankRunes = " \t\n\r\u00a0\u3000\ufeff"

// blanks is one literal: the engine would plan a concatenation anew for each
// cell.
const blanks = "'" + blankRunes + "'"

func newTyping(d *Definition, st stage, deliveredAt string) *typing {
	return &typing{d: d, st: st, deliveredAt: deliveredAt, sources: d.sources(), faults: d.headerFaults(st.header)}
}

// create returns the statement that makes the temporary table typed. Columns:
// row_no (null where the file's own order gives it), is_note, t_<target> for
// every target column, fault (0 or its number), fault_column, fault_value.
func (t *typing) create() string {
	var typed, kept []string
	for i, column := range t.d.Columns {
		if column.To == "" || column.Capture != "" {
			continue
		}
		expression := t.typedColumn(i, column)
		typed = append(typed, fmt.Sprintf("%s as t_%s", expression, column.To))
		kept = append(kept, "t_"+column.To)
	}
	t.orderFaults()
	replaced := ""
	if len(t.bounds) > 0 {
		replaced = " replace (" + strings.Join(t.bounds, ",\n        ") + ")"
	}
	return fmt.Sprintf(`create or replace temp table typed as
with cell as (
    select %s
    from %s
),
typed as (
    select cell.*, %s
    from cell
),
bounded as (
    select typed.*%s
    from typed
),
judged as (
    select bounded.*, case %s else 0 end as fault
    from bounded
),
shown as (
    select judged.*, %s as shown
    from judged
)
select row_no, sheet, is_note, %s, fault, %s as fault_value, damage
from shown`, t.cells(), t.reader(), strings.Join(typed, ",\n        "),
		replaced, t.faultCases(), t.shown(), strings.Join(kept, ", "), t.faultValue())
}

// reader is the table function with every setting given: nothing is guessed.
func (t *typing) reader() string {
	if t.st.reader != "" {
		return t.st.reader
	}
	var names []string
	skip := 0
	if t.st.isFile {
		skip = 1
		for i := range t.st.header.width {
			names = append(names, fmt.Sprintf("'f%d': 'VARCHAR'", i))
		}
	} else {
		names = append(names, "'row_no': 'BIGINT'", "'sheet': 'VARCHAR'", "'damage': 'VARCHAR'")
		for i := range t.sources {
			names = append(names, fmt.Sprintf("'f%d': 'VARCHAR'", i))
		}
	}
	// In strict mode the engine finds no record at all when it is told of
	// \r\n, and all of them when it is not (TestCSVForms tells when that ends).
	newline := `new_line = '\n',`
	if t.st.newline == "\r\n" {
		newline = ""
	}
	return fmt.Sprintf(`read_csv(%s, auto_detect = false, header = false, skip = %d, delim = %s,
        quote = '"', escape = '"', encoding = 'utf-8', %s strict_mode = true, null_padding = false,
        ignore_errors = false, max_line_size = %d, columns = {%s})`,
		literal(t.st.path), skip, literal(t.st.delimiter), newline, MaxRecordBytes, strings.Join(names, ", "))
}

// cells lists the trimmed source columns r<i>, and whether the row is a note.
func (t *typing) cells() string {
	var parts []string
	if t.st.isFile {
		parts = append(parts, "null::bigint as row_no", "null::varchar as sheet", "null::varchar as damage")
	} else {
		parts = append(parts, "row_no", "nullif(sheet, '') as sheet", "nullif(damage, '') as damage")
	}
	note := "false"
	var all []string
	for i, name := range t.sources {
		cell := "null::varchar"
		if at, found := t.field(i); found && t.st.trait(at).hasBlanks {
			cell = fmt.Sprintf("nullif(trim(f%d, %s), '')", at, blanks)
		} else if found {
			cell = fmt.Sprintf("f%d", at)
		}
		parts = append(parts, fmt.Sprintf("%s as r%d", cell, i))
		if name != sheetSource {
			all = append(all, fmt.Sprintf("r%d", i))
		}
		if t.d.Skip != nil && t.d.Skip.Column == name {
			note = fmt.Sprintf("regexp_full_match(coalesce(r%d, ''), %s)", i, literal(t.d.Skip.Matches))
		}
	}
	// A row without any text in the columns that are read is no row.
	note = fmt.Sprintf("%s or coalesce(%s) is null and damage is null", note, strings.Join(append(all, "null"), ", "))
	return strings.Join(append(parts, note+" as is_note"), ",\n        ")
}

// field is where the stage has a source column.
func (t *typing) field(source int) (at int, found bool) {
	if !t.st.isFile {
		return source, true
	}
	at, found = t.st.header.index[t.sources[source]]
	return at, found
}

// raw is the SQL of a column's text before it is typed.
func (t *typing) raw(c Column) string {
	expression := fmt.Sprintf("r%d", slices.Index(t.sources, first(c.From)))
	if c.And != "" {
		expression = fmt.Sprintf("%s || ' ' || r%d", expression, slices.Index(t.sources, c.And))
	}
	if c.Extract != "" {
		expression = fmt.Sprintf("nullif(regexp_extract(%s, %s, 1), '')", expression, literal(c.Extract))
	}
	if c.Default != "" {
		expression = fmt.Sprintf("coalesce(%s, %s)", expression, literal(c.Default))
	}
	return expression
}

// trait is what is known of a column's text before it is typed.
func (t *typing) trait(c Column) trait {
	at, found := t.field(slices.Index(t.sources, first(c.From)))
	if !found || c.And != "" || c.Extract != "" {
		return anything
	}
	known := t.st.trait(at)
	seeText(&known, []byte(c.Default))
	return known
}

// typedColumn returns the SQL of a target column and notes its faults.
func (t *typing) typedColumn(i int, c Column) string {
	raw := t.raw(c)
	kind := targets[t.d.Target][c.To]
	name := first(c.From)
	shown, isFree := "r"+fmt.Sprint(slices.Index(t.sources, name)), true
	if c.Mask == "hash" || c.Mask == "hash_in_grid" {
		shown, isFree = "'***'", false
	}
	if c.Required {
		t.faults = append(t.faults, fault{fmt.Sprintf("%s is null", raw), name, "missing_value", "null", false})
	}
	add := func(reason string) {
		t.faults = append(t.faults, fault{fmt.Sprintf("t_%s is null and %s is not null", c.To, raw), name, reason, shown, isFree})
	}
	var expression string
	switch {
	case len(c.Values) > 0:
		expression = t.valueCase(raw, c.Values)
		add("bad_value")
		if kind != text {
			expression = fmt.Sprintf("cast(%s as %s)", expression, kind)
		}
	case kind == moment, kind == day:
		expression = t.date(raw, c)
		t.bounds = append(t.bounds, boundDate("t_"+c.To, kind, raw, c.DayEnd))
		add("bad_date")
	case kind == boolean:
		// Few are written in other letters: the engine need not lower every cell.
		expression = fmt.Sprintf(`case %[1]s when '是' then true when '否' then false when '1' then true when '0' then false else
            case lower(%[1]s) when 'true' then true when 'y' then true when 'false' then false when 'n' then false end end`, raw)
		add("bad_value")
	case kind == integer || strings.HasPrefix(kind, "DECIMAL"):
		expression = numberSQL(raw, kind)
		if !t.trait(c).hasOther {
			expression = fmt.Sprintf("try_cast(%s as %s)", raw, kind)
		}
		add("bad_number")
	case c.Lookup == "lower" || c.Lookup == "indicator":
		expression = "lower(" + raw + ")"
	case c.Mask == "scan":
		expression = scanned(raw)
	case slices.Contains(t.d.Key, c.To) && t.trait(c).hasOther:
		// A long id that a spreadsheet took for a number has lost its last digits.
		t.faults = append(t.faults, fault{fmt.Sprintf("strpos(%[1]s, 'E+') > 0 and regexp_full_match(%[1]s, '[0-9]([.][0-9]+)?E[+][0-9]+')", raw), name, "bad_number", shown, isFree})
		expression = "translate(" + raw + ", " + digits + ")"
	default:
		expression = raw
	}
	t.agreed(c, raw, kind, fault{column: name, value: shown, isFree: isFree})
	return expression
}

func (t *typing) valueCase(raw string, values map[string]string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "case %s", raw)
	for _, value := range sortedKeys(values) {
		fmt.Fprintf(&text, " when %s then %s", literal(value), literal(values[value]))
	}
	return text.String() + " end"
}

// orderFaults adds moments in an impossible order and moments after the
// delivery; what is only planned may lie ahead.
func (t *typing) orderFaults() {
	for _, pair := range t.d.Order {
		t.faults = append(t.faults, fault{fmt.Sprintf("t_%s < t_%s", pair[1], pair[0]), t.sourceOf(pair[1]), "impossible_time",
			fmt.Sprintf("cast(t_%s as varchar) || ' < ' || cast(t_%s as varchar)", pair[1], pair[0]), false})
	}
	for _, c := range t.d.Columns {
		kind := targets[t.d.Target][c.To]
		if c.Capture != "" || kind != moment && (kind != day || c.To != factTime[t.d.Target]) || strings.Contains(c.To, "due") || c.To == "month" {
			continue
		}
		t.faults = append(t.faults, fault{fmt.Sprintf("t_%s > %s + interval 1 day", c.To, t.deliveredAt), first(c.From), "future_time",
			fmt.Sprintf("cast(t_%s as varchar)", c.To), false})
	}
}

func (t *typing) sourceOf(target string) string {
	for _, c := range t.d.Columns {
		if c.To == target {
			return first(c.From)
		}
	}
	return target
}

func (t *typing) faultCases() string {
	cases := []string{"when damage is not null then -1"}
	for i, f := range t.faults {
		cases = append(cases, fmt.Sprintf("when %s then %d", f.condition, i+1))
	}
	return strings.Join(cases, "\n        ")
}

// shown picks the value of a faulty row that is to be shown.
func (t *typing) shown() string {
	cases := []string{"case fault when 0 then null when -1 then damage"}
	for i, f := range t.faults {
		cases = append(cases, fmt.Sprintf("when %d then %s", i+1, f.value))
	}
	return strings.Join(cases, "\n        ") + " end"
}

// faultValue masks it. It is a step of its own, so that the forms of personal
// data are planned once and not for each column. The engine would make a join
// of "fault in (...)", and a join loses the order of the file.
func (t *typing) faultValue() string {
	var free strings.Builder
	for i, f := range t.faults {
		if f.isFree {
			fmt.Fprintf(&free, " when %d then true", i+1)
		}
	}
	if free.Len() == 0 {
		return "shown"
	}
	return fmt.Sprintf("case when case fault%s end then %s else shown end", free.String(), scanned("shown"))
}

// literal writes a text as an SQL literal.
func literal(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }
