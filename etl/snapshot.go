package etl

import (
	"context"
	"errors"
	"fmt"

	"tongbao"
	"tongbao/warehouse"
)

// errEmptySet refuses a full set without rows: an export that failed looks the
// same as a town without tickets.
var errEmptySet error = &FileError{Where: "full set", What: "is empty; nothing was deleted", Do: "see whether the export or the account's rights are broken; if it is true, take snapshot: true out of the definition"}

// isFullSet says whether rows that this delivery lacks are gone. Replayed and
// fixed rows are a part of one.
func (l *loader) isFullSet() bool {
	return l.d.Snapshot && l.replay == nil && l.item.Answers == nil && (l.item.Fetch == nil || l.item.Fetch.Kind == kindFull)
}

// findOlder finds whether a later full set was taken in already. Its rows then
// only say that they came earlier: they bring back nothing that is gone.
func (l *loader) findOlder(ctx context.Context, tx *warehouse.Tx) error {
	if !l.d.Snapshot {
		return nil
	}
	deliveredAt := l.item.DeliveredAt
	if l.item.Answers != nil {
		deliveredAt = l.item.Answers.DeliveredAt
	}
	return tx.QueryRow(ctx, `select count(*) > 0 from core.load
		where source = ? and delivered_at > ? and coalesce(fetch_kind, ?) = ?`,
		l.load.Source, deliveredAt, kindFull, kindFull).Scan(&l.isOlder)
}

// heldOnly keeps of the good rows those that core holds.
func (l *loader) heldOnly() string {
	return fmt.Sprintf("\n    and %s in (select source_key from core.%q where source = %s)",
		l.sourceKey(), l.d.Target, literal(l.load.Source))
}

// deleteGone deletes the rows of the source that a full set lacks. A row in
// quarantine is not gone: its key counts, and where a key cannot be read,
// nothing is deleted by this load.
func (l *loader) deleteGone(ctx context.Context, tx *warehouse.Tx) error {
	if l.isOlder || !l.isFullSet() {
		return nil
	}
	if l.load.In == 0 {
		return errEmptySet
	}
	var err error
	if l.load.KeptFor, err = l.keyless(ctx, tx); err != nil || l.load.KeptFor > 0 {
		return err
	}
	target := fmt.Sprintf("core.%q", l.d.Target)
	statement := fmt.Sprintf(`create or replace temp table gone as
select core.rowid as place
from %s as core
where core.source = %s
    and core.source_key not in (select %s from typed%s where not typed.is_note)`,
		target, literal(l.load.Source), l.sourceKey(), l.joins())
	if _, err := tx.Exec(ctx, statement); err != nil {
		return err
	}
	var held int64
	err = tx.QueryRow(ctx, fmt.Sprintf("select (select count(*) from gone), (select count(*) from %s where source = %s)",
		target, literal(l.load.Source))).Scan(&l.load.Deleted, &held)
	if err != nil || l.load.Deleted == 0 {
		return err
	}
	if most := held * int64(l.d.shrink()) / 100; l.load.Deleted > most {
		return &FileError{Where: "full set", What: fmt.Sprintf("lacks %d of the %d rows that are held, more than %d percent; nothing was taken", l.load.Deleted, held, l.d.shrink()),
			Do: "see whether the export is whole; if it is, raise shrink in the definition and pull again"}
	}
	earliest := l.load.Earliest
	if err := l.noteEarliestOf(ctx, tx, target+" as fact where fact.rowid in (select place from gone)"); err != nil {
		return err
	}
	l.load.Earliest = earlier(earliest, l.load.Earliest)
	return touch(ctx, tx, l.load.Deleted, fmt.Sprintf("delete from %s where rowid in (select place from gone)", target))
}

// keyless counts the rows in quarantine whose key cannot be read.
func (l *loader) keyless(ctx context.Context, tx *warehouse.Tx) (int64, error) {
	missing := ""
	for _, name := range l.d.Key {
		if c, _ := l.column(name); c.Required || name == "grid_id" {
			missing += fmt.Sprintf(" or %s is null", l.value(name, targets[l.d.Target][name]))
		}
	}
	var count int64
	err := tx.QueryRow(ctx, fmt.Sprintf("select count(*) from typed inner join faulty on typed.rowid = faulty.place%s where typed.damage is not null%s",
		l.joins(), missing)).Scan(&count)
	return count, err
}

func (d *Definition) shrink() int {
	if d.Shrink == 0 {
		return defaultShrink
	}
	return d.Shrink
}

// earlier returns the earlier of two months, where 0 is none.
func earlier(a, b tongbao.Month) tongbao.Month {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// plain is an error's text; of a FileError without what to do, which the
// caller adds.
func plain(err error) string {
	var known *FileError
	if errors.As(err, &known) {
		return known.Where + ": " + known.What
	}
	return err.Error()
}
