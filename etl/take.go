package etl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tongbao/warehouse"
)

// prepared is a delivery that waits for its transaction, or why it cannot be
// taken in.
type prepared struct {
	loader loader // nothing is staged for a load that is known
	err    error
}

// takeAll takes deliveries in, one transaction after the other. Each is
// prepared while the one before it is merged: one alone leaves cores idle.
func (in Intake) takeAll(ctx context.Context, db *warehouse.DB, items []delivery, report *Report) error {
	if err := in.clearScratch(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ready := make(chan *prepared)
	go func() {
		defer close(ready)
		for _, item := range items {
			next := in.prepare(ctx, db, in.definition(item.Source), item)
			select {
			case ready <- next:
			case <-ctx.Done():
				next.loader.close()
				return
			}
		}
	}()
	defer func() {
		stop()
		for next := range ready {
			next.loader.close()
		}
	}()
	for i, item := range items {
		if in.Progress != nil {
			in.Progress(i, len(items))
		}
		next, isReady := <-ready
		if !isReady {
			return ctx.Err()
		}
		if err := in.takeNext(ctx, db, item, next, report); err != nil {
			return err
		}
	}
	if in.Progress != nil && len(items) > 0 {
		in.Progress(len(items), len(items))
	}
	return nil
}

func (in Intake) takeNext(ctx context.Context, db *warehouse.DB, item delivery, next *prepared, report *Report) error {
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

// prepare does what a delivery needs before its transaction; nothing for one
// whose source has no definition any more.
func (in Intake) prepare(ctx context.Context, db *warehouse.DB, d *Definition, item delivery) *prepared {
	if d == nil {
		return &prepared{}
	}
	next := &prepared{loader: loader{d: d, item: item}}
	l := &next.loader
	if l.load, next.err = newLoad(d, item, item.loadID()); next.err != nil {
		return next
	}
	if l.load.IsKnown, next.err = isKnown(ctx, db, l.load.ID); next.err != nil || l.load.IsKnown {
		return next
	}
	if l.held, next.err = in.heldRows(item); next.err == nil {
		next.err = l.prepare(ctx, db, in)
	}
	return next
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
	return in.prepare(ctx, db, d, item).finish(ctx, db)
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
