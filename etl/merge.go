package etl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tongbao"
	"tongbao/warehouse"
)

// version is what tells the versions of a row apart, the latest greatest: by
// the source's own moment of change, else by delivery. It does not depend on
// the order in which deliveries are taken in; so the load comes last, for two
// files of one name and day, as archives have them.
const version = "coalesce(%[1]s.updated_at, %[2]s), %[2]s, %[3]s, coalesce(%[1]s.sheet, ''), %[1]s.row_no, %[4]s"

// heldVersion is that of a row of core, newVersion that of a row of incoming,
// which keeps no column that is the same in all of its rows.
var heldVersion = fmt.Sprintf(version, "core", "core.delivered_at", "core.file", "core.load_id")

func (l *loader) newVersion() string {
	return fmt.Sprintf(version, "incoming", momentLiteral(l.item.DeliveredAt), literal(l.load.File), literal(l.load.ID))
}

// merge brings the good rows into core.<target>. What decides which of them
// stay is few columns, so the rows themselves are shaped and written once.
func (l *loader) merge(ctx context.Context, tx *warehouse.Tx) error {
	isKnown, err := l.listIncoming(ctx, tx)
	if err != nil {
		return err
	}
	target := fmt.Sprintf("core.%q", l.d.Target)
	changes := mergeChanges{}
	if isKnown {
		if changes, err = l.compare(ctx, tx, target); err != nil {
			return err
		}
	}
	if changes.earlier > 0 {
		if _, err := tx.Exec(ctx, fmt.Sprintf("update %s as core set first_delivered_at = held.first_delivered_at from held where core.rowid = held.held_place and not held.is_newer and core.first_delivered_at > held.first_delivered_at", target)); err != nil {
			return err
		}
	}
	if l.incoming > changes.older {
		if err := l.insert(ctx, tx, target, changes); err != nil {
			return err
		}
	}
	if err := l.countMerge(ctx, tx, target, changes); err != nil {
		return err
	}
	// Last, because the rows of an older set are picked by what core holds.
	if changes.replaced > 0 {
		if err := touch(ctx, tx, changes.replaced, fmt.Sprintf("delete from %s where rowid in (select held_place from held where is_newer)", target)); err != nil {
			return err
		}
	}
	warehouse.Failpoint("etl.merged")
	return nil
}

// listIncoming makes the table incoming of the good rows, of a repeated key the
// latest, and says whether core may hold any of them.
func (l *loader) listIncoming(ctx context.Context, tx *warehouse.Tx) (isKnown bool, err error) {
	_, err = tx.Exec(ctx, "create or replace temp table incoming as select place, source_key, updated_at, sheet, row_no, "+
		l.timeColumn("placed")+" as touched_at from (\n"+l.goodRows(l.keyColumns())+"\n) as placed")
	if err != nil {
		return false, err
	}
	var good, distinct int64
	// Texts of one hash are mostly one: to count hashes is cheaper, and where as
	// many as rows are found no text is there twice.
	err = tx.QueryRow(ctx, fmt.Sprintf("select exists (select 1 from core.%q where source = ?), count(*), count(distinct hash(source_key)) from incoming", l.d.Target),
		l.load.Source).Scan(&isKnown, &good, &distinct)
	if want := l.load.In - l.load.Quarantined; err == nil && (good > want || good < want && !l.isOlder) {
		err = fmt.Errorf("%d good rows where %d were counted; this is a defect of the program", good, want)
	}
	if l.incoming = good; err != nil || good == distinct {
		return isKnown, err
	}
	repeated, err := tx.Exec(ctx, `delete from incoming where place in (select place from incoming
qualify row_number() over (partition by source_key order by (`+l.newVersion()+`) desc) > 1)`)
	if err != nil {
		return isKnown, err
	}
	gone, err := repeated.RowsAffected()
	l.incoming -= gone
	return isKnown, err
}

// mergeChanges counts the rows whose keys core holds: those that the delivery
// replaces, those that core has in a later version, and those of them that it
// has by a later delivery.
type mergeChanges struct{ replaced, older, earlier int64 }

// compare makes the table held of the incoming rows whose keys core holds.
// is_newer: the incoming version stays; touched_at: the moment that core has.
func (l *loader) compare(ctx context.Context, tx *warehouse.Tx, target string) (changes mergeChanges, err error) {
	_, err = tx.Exec(ctx, fmt.Sprintf(`create or replace temp table held as
select incoming.place, incoming.source_key, core.rowid as held_place, core.content_hash, (%[1]s) > (%[2]s) as is_newer,
    least(%[3]s, core.first_delivered_at) as first_delivered_at, %[3]s < core.first_delivered_at as is_earlier, %[4]s as touched_at
from %[5]s as core inner join incoming on core.source_key = incoming.source_key
where core.source = %[6]s`, l.newVersion(), heldVersion, momentLiteral(l.item.DeliveredAt), l.timeColumn("core"), target, literal(l.load.Source)))
	if err != nil {
		return changes, err
	}
	err = tx.QueryRow(ctx, `select count(*) filter (is_newer), count(*) filter (not is_newer), count(*) filter (not is_newer and is_earlier) from held`).
		Scan(&changes.replaced, &changes.older, &changes.earlier)
	return changes, err
}

// countMerge notes what the load does, and the earliest month that it touches.
// Core holds both versions of what is replaced: only there is it seen which of
// them say the same.
func (l *loader) countMerge(ctx context.Context, tx *warehouse.Tx, target string, changes mergeChanges) error {
	var same int64
	if changes.replaced > 0 {
		err := tx.QueryRow(ctx, fmt.Sprintf(`select count(*) from %s as core inner join held on core.source_key = held.source_key
where core.load_id = ? and core.source = ? and held.is_newer and core.content_hash is not distinct from held.content_hash`, target), l.load.ID, l.load.Source).Scan(&same)
		if err != nil {
			return err
		}
	}
	l.load.Loaded = l.incoming - same - changes.older
	l.load.Duplicate = l.load.In - l.load.Quarantined - l.load.Loaded
	// A row that says the same in a later delivery touches its month too: the
	// month's records name the file that they were read from. What is replaced
	// touches the month that it was counted in until now; so does what stays but
	// was delivered earlier than core knew: whether it came late may change.
	touched := "select touched_at from incoming"
	if changes.older > 0 {
		touched += "\nanti join (select place from held where not is_newer) as held using (place)"
	}
	if changes.replaced+changes.earlier > 0 {
		touched += "\nunion all\nselect touched_at from held where is_newer or is_earlier"
	}
	var month string
	if err := tx.QueryRow(ctx, "select coalesce(strftime(min(touched_at), '%Y-%m'), '') from (\n"+touched+"\n)").Scan(&month); err != nil {
		return err
	}
	return l.noteEarliest(month)
}

// insert shapes the rows that stay by core's query, which reads the view
// landing in place of landed.<target>.
func (l *loader) insert(ctx context.Context, tx *warehouse.Tx, target string, changes mergeChanges) error {
	without, firstDelivered, held := "", "fact.delivered_at", ""
	if l.load.In != l.load.Quarantined+l.incoming {
		without += "\nsemi join incoming using (place)"
	}
	if changes.older > 0 {
		without += "\nanti join (select place from held where not is_newer) as held using (place)"
	}
	if changes.replaced > 0 {
		firstDelivered, held = "coalesce(held.first_delivered_at, fact.delivered_at)", "\nleft join held on fact.source_key = held.source_key"
	}
	if _, err := tx.Exec(ctx, "create or replace temp view landing as select placed.* exclude (place) from placed"+without); err != nil {
		return err
	}
	shaped := strings.NewReplacer("landed."+l.d.Target, "landing", `landed."`+l.d.Target+`"`, "landing").Replace(l.coreSQL)
	err := touch(ctx, tx, l.incoming-changes.older, fmt.Sprintf("insert into %s by name\nselect fact.*, %s as first_delivered_at, hash(%s) as content_hash from (\n%s\n) as fact%s",
		target, firstDelivered, strings.Join(factColumns(l.d.Target), ", "), shaped, held))
	if errors.Is(err, errMistouched) {
		err = fmt.Errorf("%w: queries/core/%s.sql must give each row once; correct it, or the seeds that it joins", err, l.d.Target)
	}
	return err
}

// errMistouched says that core did not take the rows that the load counts.
var errMistouched = errors.New("rows were written or deleted that were not counted")

// touch runs a statement that must change so many rows. The counts of a load
// are found on the few columns that decide them; here they are held to be true
// of the rows themselves.
func touch(ctx context.Context, tx *warehouse.Tx, rows int64, statement string) error {
	result, err := tx.Exec(ctx, statement)
	if err != nil {
		return err
	}
	touched, err := result.RowsAffected()
	if err == nil && touched != rows {
		err = fmt.Errorf("%w (%d, not %d)", errMistouched, touched, rows)
	}
	return err
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
