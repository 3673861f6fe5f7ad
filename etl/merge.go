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
	facts, err := l.factColumns(ctx, tx)
	if err != nil {
		return err
	}
	shaped := strings.NewReplacer("landed."+l.d.Target, "landing", `landed."`+l.d.Target+`"`, "landing").Replace(l.coreSQL)
	incoming := fmt.Sprintf("select fact.*, fact.delivered_at as first_delivered_at, hash(%s) as content_hash from (\n%s\n) as fact",
		strings.Join(facts, ", "), shaped)

	var known bool
	if err := tx.QueryRow(ctx, "select count(*) > 0 from (select 1 from "+target+" where source = ? limit 1)", l.load.Source).Scan(&known); err != nil {
		return err
	}
	var repeated bool
	if err := tx.QueryRow(ctx, "select count(*) <> count(distinct source_key) from landing").Scan(&repeated); err != nil {
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
    least(incoming.first_delivered_at, coalesce(held.first_delivered_at, incoming.first_delivered_at)) as first_delivered_at
from incoming left join held using (source_key)`, versionTuple("incoming"), versionTuple("held")),
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := l.countMerge(ctx, tx); err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("update %s as core set first_delivered_at = verdict.first_delivered_at from verdict where core.rowid = verdict.place and not verdict.is_newer and core.first_delivered_at > verdict.first_delivered_at", target),
		fmt.Sprintf("delete from %s where rowid in (select place from verdict where is_newer and place is not null)", target),
		fmt.Sprintf("insert into %s by name select incoming.* exclude (first_delivered_at), verdict.first_delivered_at from incoming inner join verdict on incoming.rowid = verdict.incoming_place where verdict.is_newer", target),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
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
	warehouse.Failpoint("etl.merged")
	if l.load.Loaded == 0 {
		return nil
	}
	return l.noteEarliest(ctx, tx, fmt.Sprintf("select min(%s) from %s where load_id = %s", l.timeColumn(), target, literal(l.load.ID)))
}

func (l *loader) countMerge(ctx context.Context, tx *warehouse.Tx) error {
	err := tx.QueryRow(ctx, "select count(*) filter (where is_newer and is_changed) from verdict").Scan(&l.load.Loaded)
	if err != nil {
		return err
	}
	l.load.Duplicate = l.load.In - l.load.Quarantined - l.load.Loaded
	// A row that only moves the first delivery touches its month too: whether
	// it came late may change.
	return l.noteEarliest(ctx, tx, fmt.Sprintf(`select min(%s) from incoming inner join verdict on incoming.rowid = verdict.incoming_place
where verdict.is_newer and verdict.is_changed`, l.timeColumn()))
}

// timeColumn is what tells which months a row touches.
func (l *loader) timeColumn() string {
	if name := factTime[l.d.Target]; name != "" {
		return name
	}
	return "null::date"
}

// noteEarliest keeps the earliest month that the changed rows touch; the month
// that the file itself names counts too.
func (l *loader) noteEarliest(ctx context.Context, tx *warehouse.Tx, query string) error {
	var month string
	if err := tx.QueryRow(ctx, "select coalesce(strftime(("+query+"), '%Y-%m'), '')").Scan(&month); err != nil {
		return err
	}
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

// factColumns lists what a row says, without where it came from.
func (l *loader) factColumns(ctx context.Context, tx *warehouse.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `select column_name from information_schema.columns
		where table_schema = 'landed' and table_name = ? and column_name not in
			('source', 'source_key', 'load_id', 'file', 'sheet', 'row_no', 'delivered_at', 'updated_at')
		order by ordinal_position`, l.d.Target)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, "fact."+name)
	}
	return names, rows.Err()
}

// versionTuple is latestFirst as one comparable value.
func versionTuple(table string) string {
	return "coalesce(" + table + ".updated_at, " + table + ".delivered_at), " + prefixed(table, "delivered_at, file") +
		", coalesce(" + table + ".sheet, ''), " + table + ".row_no"
}

func prefixed(table, columns string) string {
	return table + "." + strings.ReplaceAll(columns, ", ", ", "+table+".")
}
