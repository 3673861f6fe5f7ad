package etl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tongbao/warehouse"
)

// rowNumber is the record of the file that a row of typed came from.
func (l *loader) rowNumber() string {
	if l.st.isFile {
		return fmt.Sprintf("typed.rowid - %d + %d", l.firstRow, l.st.header.record+1)
	}
	return "typed.row_no"
}

func (l *loader) column(target string) (Column, bool) {
	for _, c := range l.d.Columns {
		if c.To == target {
			return c, true
		}
	}
	return Column{}, false
}

// value is the SQL of a target column on typed and the joins of resolved, as
// the target's own type; null where the definition has no such column.
func (l *loader) value(target, kind string) string {
	c, found := l.column(target)
	switch {
	case target == "grid_id" && l.hasGrid():
		return "spelling.grid_id"
	case target == "grid_name" && l.hasGrid():
		return "typed.t_grid"
	case !found:
		return "cast(null as " + kind + ")"
	case c.Capture != "":
		return l.captured(c, kind)
	case c.Lookup == "category":
		return "category.category"
	case c.Lookup == "severity":
		return "coalesce(severity.part, '')"
	case c.Mask == "hash":
		return fmt.Sprintf("left(sha256(%s || typed.t_%s), 16)", literal(l.salt), target)
	case c.Mask == "hash_in_grid":
		return fmt.Sprintf("left(sha256(%s || spelling.grid_id || '|' || typed.t_%s), 16)", literal(l.salt), target)
	}
	return "typed.t_" + target
}

func (l *loader) captured(c Column, kind string) string {
	value := l.item.Captures[c.Capture]
	if mapped, found := c.Values[value]; found {
		value = mapped
	}
	if kind == day && len(value) == len("2026-10") {
		value += "-01"
	}
	return fmt.Sprintf("cast(%s as %s)", literal(value), kind)
}

func (l *loader) hasGrid() bool {
	_, found := l.column(gridColumn)
	return found
}

// lookup is what a name stands for. Spellings, categories and severities are
// unique for their key (LoadSeeds sees to it), so no row is doubled.
type lookup struct{ alias, join string }

func (l *loader) lookups() []lookup {
	var all []lookup
	if l.hasGrid() {
		on := momentLiteral(l.item.DeliveredAt) + "::date"
		if l.d.GridDate != "" {
			on = fmt.Sprintf("coalesce(%s::date, %s)", l.value(l.d.GridDate, day), on)
		}
		all = append(all, lookup{"spelling", fmt.Sprintf(`
left join seed.grid_alias as spelling
    on typed.t_grid = spelling.alias
    and %[1]s >= spelling.valid_from
    and %[1]s <= coalesce(spelling.valid_to, date '9999-12-31')`, on)})
	}
	for _, c := range l.d.Columns {
		switch c.Lookup {
		case "category":
			all = append(all, lookup{"category", fmt.Sprintf("\nleft join seed.category as category\n    on typed.t_%s = category.name", c.To)})
		case "severity":
			all = append(all, lookup{"severity", fmt.Sprintf("\nleft join seed.severity as severity\n    on typed.t_%s = severity.word and typed.t_indicator = severity.indicator", c.To)})
		case "indicator":
			all = append(all, lookup{"rubric", fmt.Sprintf(`
left join (select distinct indicator from seed.rubric where fact = %s) as rubric
    on typed.t_%s = rubric.indicator`, literal(l.d.Target), c.To)})
		}
	}
	return all
}

// joinsFor brings in what an expression looks up, and nothing else: the engine
// would join what nobody reads.
func (l *loader) joinsFor(expression string) string {
	var text strings.Builder
	for _, one := range l.lookups() {
		if strings.Contains(expression, one.alias+".") {
			text.WriteString(one.join)
		}
	}
	return text.String()
}

// joins brings in everything.
func (l *loader) joins() string {
	var text strings.Builder
	for _, one := range l.lookups() {
		text.WriteString(one.join)
	}
	return text.String()
}

// unresolved are the faults that only the joins show: kind, condition, source
// column, value.
func (l *loader) unresolved() [][]string {
	var faults [][]string
	for _, c := range l.d.Columns {
		name := first(c.From)
		switch {
		case c.To == gridColumn:
			faults = append(faults, []string{"unknown_grid", "typed.t_grid is not null and spelling.grid_id is null", name, scanned("typed.t_grid")})
		case c.Lookup == "category":
			faults = append(faults, []string{"bad_value", "typed.t_" + c.To + " is not null and category.category is null", name, scanned("typed.t_" + c.To)})
		case c.Lookup == "severity":
			faults = append(faults, []string{"bad_value", "typed.t_" + c.To + " is not null and severity.part is null", name, scanned("typed.t_" + c.To)})
		case c.Lookup == "indicator":
			faults = append(faults, []string{"bad_value", "typed.t_" + c.To + " is not null and rubric.indicator is null", name, scanned("typed.t_" + c.To)})
		}
		if c.Unique {
			faults = append(faults, l.notUnique(c)...)
		}
	}
	return faults
}

// judge puts every faulty row into quarantine, and makes the view placed of the
// good ones.
func (l *loader) judge(ctx context.Context, tx *warehouse.Tx) error {
	typed := l.typing
	reasons, columns := []string{"when -1 then split_part(typed.damage, '|', 1)"}, []string{"when -1 then split_part(typed.damage, '|', 2)"}
	for i, f := range typed.faults {
		reasons = append(reasons, fmt.Sprintf("when %d then %s", i+1, literal(f.reason)))
		columns = append(columns, fmt.Sprintf("when %d then %s", i+1, literal(f.column)))
	}
	// A name that stands for nothing is a fault only of an otherwise good row.
	number, unresolved := len(typed.faults), "0"
	values := []string{"when -1 then " + scanned("array_to_string(string_split(typed.damage, '|')[3:], '|')")}
	if faults := l.unresolved(); len(faults) > 0 {
		var cases []string
		for _, f := range faults {
			number++
			cases = append(cases, fmt.Sprintf("when %s then %d", f[1], number))
			reasons = append(reasons, fmt.Sprintf("when %d then %s", number, literal(f[0])))
			columns = append(columns, fmt.Sprintf("when %d then %s", number, literal(f[2])))
			values = append(values, fmt.Sprintf("when %d then %s", number, f[3]))
		}
		unresolved = "case " + strings.Join(cases, " ") + " else 0 end"
	}
	taken, err := l.findTaken(ctx, tx)
	if err != nil {
		return err
	}
	// The faults are found once, on the few columns that decide them.
	statement := fmt.Sprintf(`create or replace temp table faulty as
select typed.rowid as place, case when typed.fault <> 0 then typed.fault else %s end as fault
from typed%s
where not typed.is_note and (typed.fault <> 0 or %s <> 0)`, unresolved, l.joinsFor(unresolved+taken)+taken, unresolved)
	if _, err := tx.Exec(ctx, statement); err != nil {
		return err
	}
	// The list of rows stays out of the way when it is empty, as it mostly is.
	var count int64
	if err := tx.QueryRow(ctx, "select count(*) from faulty").Scan(&count); err != nil {
		return err
	}
	l.load.Quarantined = count
	if err := l.forgetReplayed(ctx, tx, count); err != nil {
		return err
	}
	if count > 0 {
		pick := func(cases []string) string {
			return "case faulty.fault " + strings.Join(cases, " ")
		}
		statement = fmt.Sprintf(`insert into core.quarantine (load_id, source, file, sheet, row_no, column_name, value, reason, detail)
select %s, %s, %s, %s, %s, nullif(%s end, ''), %s else typed.fault_value end, %s end, null
from typed inner join faulty on typed.rowid = faulty.place%s`,
			literal(l.owner()), literal(l.load.Source), literal(l.load.File), "typed.sheet", l.rowNumber(),
			pick(columns), pick(values), pick(reasons), l.joins())
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
		if err := errors.Join(l.suggestGrids(ctx, tx), l.noteTaken(ctx, tx)); err != nil {
			return err
		}
		if err := l.checkBad(ctx, tx); err != nil {
			return err
		}
	}
	if err := l.hold(ctx, tx); err != nil {
		return err
	}
	l.hasFaults = count > 0 || len(l.held) > 0
	return l.makePlaced(ctx, tx)
}

// suggestGrids names the nearest known spellings beside an unknown one; a
// person accepts one, nothing is guessed.
func (l *loader) suggestGrids(ctx context.Context, tx *warehouse.Tx) error {
	_, err := tx.Exec(ctx, `update core.quarantine as quarantine
set detail = nearest.names
from (
    select unknown.value, string_agg(unknown.alias, '、' order by unknown.likeness desc, unknown.alias) as names
    from (
        select missing.value, known.alias,
            jaro_winkler_similarity(missing.value, known.alias) as likeness
        from (select distinct value from core.quarantine where load_id = ? and reason = 'unknown_grid') as missing
        cross join (select distinct alias from seed.grid_alias where not regexp_full_match(alias, '[0-9]+')) as known
        qualify row_number() over (partition by missing.value order by likeness desc, known.alias) <= 3
    ) as unknown
    where unknown.likeness >= 0.7
    group by unknown.value
) as nearest
where quarantine.load_id = ? and quarantine.reason = 'unknown_grid' and quarantine.value = nearest.value`, l.owner(), l.owner())
	return err
}

// sourceKey is the SQL of the source's own id of a row.
func (l *loader) sourceKey() string {
	var keys []string
	for _, name := range l.d.Key {
		keys = append(keys, fmt.Sprintf("coalesce(cast(%s as varchar), '')", l.value(name, targets[l.d.Target][name])))
	}
	return strings.Join(keys, " || '|' || ")
}

// makePlaced makes the view placed of good rows: the columns of landed.<target>
// and where in typed a row is.
func (l *loader) makePlaced(ctx context.Context, tx *warehouse.Tx) error {
	if err := l.findOlder(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "create or replace temp view placed as\n"+l.goodRows(l.placedColumns()))
	return err
}

// placedColumns: updated_at is of the common columns, the others of the fact.
func (l *loader) placedColumns() []string {
	columns := []string{
		"typed.rowid as place", literal(l.load.Source) + " as source", l.sourceKey() + " as source_key",
		literal(l.load.ID) + " as load_id", literal(l.load.File) + " as file", "typed.sheet as sheet",
		"cast(" + l.rowNumber() + " as bigint) as row_no", momentLiteral(l.item.DeliveredAt) + " as delivered_at",
		l.updatedAt() + " as updated_at",
	}
	for _, name := range sortedKeys(targets[l.d.Target]) {
		if name != "updated_at" {
			columns = append(columns, fmt.Sprintf("%s as %s", l.value(name, targets[l.d.Target][name]), name))
		}
	}
	return columns
}

// keyColumns are those of placed that look nothing up, and the key.
func (l *loader) keyColumns() []string {
	return slices.DeleteFunc(l.placedColumns(), func(column string) bool {
		return l.joinsFor(column) != "" && !strings.HasSuffix(column, " as source_key")
	})
}

// goodRows is the query of such columns of the rows that are to be merged.
func (l *loader) goodRows(columns []string) string {
	without, held := "", ""
	if l.hasFaults {
		without = "\nanti join faulty on typed.rowid = faulty.place"
	}
	if l.isOlder {
		held = l.heldOnly()
	}
	selected := strings.Join(columns, ",\n    ")
	return fmt.Sprintf("select\n    %s\nfrom typed%s%s\nwhere not typed.is_note%s", selected, l.joinsFor(selected), without, held)
}
