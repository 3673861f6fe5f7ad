package etl

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"

	"tongbao/warehouse"
)

// What is known of earlier fetches: in core by their loads, in raw/ by their
// sidecars.

// Watermark is the greatest cursor value of a source that is in core, "" if
// none. It is a column of the load's row and moves with the load only.
func Watermark(ctx context.Context, db *warehouse.DB, source string) (string, error) {
	var watermark string
	err := db.SQL().QueryRowContext(ctx, `select watermark from core.load
		where source = ? and watermark is not null order by delivered_at desc, load_id desc limit 1`, source).Scan(&watermark)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return watermark, err
}

// pending lists fetched deliveries that landed and were not taken in.
func (in Intake) pending(ctx context.Context, db *warehouse.DB) ([]delivery, error) {
	items, err := landed(in.Raw)
	if err != nil {
		return nil, err
	}
	var pending []delivery
	for _, item := range items {
		if item.Fetch == nil || !in.Choice.takes(item.Source) {
			continue
		}
		known, err := isKnown(ctx, db, item.loadID())
		if err != nil {
			return nil, err
		}
		if !known {
			pending = append(pending, item)
		}
	}
	return pending, nil
}

// dropSuperseded takes errors of fetched deliveries out of the report whose
// rows a later fetch brought again, and that is in core.
func (in Intake) dropSuperseded(ctx context.Context, db *warehouse.DB, report *Report) error {
	if !slices.ContainsFunc(report.Errors, func(e *FileError) bool { return filepath.Ext(e.File) == rowFileSuffix }) {
		return nil
	}
	items, err := landed(in.Raw)
	if err != nil {
		return err
	}
	covered := map[string]bool{}
	for _, item := range items {
		for _, other := range items {
			if item.Fetch == nil || !other.covers(item) {
				continue
			}
			known, err := isKnown(ctx, db, other.loadID())
			if err != nil {
				return err
			}
			covered[item.Name] = covered[item.Name] || known
		}
	}
	report.Errors = slices.DeleteFunc(report.Errors, func(e *FileError) bool { return covered[e.File] })
	return nil
}

// covers says whether a later fetch asked for everything that other has.
func (item delivery) covers(other delivery) bool {
	if item.Fetch == nil || item.Source != other.Source || !item.DeliveredAt.After(other.DeliveredAt) {
		return false
	}
	if item.Fetch.Kind == kindFull {
		return true
	}
	return item.Fetch.To == "" && other.Fetch.Kind == kindWindow && item.Fetch.From == other.Fetch.From
}

// lastFetched is the newest fetched delivery of a source, loaded or not.
func (in Intake) lastFetched(source string) (delivery, error) {
	items, err := landed(in.Raw)
	if err != nil {
		return delivery{}, err
	}
	var last delivery
	for _, item := range items {
		if item.Source == source && item.Fetch != nil {
			last = item
		}
	}
	return last, nil
}
