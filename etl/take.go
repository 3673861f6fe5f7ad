package etl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tongbao/warehouse"
)

// prepared is a delivery on its way to its transaction.
type prepared struct {
	loader loader // nothing is staged for a load that is known
	err    error  // why the delivery cannot be taken in
}

// takeAll takes deliveries in, one transaction after the other. While one is
// merged the next is typed, and the one after that landed: one step alone
// leaves cores idle.
func (in Intake) takeAll(ctx context.Context, db *warehouse.DB, items []delivery, report *Report) error {
	items, err := in.waiting(ctx, db, items, report)
	if err != nil || len(items) == 0 {
		return err
	}
	items = in.takingOrder(items)
	if err := in.clearScratch(); err != nil {
		return err
	}
	if hasMany(items) { // one is typed while another is merged
		if err := db.Divide(ctx, 2); err != nil {
			return err
		}
		defer db.Divide(context.WithoutCancel(ctx), 1)
	}
	ctx, stop := context.WithCancel(ctx)
	started := make(chan *prepared)
	go func() {
		defer close(started)
		for _, item := range items {
			select {
			case started <- &prepared{loader: loader{d: in.definition(item.Source), item: item}}:
			case <-ctx.Done():
				return
			}
		}
	}()
	staged := ahead(started, func(next *prepared) { in.stage(ctx, db, next) })
	typed := ahead(staged, func(next *prepared) { next.typeRows(ctx, db) })
	defer func() {
		stop()
		for next := range typed {
			next.loader.close()
		}
	}()
	for i := range items {
		if in.Progress != nil {
			in.Progress(i, len(items))
		}
		next, isReady := <-typed
		if !isReady {
			return ctx.Err()
		}
		if err := in.takeNext(ctx, db, next, report); err != nil {
			return err
		}
	}
	if in.Progress != nil {
		in.Progress(len(items), len(items))
	}
	slices.SortStableFunc(report.Loads, func(a, b Load) int { return a.DeliveredAt.Compare(b.DeliveredAt) })
	return nil
}

// waiting leaves out what was taken in before, and counts it. Of a file that is
// not hashed yet it is known once it has landed.
func (in Intake) waiting(ctx context.Context, db *warehouse.DB, items []delivery, report *Report) ([]delivery, error) {
	loads, err := db.Rows(ctx, "select load_id from core.load")
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, load := range loads.Cells {
		known[load[0].String] = true
	}
	var waiting []delivery
	for _, item := range items {
		if item.SHA256 != "" && in.definition(item.Source) != nil && known[item.loadID()] {
			report.Known++
		} else {
			waiting = append(waiting, item)
		}
	}
	return waiting, nil
}

// hasMany says whether no delivery is most of what there is to take.
func hasMany(items []delivery) bool {
	var all, most int64
	for _, item := range items {
		all, most = all+item.Bytes, max(most, item.Bytes)
	}
	return most <= all/2
}

// takingOrder puts deliveries in the order in which they are taken in: the
// newest first, because what a later one replaces then is neither shaped nor
// written. What core holds in the end is the same (see version). Where it is
// not, the oldest is first: full sets delete, a unique value is whose it was
// first, a fixed file answers rows that wait, a fetch follows from the one
// before it, and of the same bytes the first delivery counts.
func (in Intake) takingOrder(items []delivery) []delivery {
	var newest, oldest []delivery
	seen := map[string]bool{}
	for _, item := range items {
		d := in.definition(item.Source)
		isOrdered := d == nil || d.Snapshot || d.hasUnique() || item.Answers != nil || item.Fetch != nil
		if item.SHA256 != "" {
			isOrdered = isOrdered || seen[item.loadID()]
			seen[item.loadID()] = true
		}
		if isOrdered {
			oldest = append(oldest, item)
		} else {
			newest = append(newest, item)
		}
	}
	slices.Reverse(newest)
	return append(newest, oldest...)
}

// ahead does work on what comes, and keeps one that is done: large and small
// deliveries take turns, and a step would wait for the other at each.
func ahead(from <-chan *prepared, work func(*prepared)) <-chan *prepared {
	to := make(chan *prepared, 1)
	go func() {
		defer close(to)
		for next := range from {
			work(next)
			to <- next
		}
	}()
	return to
}

func (in Intake) takeNext(ctx context.Context, db *warehouse.DB, next *prepared, report *Report) error {
	item := next.loader.item
	if in.definitionOf(item, report) == nil {
		return nil
	}
	load, err := next.finish(ctx, db)
	var wrong *FileError
	switch {
	case errors.As(err, &wrong):
		wrong.Source, wrong.File = item.Source, item.Name
		report.Errors = append(report.Errors, wrong)
		return unland(in.Raw, item)
	case err != nil:
		return fmt.Errorf("load %s: %w", item.Name, err)
	case load.IsKnown:
		report.Known++
	default:
		in.add(report, load)
	}
	return nil
}

// stage is the first of what a delivery needs before its transaction; nothing
// for one whose source has no definition any more.
func (in Intake) stage(ctx context.Context, db *warehouse.DB, next *prepared) {
	l := &next.loader
	if next.err = ctx.Err(); next.err != nil || l.d == nil {
		return
	}
	began := time.Now()
	if l.item.SHA256 == "" {
		if l.item, next.err = landNew(in.Raw, l.item); next.err != nil {
			return
		}
	}
	if l.load, next.err = newLoad(l.d, l.item, l.item.loadID()); next.err != nil {
		return
	}
	if l.load.IsKnown, next.err = isKnown(ctx, db, l.load.ID); next.err != nil {
		return
	}
	if l.load.IsKnown { // by another name
		if l.item.isThere {
			next.err = os.Remove(rawPath(in.Raw, l.item))
		}
		return
	}
	l.clock = began
	if l.held, next.err = in.heldRows(l.item); next.err == nil {
		next.err = l.stage(ctx, db, in)
	}
}

// typeRows is the second.
func (p *prepared) typeRows(ctx context.Context, db *warehouse.DB) {
	if p.err == nil && p.loader.d != nil && !p.loader.load.IsKnown {
		p.err = p.loader.typeRows(ctx, db)
	}
}

// finish takes a prepared delivery in, and closes it.
func (p *prepared) finish(ctx context.Context, db *warehouse.DB) (Load, error) {
	l := &p.loader
	defer l.close()
	if p.err != nil || l.load.IsKnown {
		return l.load, p.err
	}
	// The same bytes may have come under two names since.
	var err error
	if l.load.IsKnown, err = isKnown(ctx, db, l.load.ID); err != nil || l.load.IsKnown {
		return l.load, err
	}
	return l.finish(ctx, db)
}

// take takes in one delivery.
func (in Intake) take(ctx context.Context, db *warehouse.DB, d *Definition, item delivery) (Load, error) {
	next := &prepared{loader: loader{d: d, item: item}}
	in.stage(ctx, db, next)
	next.typeRows(ctx, db)
	return next.finish(ctx, db)
}

// scratchFolder is where deliveries are staged.
func (in Intake) scratchFolder() string { return filepath.Join(in.Raw, ".stage") }

// scratch makes a folder for one delivery; the caller removes it.
func (in Intake) scratch() (string, error) {
	if err := os.MkdirAll(in.scratchFolder(), 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(in.scratchFolder(), "")
}

// clearScratch removes what a killed process left.
func (in Intake) clearScratch() error { return os.RemoveAll(in.scratchFolder()) }
