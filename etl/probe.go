package etl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tongbao/warehouse"
)

// ProbeRows is how many rows of a server are read to try its definition.
const ProbeRows = 1000

// Probed is what a delivery, or the first rows of a server, would become.
type Probed struct {
	Load   Load
	Fetch  Fetch    // of a server
	Passed []string // columns of a server's table that the definition does not name, so they are not read
}

// Probe reads and types one delivery of a source as a pull would, or the first
// ProbeRows rows of its server within in.Choice, in db, an empty database in
// memory with the seeds loaded. in.Raw is a folder to throw away. path "" is the
// newest delivery in the inbox. The error of a delivery that a pull would refuse
// is returned beside the load's counts.
func Probe(ctx context.Context, db *warehouse.DB, in Intake, source, path string) (probed Probed, err error) {
	d := in.definition(source)
	if d == nil {
		return probed, fmt.Errorf("no source %q; there are %v", source, in.sourceNames())
	}
	item, err := in.probed(ctx, d, path, &probed)
	if err != nil || d.Connect != nil && item.Fetch == nil {
		return probed, err // a server may have no rows
	}
	defer func() {
		var wrong *FileError
		if errors.As(err, &wrong) {
			wrong.Source, wrong.File = source, item.Name
		}
	}()
	all := 100
	lenient := *d
	lenient.OnBad, lenient.MaxBadShare = quarantine, &all
	probed.Load, err = in.take(ctx, db, &lenient, item)
	if err != nil {
		return probed, err
	}
	return probed, db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		return (&loader{d: d, load: probed.Load}).checkBad(ctx, tx)
	})
}

// sampled reads the first rows of a source's server.
func (in Intake) sampled(ctx context.Context, d *Definition, probed *Probed) (item delivery, err error) {
	w, err := in.window(d, "")
	if err != nil {
		return item, err
	}
	w.most = ProbeRows
	probed.Fetch.Source = d.Source
	file, err := in.ask(ctx, d, w, &probed.Fetch)
	if err != nil {
		return item, err
	}
	defer file.discard()
	probed.Passed = file.passed
	probed.Fetch, item, err = in.landFetched(d, probed.Fetch, w, in.newFetched(d, w), delivery{}, file, "")
	return item, err
}

func (in Intake) probed(ctx context.Context, d *Definition, path string, probed *Probed) (delivery, error) {
	switch {
	case d.Connect != nil && path != "":
		return delivery{}, fmt.Errorf("%s is fetched from a server (connect), not read from a file; leave the file out", d.Source)
	case d.Connect != nil:
		return in.sampled(ctx, d, probed)
	case in.Choice.again():
		return delivery{}, fmt.Errorf("--from and --to are for servers; %s comes as files", d.Source)
	case path != "":
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
