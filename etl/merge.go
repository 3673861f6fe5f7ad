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
// the order in which deliveries are taken in.
func version(of string) []string {
	var terms []string
	for _, term := range []string{"coalesce(%[1]s.updated_at, %[1]s.delivered_at)", "%[1]s.delivered_at", "%[1]s.file", "coalesce(%[1]s.sheet, '')", "%[1]s.row_no"} {
		terms = append(terms, fmt.Sprintf(term, of))
	}
	return terms
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
	if err := l.countMerge(ctx, tx, changes); err != nil {
		return err
	}
	if changes.earlier > 0 {
		if _, err := tx.Exec(ctx, fmt.Sprintf("update %s as core set first_delivered_at = verdict.first_delivered_at from verdict where core.rowid = verdict.held_place and not verdict.is_newer and core.first_delivered_at > verdict.first_delivered_at", target)); err != nil {
			return err
		}
	}
	if l.incoming > changes.older {
		if err := l.insert(ctx, tx, target, changes); err != nil {
			return err
		}
	}
	// Last, because the rows of an older set are picked by what core holds.
	if changes.replaced > 0 {
		if err := touch(ctx, tx, changes.replaced, fmt.Sprintf("delete from %s where rowid in (select held_place from verdict where is_newer)", target)); err != nil {
			return err
		}
	}
	warehouse.Failpoint("etl.merged")
	return nil
}

// listIncoming makes the table incoming of the good rows, of a repeated key the
// latest, and says whether core may hold any of them.
func (l *loader) listIncoming(ctx context.Context, tx *warehouse.Tx) (isKnown bool, err error) {
	_, err = tx.Exec(ctx, "create or replace temp table incoming as select place, source_key, updated_at, delivered_at, file, sheet, row_no, "+
		l.timeColumn("placed")+" as touched_at from placed")
	if err != nil {
		return false, err
	}
	var good int64
	err = tx.QueryRow(ctx, fmt.Sprintf("select exists (select 1 from core.%q where source = ?), count(*), count(distinct source_key) from incoming", l.d.Target),
		l.load.Source).Scan(&isKnown, &good, &l.incoming)
	if want := l.load.In - l.load.Quarantined; err == nil && (good > want || good < want && !l.isOlder) {
		err = fmt.Errorf("%d good rows where %d were counted; this is a defect of the program", good, want)
	}
	if err != nil || good == l.incoming {
		return isKnown, err
	}
	_, err = tx.Exec(ctx, `delete from incoming where place in (select place from incoming
qualify row_number() over (partition by source_key order by `+strings.Join(version("incoming"), " desc, ")+` desc) > 1)`)
	return isKnown, err
}

// mergeChanges counts the rows whose keys core holds: those that the delivery
// replaces, those of them that say the same, those that core has in a later
// version, and those of them that it has by a later delivery.
type mergeChanges struct{ replaced, same, older, earlier int64 }

// compare makes the table verdict of the incoming rows whose keys core holds.
// is_newer: the incoming version stays; is_changed: it says something else.
func (l *loader) compare(ctx context.Context, tx *warehouse.Tx, target string) (changes mergeChanges, err error) {
	_, err = tx.Exec(ctx, fmt.Sprintf(`create or replace temp table held as
select incoming.place, incoming.source_key, core.rowid as held_place, core.content_hash, (%s) > (%s) as is_newer,
    least(incoming.delivered_at, core.first_delivered_at) as first_delivered_at, incoming.delivered_at < core.first_delivered_at as is_earlier
from %s as core inner join incoming on core.source_key = incoming.source_key
where core.source = %s`, strings.Join(version("incoming"), ", "), strings.Join(version("core"), ", "), target, literal(l.load.Source)))
	if err != nil {
		return changes, err
	}
	var held int64
	if err = tx.QueryRow(ctx, "select count(*) from held").Scan(&held); err != nil || held == 0 {
		return changes, err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`create or replace temp table verdict as
select held.* exclude (content_hash), hash(%s) is distinct from held.content_hash as is_changed
from placed as fact inner join held on fact.place = held.place`, strings.Join(factColumns(l.d.Target), ", ")))
	if err != nil {
		return changes, err
	}
	err = tx.QueryRow(ctx, `select count(*) filter (is_newer), count(*) filter (is_newer and not is_changed),
    count(*) filter (not is_newer), count(*) filter (not is_newer and is_earlier) from verdict`).
		Scan(&changes.replaced, &changes.same, &changes.older, &changes.earlier)
	return changes, err
}

// countMerge notes what the load does, and the earliest month that it touches.
func (l *loader) countMerge(ctx context.Context, tx *warehouse.Tx, changes mergeChanges) error {
	l.load.Loaded = l.incoming - changes.same - changes.older
	l.load.Duplicate = l.load.In - l.load.Quarantined - l.load.Loaded
	// A row that only moves the first delivery touches its month too: whether it
	// came late may change. So does one that says the same in a later delivery:
	// the month's records name the file that they were read from.
	without := ""
	if changes.same+changes.older > 0 {
		without = "\nanti join (select place from verdict where not (is_newer or is_earlier)) as verdict using (place)"
	}
	var month string
	if err := tx.QueryRow(ctx, "select coalesce(strftime(min(touched_at), '%Y-%m'), '') from incoming"+without).Scan(&month); err != nil {
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
		without += "\nanti join (select place from verdict where not is_newer) as verdict using (place)"
	}
	if changes.replaced > 0 {
		firstDelivered, held = "coalesce(verdict.first_delivered_at, fact.delivered_at)", "\nleft join verdict on fact.source_key = verdict.source_key"
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
