package etl

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tongbao/warehouse"
)

// A value that must be unique is one row's only. Rows of a delivery that share
// it wait, all of them: nobody knows which is right. A row that has the value
// of another row in core waits too, "taken": what is there may be published.
// Two rows of one key are versions of one row, not two rows; so a column of the
// key itself can only be shared within a delivery.
//
// Which row took a value first depends on when deliveries came, and a rebuild
// takes them in another order. So rows that waited for it are written down
// beside the delivery, and wait again.

// takenReason is the reason of a row whose value another row of core has.
const takenReason = "taken_value"

func (d *Definition) hasUnique() bool {
	return slices.ContainsFunc(d.Columns, func(c Column) bool { return c.Unique })
}

// uniqueColumn is what a unique column is called in core, and whether it is a
// part of the key.
func (d *Definition) uniqueColumn(c Column) (name string, isKey bool) {
	name = c.To
	if name == gridColumn {
		name = "grid_id"
	}
	return name, slices.Contains(d.Key, name)
}

// notUnique are the faults of a unique column, as unresolved lists them. They
// are found beside the joins, because a window in the typing step would lose
// the order of the rows, which numbers them.
func (l *loader) notUnique(c Column) [][]string {
	shown := scanned("cast(typed.t_" + c.To + " as varchar)")
	if c.Mask == "hash" || c.Mask == "hash_in_grid" {
		shown = "'***'"
	}
	name, isKey := l.d.uniqueColumn(c)
	if isKey {
		return [][]string{{"shared_value", fmt.Sprintf(
			"typed.t_%[1]s in (select t_%[1]s from typed where not is_note and t_%[1]s is not null group by all having count(*) > 1)", c.To),
			first(c.From), shown}}
	}
	value := l.value(name, targets[l.d.Target][name])
	return [][]string{
		{"shared_value", fmt.Sprintf("%[1]s in (select %[1]s from typed%[2]s where not is_note and %[1]s is not null group by %[1]s having count(distinct %[3]s) > 1)",
			value, l.joins(), l.sourceKey()), first(c.From), shown},
		{takenReason, fmt.Sprintf("taken_%[1]s.value is not null and (taken_%[1]s.least <> %[2]s or taken_%[1]s.most <> %[2]s)", name, l.sourceKey()), first(c.From), shown},
	}
}

// findTaken makes a table of the delivery's values that rows of core have, for
// each unique column, and returns the joins that bring them in. A row of core
// that the delivery says anew does not count: it may give its value up. One
// whose new version waits keeps it.
func (l *loader) findTaken(ctx context.Context, tx *warehouse.Tx) (string, error) {
	waits := []string{"typed.fault <> 0"}
	for _, f := range l.unresolved() {
		if f[0] != takenReason {
			waits = append(waits, f[1])
		}
	}
	var joins strings.Builder
	for _, c := range l.d.Columns {
		name, isKey := l.d.uniqueColumn(c)
		if !c.Unique || isKey {
			continue
		}
		value := l.value(name, targets[l.d.Target][name])
		_, err := tx.Exec(ctx, fmt.Sprintf(`create or replace temp table taken_%[1]s as
select core.%[1]s as value, min(core.source_key) as least, max(core.source_key) as most
from core.%[2]q as core
where core.source = %[3]s
    and core.%[1]s in (select %[4]s from typed%[5]s where not typed.is_note)
    and core.source_key not in (select %[6]s from typed%[5]s where not typed.is_note and not coalesce(%[7]s, false))
group by core.%[1]s`, name, l.d.Target, literal(l.load.Source), value, l.joins(), l.sourceKey(), strings.Join(waits, " or ")))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&joins, "\nleft join taken_%[1]s on taken_%[1]s.value = %[2]s", name, value)
	}
	return joins.String(), nil
}

// noteTaken says beside each row whose value is taken which row has it.
func (l *loader) noteTaken(ctx context.Context, tx *warehouse.Tx) error {
	for _, c := range l.d.Columns {
		name, isKey := l.d.uniqueColumn(c)
		if !c.Unique || isKey {
			continue
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(`update core.quarantine as quarantine set detail = taken.least
from (
    select %s as place, taken_%[2]s.least
    from typed%[3]s inner join taken_%[2]s on taken_%[2]s.value = %[4]s
) as taken
where quarantine.load_id = ? and quarantine.reason = ? and quarantine.column_name = ?
    and (coalesce(quarantine.sheet, ''), quarantine.row_no) = taken.place`,
			l.place(), name, l.joins(), l.value(name, targets[l.d.Target][name])), l.owner(), takenReason, first(c.From))
		if err != nil {
			return err
		}
	}
	return nil
}

// keepTaken writes down which rows wait because their value was taken.
func (l *loader) keepTaken(ctx context.Context, tx *warehouse.Tx) error {
	if l.replay != nil || !l.d.hasUnique() {
		return nil
	}
	rows, err := tx.Query(ctx, "select "+heldColumns+" from core.quarantine where load_id = ? and reason = ? order by all", l.load.ID, takenReason)
	if err != nil {
		return err
	}
	held, err := scanHeld(rows)
	if err != nil || len(held) == 0 {
		return err
	}
	return addClosing(l.raw, l.load.Source, closing{State: stateOpen, Load: l.load.ID, At: l.item.DeliveredAt, Rows: held, owner: l.load.ID})
}
