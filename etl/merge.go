package etl

import (
	"context"
	"fmt"
	"strings"

	"tongbao"
	"tongbao/warehouse"
)

// Of several versions of a row the first in this order stays: the latest by the
// source's own moment of change, else by delivery. It does not depend on the
// order in which deliveries are taken in. versionTuple says the same.
const latestFirst = "coalesce(updated_at, delivered_at) desc, delivered_at desc, file desc, coalesce(sheet, '') desc, row_no desc"

// merge brings the rows of landing into core.<target>.
func (l *loader) merge(ctx context.Context, tx *warehouse.Tx) error {
	target := `core."` + l.d.Target + `"`
	shaped := strings.NewReplacer("landed."+l.d.Target, "landing", `landed."`+l.d.Target+`"`, "landing").Replace(l.coreSQL)
	incoming := fmt.Sprintf("select fact.*, fact.delivered_at as first_delivered_at, hash(%s) as content_hash from (\n%s\n) as fact",
		strings.Join(factColumns(l.d.Target), ", "), shaped)

	var known, repeated bool
	err := tx.QueryRow(ctx, "select exists (select 1 from "+target+" where source = ?), count(*) <> count(distinct source_key) from landing",
		l.load.Source).Scan(&known, &repeated)
	if err != nil {
		return err
	}
	if !known && !repeated {
		return l.insertAll(ctx, tx, target, incoming)
	}
	if repeated {
		incoming += " qualify row_number() over (partition by source_key order by " + latestFirst + ") = 1"
	}
	statements := []string{
		"create or replace temp table incoming as\n" + incoming,
		// What core holds of these keys.
		fmt.Sprintf(`create or replace temp table held as
select core.rowid as place, core.source_key, core.content_hash, core.first_delivered_at, %s
from %s as core semi join incoming on core.source_key = incoming.source_key
where core.source = %s`, prefixed("core", "updated_at, delivered_at, file, sheet, row_no"), target, literal(l.load.Source)),
		// is_newer: the incoming version stays; is_changed: it says something else.
		fmt.Sprintf(`create or replace temp table verdict as
select incoming.rowid as incoming_place, held.place,
    held.place is null or (%s) > (%s) as is_newer,
    incoming.content_hash is distinct from held.content_hash as is_changed,
    least(incoming.first_delivered_at, coalesce(held.first_delivered_at, incoming.first_delivered_at)) as first_delivered_at,
    incoming.first_delivered_at < held.first_delivered_at as is_earlier
from incoming left join held using (source_key)`, versionTuple("incoming"), versionTuple("held")),
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	changes, err := l.countMerge(ctx, tx)
	if err != nil {
		return err
	}
	for _, change := range []struct {
		rows      int64
		statement string
	}{
		{changes.earlier, fmt.Sprintf("update %s as core set first_delivered_at = verdict.first_delivered_at from verdict where core.rowid = verdict.place and not verdict.is_newer and core.first_delivered_at > verdict.first_delivered_at", target)},
		{changes.replaced, fmt.Sprintf("delete from %s where rowid in (select place from verdict where is_newer and place is not null)", target)},
		{changes.newer, fmt.Sprintf("insert into %s by name select incoming.* exclude (first_delivered_at), verdict.first_delivered_at from incoming inner join verdict on incoming.rowid = verdict.incoming_place where verdict.is_newer", target)},
	} {
		// Planning a statement that moves nothing is most of a small load's time.
		if change.rows == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, change.statement); err != nil {
			return err
		}
	}
	warehouse.Failpoint("etl.merged")
	return nil
}

// insertAll is the way of a first delivery without repeated keys: its rows go
// straight into core.
func (l *loader) insertAll(ctx context.Context, tx *warehouse.Tx, target, incoming string) error {
	result, err := tx.Exec(ctx, "insert into "+target+" by name\n"+incoming)
	if err != nil {
		return err
	}
	if l.load.Loaded, err = result.RowsAffected(); err != nil {
		return err
	}
	l.load.Duplicate = l.load.In - l.load.Quarantined - l.load.Loaded
	warehouse.Failpoint("etl.merged")
	if l.load.Loaded == 0 {
		return nil
	}
	return l.noteEarliestOf(ctx, tx, target+" as fact where load_id = "+literal(l.load.ID))
}

// mergeChanges counts the rows of the verdict that each statement of a merge
// is about.
type mergeChanges struct{ newer, replaced, earlier int64 }

func (l *loader) countMerge(ctx context.Context, tx *warehouse.Tx) (changes mergeChanges, err error) {
	// A row that only moves the first delivery touches its month too: whether it
	// came late may change.
	var month string
	err = tx.QueryRow(ctx, fmt.Sprintf(`select count(*) filter (is_newer and is_changed), count(*) filter (is_newer),
    count(*) filter (is_newer and place is not null), count(*) filter (not is_newer and is_earlier),
    coalesce(strftime(min(%s) filter (is_newer and is_changed or is_earlier), '%%Y-%%m'), '')
from verdict inner join incoming on incoming.rowid = verdict.incoming_place`, l.timeColumn("incoming"))).
		Scan(&l.load.Loaded, &changes.newer, &changes.replaced, &changes.earlier, &month)
	if err != nil {
		return changes, err
	}
	l.load.Duplicate = l.load.In - l.load.Quarantined - l.load.Loaded
	return changes, l.noteEarliest(month)
}

// timeColumn is what tells which months a row of the named step touches. An
// exclusion touches the month of its ticket: it may be decided much later.
func (l *loader) timeColumn(step string) string {
	if l.d.Target == "exclusion" {
		return fmt.Sprintf("(select min(ticket.reported_at) from core.ticket as ticket where ticket.source = %[1]s.ticket_source and ticket.ticket_id = %[1]s.ticket_id)", step)
	}
	if name := factTime[l.d.Target]; name != "" {
		return step + "." + name
	}
	return "null::date"
}

// noteEarliest keeps the earliest month that the changed rows touch; the month
// that the file itself names counts too.
func (l *loader) noteEarliest(month string) error {
	earliest := l.load.Month
	if month != "" {
		found, err := tongbao.ParseMonth(month)
		if err != nil {
			return err
		}
		if earliest == 0 || found < earliest {
			earliest = found
		}
	}
	l.load.Earliest = earliest
	return nil
}

// noteEarliestOf notes the earliest month of rows of core, named fact.
func (l *loader) noteEarliestOf(ctx context.Context, tx *warehouse.Tx, rows string) error {
	var month string
	err := tx.QueryRow(ctx, fmt.Sprintf("select coalesce(strftime(min(%s), '%%Y-%%m'), '') from %s", l.timeColumn("fact"), rows)).Scan(&month)
	if err != nil {
		return err
	}
	return l.noteEarliest(month)
}

// factColumns lists what a row says, without where it came from.
func factColumns(target string) []string {
	var names []string
	for _, name := range sortedKeys(targets[target]) {
		if name != "updated_at" {
			names = append(names, "fact."+name)
		}
	}
	return names
}

// versionTuple is latestFirst as one comparable value.
func versionTuple(table string) string {
	return "coalesce(" + table + ".updated_at, " + table + ".delivered_at), " + prefixed(table, "delivered_at, file") +
		", coalesce(" + table + ".sheet, ''), " + table + ".row_no"
}

func prefixed(table, columns string) string {
	return table + "." + strings.ReplaceAll(columns, ", ", ", "+table+".")
}
