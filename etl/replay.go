package etl

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// Waiting picks quarantined rows; a zero field does not narrow.
type Waiting struct {
	Source, Reason, File string
	Month                tongbao.Month `json:",omitzero"` // of the delivery
	Row                  int64
}

// Words are the choice as flags of the command line. ParseWaiting reads them
// back.
func (w Waiting) Words() []string {
	var month, row string
	if w.Month != 0 {
		month = w.Month.String()
	}
	if w.Row != 0 {
		row = strconv.FormatInt(w.Row, 10)
	}
	var words []string
	for _, flag := range [][2]string{{"source", w.Source}, {"reason", w.Reason}, {"file", w.File}, {"month", month}, {"row", row}} {
		if flag[1] != "" {
			words = append(words, "--"+flag[0]+"="+flag[1])
		}
	}
	return words
}

// ParseWaiting reads words as Words writes them.
func ParseWaiting(words []string) (w Waiting, err error) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "--source":
			w.Source = value
		case "--reason":
			w.Reason = value
		case "--file":
			w.File = value
		case "--month":
			w.Month, err = tongbao.ParseMonth(value)
		case "--row":
			w.Row, err = strconv.ParseInt(value, 10, 64)
		default:
			err = errors.New("want --source, --reason, --file, --month or --row")
		}
		if err != nil {
			return w, fmt.Errorf("%s: %w", word, err)
		}
	}
	return w, nil
}

// Where is the choice as a condition on core.quarantine, without "where".
func (w Waiting) Where() string {
	conditions := []string{"true"}
	for _, c := range []struct{ column, value string }{{"source", w.Source}, {"reason", w.Reason}, {"file", w.File}} {
		if c.value != "" {
			conditions = append(conditions, "quarantine."+c.column+" = "+literal(c.value))
		}
	}
	if w.Month != 0 {
		conditions = append(conditions, fmt.Sprintf("quarantine.load_id in (select load_id from core.load where date_trunc('month', delivered_at) = date '%s')", w.Month.First().Format("2006-01-02")))
	}
	if w.Row != 0 {
		conditions = append(conditions, fmt.Sprintf("quarantine.row_no = %d", w.Row))
	}
	return strings.Join(conditions, " and ")
}

// waitingRows are the open rows of a choice, by load.
func waitingRows(ctx context.Context, db *warehouse.DB, w Waiting) (map[string][]heldRow, error) {
	loads, err := db.Rows(ctx, "select distinct load_id from core.quarantine as quarantine where state = 'open' and "+w.Where())
	if err != nil {
		return nil, err
	}
	waiting := map[string][]heldRow{}
	for _, load := range loads.Cells {
		rows, err := db.SQL().QueryContext(ctx, "select "+heldColumns+`
			from core.quarantine as quarantine where state = 'open' and load_id = `+literal(load[0].String)+" and "+w.Where()+" order by all")
		if err != nil {
			return nil, err
		}
		if waiting[load[0].String], err = scanHeld(rows); err != nil {
			return nil, err
		}
	}
	return waiting, nil
}

func scanHeld(rows *sql.Rows) ([]heldRow, error) {
	defer rows.Close()
	var all []heldRow
	for rows.Next() {
		var r heldRow
		if err := rows.Scan(&r.Sheet, &r.Row, &r.Column, &r.Value, &r.Reason, &r.Detail); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// Replay reads the waiting rows of a choice again from raw/, with the present
// definition, spellings and categories. Those that pass are loaded by a load of
// their own; what is wrong with the others now is kept.
func Replay(ctx context.Context, db *warehouse.DB, in Intake, w Waiting, at time.Time, by string) (Report, error) {
	var report Report
	at = civil(at)
	waiting, err := waitingRows(ctx, db, w)
	if err != nil {
		return report, err
	}
	items, err := in.landedByLoad()
	if err != nil {
		return report, err
	}
	for _, load := range byDelivery(waiting, items) {
		item, isLanded := items[load]
		if !isLanded {
			report.Errors = append(report.Errors, &FileError{File: load, What: "is not in raw/ any more", Do: "deliver it again, or dismiss its rows"})
			continue
		}
		before, err := readClosings(closingFile(in.Raw, item.Source, load))
		if err != nil {
			return report, err
		}
		act := closing{State: stateReplayed, Load: fmt.Sprintf("%s-r%d", load, len(before)+1), At: at, By: by, Rows: waiting[load], owner: load}
		if err := in.replayRows(ctx, db, item, act, &report); err != nil {
			return report, err
		}
	}
	return report, report.Err()
}

// byDelivery lists loads in the order in which they were delivered.
func byDelivery(waiting map[string][]heldRow, items map[string]delivery) []string {
	loads := sortedKeys(waiting)
	slices.SortStableFunc(loads, func(a, b string) int { return items[a].DeliveredAt.Compare(items[b].DeliveredAt) })
	return loads
}

func (in Intake) replayRows(ctx context.Context, db *warehouse.DB, item delivery, act closing, report *Report) error {
	d := in.definitionOf(item, report)
	if d == nil {
		return nil
	}
	load, err := newLoad(d, item, act.Load)
	if err != nil {
		return err
	}
	load.Answers = act.owner
	l := loader{d: d, item: item, load: load, replay: &act}
	defer l.close()
	if err = l.stage(ctx, db, in); err == nil {
		err = l.typeRows(ctx, db)
	}
	if err == nil {
		load, err = l.finish(ctx, db)
	}
	var wrong *FileError
	switch {
	case errors.As(err, &wrong):
		wrong.Source, wrong.File = item.Source, item.Name
		report.Errors = append(report.Errors, wrong)
	case err != nil:
		return fmt.Errorf("replay %s: %w", item.Name, err)
	default:
		in.add(report, load)
	}
	return nil
}

// Dismiss closes the waiting rows of a choice for good, and says how many.
func Dismiss(ctx context.Context, db *warehouse.DB, in Intake, w Waiting, at time.Time, by, why string) (int, error) {
	waiting, err := waitingRows(ctx, db, w)
	if err != nil {
		return 0, err
	}
	items, err := in.landedByLoad()
	if err != nil {
		return 0, err
	}
	count := 0
	for _, load := range byDelivery(waiting, items) {
		var source string
		if err := db.SQL().QueryRowContext(ctx, "select source from core.load where load_id = ?", load).Scan(&source); err != nil {
			return count, err
		}
		act := closing{State: stateDismissed, At: civil(at), By: by, Why: why, Rows: waiting[load], owner: load}
		if err := addClosing(in.Raw, source, act); err != nil {
			return count, err
		}
		if err := dismissRows(ctx, db, act); err != nil {
			return count, err
		}
		count += len(act.Rows)
	}
	return count, nil
}

func dismissRows(ctx context.Context, db *warehouse.DB, act closing) error {
	return db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		if err := listRows(ctx, tx, "dismissed_row", act.Rows); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update core.quarantine set state = 'dismissed', closed_at = ?, note = ?
where load_id = ? and state = 'open' and (coalesce(sheet, ''), row_no) in (select (sheet, row_no) from dismissed_row)`, act.At, act.Why, act.owner)
		return err
	})
}

// redoClosings repeats the acts in raw/ that the warehouse does not know: all
// of them in a rebuild, after a crash the last one.
func (in Intake) redoClosings(ctx context.Context, db *warehouse.DB, report *Report) error {
	files, err := filepath.Glob(filepath.Join(in.Raw, "*", "*"+closingSuffix))
	if err != nil || len(files) == 0 {
		return err
	}
	var acts []closing
	for _, file := range files {
		all, err := readClosings(file)
		if err != nil {
			return err
		}
		for _, act := range all {
			act.owner = strings.TrimSuffix(filepath.Base(file), closingSuffix)
			acts = append(acts, act)
		}
	}
	slices.SortStableFunc(acts, func(a, b closing) int { return a.At.Compare(b.At) })
	var items map[string]delivery // listed once there is an act to repeat
	for _, act := range acts {
		if act.State == stateOpen { // no act: what keepTaken wrote
			continue
		}
		if act.State == stateDismissed {
			if err := dismissRows(ctx, db, act); err != nil {
				return err
			}
			continue
		}
		known, err := isKnown(ctx, db, act.Load)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if items == nil {
			if items, err = in.landedByLoad(); err != nil {
				return err
			}
		}
		item, isLanded := items[act.Load]
		if act.State == stateReplayed {
			item, isLanded = items[act.owner]
		}
		if !isLanded {
			continue
		}
		if act.State == stateFixed {
			err = in.takeAll(ctx, db, []delivery{item}, report)
		} else {
			err = in.replayRows(ctx, db, item, act, report)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// landedByLoad finds the deliveries in raw/ by their loads, those in archives
// too. An archive that cannot be read any more gives none.
func (in Intake) landedByLoad() (map[string]delivery, error) {
	in.Choice = Choice{} // which narrows a pull only
	items, err := in.relanded(&Report{})
	byLoad := map[string]delivery{}
	for _, item := range items {
		byLoad[item.loadID()] = item
	}
	return byLoad, err
}
