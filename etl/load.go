package etl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// loader takes one delivery into core: stage lands it and looks through it,
// typeRows types it, finish merges it in one transaction.
type loader struct {
	d         *Definition
	item      delivery
	scratch   string // folder of what is staged, until it is typed
	st        stage
	typing    *typing
	staged    *warehouse.Staged // holds the table typed
	salt      string
	coreSQL   string // queries/core/<target>.sql
	load      Load
	clock     time.Time
	firstRow  int64  // rowid of the first row of typed
	incoming  int64  // good rows, of a repeated key one
	isOlder   bool   // a later full set was taken in already
	hasFaults bool   // the table faulty names rows of typed
	raw       string // folder of raw/
	held      []heldRow
	replay    *closing // nil but for a replay of quarantined rows
}

// errMiscounted says that the engine did not find the records that the scan
// counted; the file is then read carefully.
var errMiscounted = errors.New("the engine's reader counted other records")

func (l *loader) step(name string) {
	now := time.Now()
	l.load.Steps = append(l.load.Steps, Step{name, now.Sub(l.clock)})
	l.clock = now
}

// stage lands a delivery and looks through it. Nothing of it is seen outside
// the loader, which is to be closed.
func (l *loader) stage(ctx context.Context, db *warehouse.DB, in Intake) (err error) {
	if l.clock.IsZero() {
		l.clock = time.Now()
	}
	l.salt, l.coreSQL, l.raw = in.Salt, in.Core[l.d.Target], in.Raw
	// What is staged is not masked yet: it lies where raw/ does.
	if l.scratch, err = in.scratch(); err != nil {
		return err
	}
	if l.item.Answers != nil {
		l.d = l.d.forFixes()
	}
	path, err := in.fileOf(l.item, l.scratch)
	if err != nil {
		return err
	}
	l.step("land")
	l.st, err = l.d.read(ctx, db, path, l.scratch, l.item)
	if err == nil {
		err = l.d.checkHeader(l.st.header)
	}
	l.step("decode and look through")
	return err
}

// typeRows makes the table typed of what is staged.
func (l *loader) typeRows(ctx context.Context, db *warehouse.DB) error {
	warehouse.Failpoint("etl.staged")
	l.clock = time.Now()
	err := l.makeTyped(ctx, db)
	if errors.Is(err, errMiscounted) && l.st.isFile && l.st.reader == "" {
		// The engine and the scan disagree; the careful reader decides.
		if l.st, err = l.d.readCSVCarefully(l.st.path, filepath.Join(l.scratch, "stage.csv")); err == nil {
			l.drop()
			err = l.makeTyped(ctx, db)
		}
	}
	l.clear()
	l.step("read and type")
	return err
}

func (l *loader) makeTyped(ctx context.Context, db *warehouse.DB) (err error) {
	if l.staged, err = db.Stage(ctx); err != nil {
		return err
	}
	l.typing = newTyping(l.d, l.st, momentLiteral(l.item.DeliveredAt))
	statement := l.typing.create()
	if err := l.mustKeepOrder(ctx, statement); err != nil {
		return err
	}
	if _, err := l.staged.Tx().Exec(ctx, statement); err != nil {
		return l.unreadable(ctx, err)
	}
	if err := l.countTyped(ctx, l.staged.Tx()); err != nil {
		return err
	}
	return l.keepReplayed(ctx, l.staged.Tx())
}

// sharedBytes is from what size on the engine may read parts of a CSV side by
// side; its own bound is 8 MB. Of another reader's file the size says little.
const sharedBytes = 1 << 20

// mustKeepOrder returns errMiscounted where the engine would store the rows of
// a file in another order than it has: a row's number is its place in typed.
func (l *loader) mustKeepOrder(ctx context.Context, statement string) error {
	if !l.st.isFile {
		return nil // the stage has the numbers
	}
	if info, err := os.Stat(l.st.path); err != nil || l.st.reader == "" && info.Size() < sharedBytes {
		return err
	}
	keeps, err := l.staged.KeepsOrder(ctx, statement)
	if err == nil && !keeps {
		err = fmt.Errorf("%w: it would not keep their order", errMiscounted)
	}
	return err
}

// drop lets the table typed go, and clear what is staged.
func (l *loader) drop() {
	if l.staged != nil {
		l.staged.Close()
		l.staged = nil
	}
}

func (l *loader) clear() {
	if l.scratch != "" {
		_ = os.RemoveAll(l.scratch) // what stays, the next pull clears
		l.scratch = ""
	}
}

func (l *loader) close() {
	l.drop()
	l.clear()
}

// finish does the load's transaction.
func (l *loader) finish(ctx context.Context, db *warehouse.DB) (Load, error) {
	l.clock = time.Now()
	if err := l.staged.Write(ctx, l.work); err != nil {
		return l.load, err
	}
	l.step("commit")
	warehouse.Failpoint("etl.after_commit")
	// The engine has said "done" for transactions that it rolled back.
	done, err := isKnown(ctx, db, l.load.ID)
	if err == nil && !done && (l.replay == nil || l.load.In > 0) {
		err = errors.New("the load's row is not there after the commit")
	}
	return l.load, err
}

func (l *loader) work(ctx context.Context, tx *warehouse.Tx) error {
	for _, step := range []struct {
		name string
		do   func(context.Context, *warehouse.Tx) error
	}{
		{"resolve", l.judge},
		{"close quarantined rows", l.closeRows},
		{"merge", l.merge},
		{"delete what the full set lacks", l.deleteGone},
		{"record", l.record},
	} {
		if err := step.do(ctx, tx); errors.Is(err, errNothingToReplay) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		l.step(step.name)
	}
	if err := errors.Join(l.writeClosing(ctx, tx), l.keepTaken(ctx, tx)); err != nil {
		return err
	}
	warehouse.Failpoint("etl.before_commit")
	return nil
}

// unreadable says what follows when the engine stumbles over the file itself.
func (l *loader) unreadable(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil || !l.st.isFile:
		return fmt.Errorf("type rows: %w", err)
	case l.st.reader != "":
		return &FileError{What: "cannot be read to its end: " + firstLine(err), Do: "export or copy it again"}
	}
	return fmt.Errorf("%w: %w", errMiscounted, err)
}

func (l *loader) countTyped(ctx context.Context, tx *warehouse.Tx) error {
	// In an open transaction, as an export's, rows are numbered from a base of
	// the engine's own; always in the order of the file, without a gap.
	var all, numbered int64
	err := tx.QueryRow(ctx, "select count(*), count(*) filter (where not is_note), coalesce(min(rowid), 0), coalesce(max(rowid) - min(rowid) + 1, 0) from typed").
		Scan(&all, &l.load.In, &l.firstRow, &numbered)
	if err == nil && (all != l.st.records || numbered != all) {
		err = fmt.Errorf("%w: %d with %d numbers, not %d", errMiscounted, all, numbered, l.st.records)
	}
	return err
}

// record writes the load's own row, in the same transaction as its rows.
func (l *loader) record(ctx context.Context, tx *warehouse.Tx) error {
	// What waits is counted anew: by the rows of quarantine themselves. Those of
	// a replay wait under the load that they are of.
	var waiting int64
	if l.load.Quarantined > 0 {
		if err := tx.QueryRow(ctx, "select count(*) from core.quarantine where load_id = ?", l.load.ID).Scan(&waiting); err != nil {
			return err
		}
	}
	if l.load.In != l.load.Loaded+l.load.Duplicate+waiting {
		return fmt.Errorf("%d rows in, but %d loaded + %d duplicate + %d quarantined; this is a defect of the program",
			l.load.In, l.load.Loaded, l.load.Duplicate, waiting)
	}
	// A load of some rows is no full set, and moves no watermark.
	watermark, kind := "", ""
	switch {
	case l.replay != nil:
		kind = stateReplayed
	case l.item.Answers != nil:
		kind = stateFixed
	case l.item.Fetch != nil:
		watermark, kind = l.item.Fetch.Watermark, l.item.Fetch.Kind
	}
	_, err := tx.Exec(ctx, "insert into core.load values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		l.load.ID, l.load.Source, l.load.Target, l.load.File, l.load.SHA256, l.load.Bytes, l.item.DeliveredAt,
		dateOrNil(l.load.Month), textOrNil(l.load.Line), l.load.In, l.load.Loaded, l.load.Duplicate, l.load.Quarantined,
		dateOrNil(l.load.Earliest), l.d.hash, l.load.Deleted, textOrNil(watermark), textOrNil(kind))
	if err != nil {
		return err
	}
	return l.noteColumns(ctx, tx)
}

func dateOrNil(m tongbao.Month) any {
	if m == 0 {
		return nil
	}
	return m.First()
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func momentLiteral(t time.Time) string {
	return "timestamp '" + t.Format("2006-01-02 15:04:05") + "'"
}
