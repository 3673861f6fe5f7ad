package etl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tongbao/warehouse"
)

// Probe reads and types one delivery of a source as a pull would, in db, an
// empty database in memory with the seeds loaded. in.Raw is a folder to throw
// away. path "" is the newest delivery in the inbox. The error of a delivery
// that a pull would refuse is returned beside the load's counts.
func Probe(ctx context.Context, db *warehouse.DB, in Intake, source, path string) (Load, error) {
	d := in.definition(source)
	if d == nil {
		return Load{}, fmt.Errorf("no source %q; there are %v", source, in.sourceNames())
	}
	item, err := in.probed(ctx, d, path)
	if err != nil {
		return Load{}, err
	}
	all := 100
	lenient := *d
	lenient.OnBad, lenient.MaxBadShare = quarantine, &all
	load, err := in.take(ctx, db, &lenient, item)
	if err != nil {
		return load, err
	}
	return load, db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		err := (&loader{d: d, load: load}).checkBad(ctx, tx)
		if wrong, isWrong := err.(*FileError); isWrong {
			wrong.Source, wrong.File = source, item.Name
		}
		return err
	})
}

func (in Intake) probed(ctx context.Context, d *Definition, path string) (delivery, error) {
	if d.Connect != nil {
		return delivery{}, fmt.Errorf("%s is fetched from a server (connect); \"tongbao pull --source %s\" asks it", d.Source, d.Source)
	}
	if path != "" {
		info, err := os.Stat(path)
		if err != nil {
			return delivery{}, err
		}
		if !d.pattern.MatchString(info.Name()) {
			return delivery{}, fmt.Errorf("%s: its name does not match files of %s: %s", info.Name(), d.Source, d.Files)
		}
		return d.describe(path, info)
	}
	var report Report
	items, err := in.scan(ctx, &report)
	if err != nil {
		return delivery{}, err
	}
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].Source == d.Source && items[i].Answers == nil {
			return items[i], nil
		}
	}
	return delivery{}, fmt.Errorf("no delivery of %s in %s; name a file", d.Source, filepath.Clean(in.Inbox))
}

func (in Intake) sourceNames() []string {
	var names []string
	for _, d := range in.Definitions {
		names = append(names, d.Source)
	}
	return names
}

// Kind is how a source delivers: the format of its files, or its connector.
func (d Definition) Kind() string {
	if d.Connect != nil {
		return d.Connect.Kind
	}
	return d.Format
}
