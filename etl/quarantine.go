package etl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tongbao/warehouse"
)

// A row leaves quarantine by an act only: replayed by the present definition,
// fixed by a file of its own, or dismissed with a reason. The act lies in a
// sidecar of the delivery in raw/, with the rows as they waited, so that a
// rebuild lets the same rows wait and repeats the same acts.

// States of a quarantined row.
const (
	stateOpen      = "open"
	stateReplayed  = "replayed"
	stateFixed     = "fixed"
	stateDismissed = "dismissed"
)

// closing is one act on quarantined rows of one load, or, open, rows that a
// rebuild lets wait; see unique.go.
type closing struct {
	State string    `json:"state"`
	Load  string    `json:"load,omitempty"` // that took the rows
	At    time.Time `json:"at"`
	By    string    `json:"by,omitempty"`
	Why   string    `json:"why,omitempty"`
	Rows  []heldRow `json:"rows"`

	owner string // the load whose rows they are
}

// heldRow is a quarantined row as it waited, its value masked.
type heldRow struct {
	Sheet  string `json:"sheet,omitempty"`
	Row    int64  `json:"row"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// heldColumns are those of core.quarantine that scanHeld reads.
const heldColumns = "coalesce(sheet, ''), row_no, coalesce(column_name, ''), coalesce(value, ''), reason, coalesce(detail, '')"

const closingSuffix = ".quarantine.json"

func closingFile(rawDir, source, loadID string) string {
	return filepath.Join(rawDir, source, loadID+closingSuffix)
}

func readClosings(file string) ([]closing, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []closing
	if err := json.Unmarshal(content, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// addClosing keeps an act; an act of the same load is kept once.
func addClosing(rawDir, source string, c closing) error {
	file := closingFile(rawDir, source, c.owner)
	all, err := readClosings(file)
	if err != nil || c.Load != "" && slices.ContainsFunc(all, func(before closing) bool { return before.Load == c.Load }) {
		return err
	}
	content, err := json.MarshalIndent(append(all, c), "", "  ")
	if err != nil {
		return err
	}
	return writeSynced(file, bytes.NewReader(content))
}

// heldRows are the rows of a delivery that waited until an act closed them.
func (in Intake) heldRows(item delivery) ([]heldRow, error) {
	all, err := readClosings(closingFile(in.Raw, item.Source, item.loadID()))
	var rows []heldRow
	for _, c := range all {
		for _, row := range c.Rows {
			if !slices.ContainsFunc(rows, func(r heldRow) bool { return r.Row == row.Row && r.Sheet == row.Sheet }) {
				rows = append(rows, row)
			}
		}
	}
	return rows, err
}

// owner is the load whose quarantined rows a transaction writes.
func (l *loader) owner() string {
	if l.replay != nil {
		return l.replay.owner
	}
	return l.load.ID
}

// place is the SQL of where a row of typed stands in its delivery.
func (l *loader) place() string {
	return "(coalesce(typed.sheet, ''), " + l.rowNumber() + ")"
}

// listRows makes a temporary table of rows.
func listRows(ctx context.Context, tx *warehouse.Tx, table string, rows []heldRow) error {
	if _, err := tx.Exec(ctx, "create or replace temp table "+table+" (sheet text, row_no bigint, column_name text, value text, reason text, detail text)"); err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := tx.Exec(ctx, "insert into "+table+" values (?, ?, nullif(?, ''), nullif(?, ''), ?, nullif(?, ''))",
			r.Sheet, r.Row, r.Column, r.Value, r.Reason, r.Detail); err != nil {
			return err
		}
	}
	return nil
}

// keepReplayed leaves only the rows that a replay is about.
func (l *loader) keepReplayed(ctx context.Context, tx *warehouse.Tx) error {
	if l.replay == nil {
		return nil
	}
	if err := listRows(ctx, tx, "replayed_row", l.replay.Rows); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "delete from typed where "+l.place()+" not in (select (sheet, row_no) from replayed_row)")
	return err
}

// forgetReplayed takes the rows that are still bad out of the list; they enter
// it again with what is wrong now. Only what passes belongs to the replay.
func (l *loader) forgetReplayed(ctx context.Context, tx *warehouse.Tx, bad int64) error {
	if l.replay == nil {
		return nil
	}
	if _, err := tx.Exec(ctx, `delete from core.quarantine where load_id = ? and state = 'open' and (coalesce(sheet, ''), row_no) in
    (select `+l.place()+` from typed inner join faulty on typed.rowid = faulty.place)`, l.owner()); err != nil {
		return err
	}
	l.load.Quarantined = 0
	err := tx.QueryRow(ctx, "select count(*) - ? from typed where not is_note", bad).Scan(&l.load.In)
	return err
}

// hold lets rows wait that once waited and were closed by an act, whatever the
// present definition says of them: the act, which follows, takes them.
func (l *loader) hold(ctx context.Context, tx *warehouse.Tx) error {
	if len(l.held) == 0 {
		return nil
	}
	if err := listRows(ctx, tx, "held_row", l.held); err != nil {
		return err
	}
	for _, statement := range []string{
		// What would wait anyway waits for the reason of that time.
		fmt.Sprintf("delete from core.quarantine where load_id = %s and (coalesce(sheet, ''), row_no) in (select (sheet, row_no) from held_row)", literal(l.load.ID)),
		"delete from faulty where place in (select typed.rowid from typed where " + l.place() + " in (select (sheet, row_no) from held_row))",
		"insert into faulty select typed.rowid, -2 from typed where not typed.is_note and " + l.place() + " in (select (sheet, row_no) from held_row)",
		fmt.Sprintf(`insert into core.quarantine (load_id, source, file, sheet, row_no, column_name, value, reason, detail)
select %s, %s, %s, nullif(held_row.sheet, ''), held_row.row_no, held_row.column_name, held_row.value, held_row.reason, held_row.detail
from held_row where (sheet, row_no) in (select %s from typed where not typed.is_note)`,
			literal(l.load.ID), literal(l.load.Source), literal(l.load.File), l.place()),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return tx.QueryRow(ctx, "select count(*) from faulty").Scan(&l.load.Quarantined)
}

// errNothingToReplay ends a replay in which no row passes; what is wrong with
// its rows now is kept.
var errNothingToReplay = errors.New("no row passes")

// closeRows marks the quarantined rows that this load takes.
func (l *loader) closeRows(ctx context.Context, tx *warehouse.Tx) error {
	switch {
	case l.item.Answers != nil && l.replay == nil:
		return l.closeFixed(ctx, tx)
	case l.replay == nil:
		return nil
	}
	passed := "select " + l.place() + " from typed anti join faulty on typed.rowid = faulty.place where typed.is_note = "
	const closed = "update core.quarantine set state = ?, closed_at = ?, closed_by = ?, note = ? where load_id = ? and state = 'open' and (coalesce(sheet, ''), row_no) in ("
	// What a new rule of skip knows as a note is no row any more.
	if _, err := tx.Exec(ctx, closed+passed+"true)", stateDismissed, l.replay.At, nil, "the definition's skip says that it is no data", l.owner()); err != nil {
		return err
	}
	if l.load.In == 0 {
		return errNothingToReplay
	}
	_, err := tx.Exec(ctx, closed+passed+"false)", stateReplayed, l.replay.At, l.load.ID, nil, l.owner())
	return err
}

// writeClosing keeps the act in raw/ before its transaction commits: after a
// crash between the two the next pull repeats it.
func (l *loader) writeClosing(ctx context.Context, tx *warehouse.Tx) error {
	c := closing{State: stateFixed, At: l.item.DeliveredAt, Load: l.load.ID}
	switch {
	case l.replay != nil:
		c = *l.replay
	case l.item.Answers != nil:
		c.owner = l.item.Answers.Load
	default:
		return nil
	}
	l.load.Answers = c.owner
	rows, err := tx.Query(ctx, "select "+heldColumns+" from core.quarantine where closed_by = ? order by all", l.load.ID)
	if err != nil {
		return err
	}
	if c.Rows, err = scanHeld(rows); err != nil {
		return err
	}
	return addClosing(l.raw, l.load.Source, c)
}
