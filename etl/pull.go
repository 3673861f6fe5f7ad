package etl

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// Intake is what a pull needs to know.
type Intake struct {
	Inbox, Raw  string
	Definitions []Definition
	Core        map[string]string // the SELECT of queries/core/<fact>.sql by fact
	Salt        string            // of the hashes that replace personal data
	Settle      time.Duration     // how long a file must have been left alone; 0: not asked
	Progress    func(done, total int)
	Asking      func(source, server string) // before a server is asked, which may take long; nil for nobody
	Loaded      func(Load)                  // as soon as a delivery is taken in; nil for nobody
	Choice      Choice                      // of a pull
	Now         func() time.Time            // nil is the clock; it orders what is fetched

	webWaits [2]time.Duration // least and most before a web server is asked again; zero is the default
}

// Pull takes in what lies in the inbox and what was fetched before but not
// taken in, and then asks the servers. Each delivery is a transaction of its
// own; one that cannot be taken is named in the report and holds up no other.
func Pull(ctx context.Context, db *warehouse.DB, in Intake) (Report, error) {
	var report Report
	items, err := in.scan(ctx, &report)
	if err != nil {
		return report, fmt.Errorf("read inbox %s: %w", in.Inbox, err)
	}
	pending, err := in.pending(ctx, db)
	if err != nil {
		return report, fmt.Errorf("read %s: %w", in.Raw, err)
	}
	items = append(items, pending...)
	sortDeliveries(items)
	if err := in.takeAll(ctx, db, items, &report); err != nil {
		return report, err
	}
	if err := in.redoClosings(ctx, db, &report); err != nil {
		return report, err
	}
	if err := in.fetchAll(ctx, db, &report); err != nil {
		return report, err
	}
	if err := in.dropSuperseded(ctx, db, &report); err != nil {
		return report, err
	}
	return report, report.Err()
}

// Rebuild takes in everything that was ever landed.
func Rebuild(ctx context.Context, db *warehouse.DB, in Intake) (Report, error) {
	var report Report
	items, err := in.relanded(&report)
	if err != nil {
		return report, fmt.Errorf("read %s: %w", in.Raw, err)
	}
	if err := in.takeAll(ctx, db, items, &report); err != nil {
		return report, err
	}
	if err := in.redoClosings(ctx, db, &report); err != nil {
		return report, err
	}
	if err := in.dropSuperseded(ctx, db, &report); err != nil {
		return report, err
	}
	return report, report.Err()
}

// add reports a load.
func (in Intake) add(report *Report, load Load) {
	report.Loads = append(report.Loads, load)
	if in.Loaded != nil {
		in.Loaded(load)
	}
}

func (in Intake) definition(source string) *Definition {
	for i := range in.Definitions {
		if in.Definitions[i].Source == source {
			return &in.Definitions[i]
		}
	}
	return nil
}

// definitionOf is the definition of a landed delivery; where there is none any
// more, nil, and the report says so.
func (in Intake) definitionOf(item delivery, report *Report) *Definition {
	d := in.definition(item.Source)
	if d == nil {
		report.Errors = append(report.Errors, &FileError{Source: item.Source, File: item.Name,
			What: "was landed by a source that has no definition any more", Do: "put data/sources/" + item.Source + ".yaml back"})
	}
	return d
}

// newLoad is what is known of a load before its rows are read.
func newLoad(d *Definition, item delivery, id string) (Load, error) {
	load := Load{
		ID: id, Source: d.Source, Target: d.Target, File: item.Name, SHA256: item.SHA256,
		Bytes: item.Bytes, DeliveredAt: item.DeliveredAt, Line: item.line(d),
	}
	var err error
	if month := item.Captures["month"]; month != "" {
		load.Month, err = tongbao.ParseMonth(month)
	}
	return load, err
}

// fileOf is where a delivery is read: in raw/, where one of the inbox lands
// first, or unpacked from its archive into scratch.
func (in Intake) fileOf(item delivery, scratch string) (string, error) {
	switch {
	case item.archive != "":
		return unpack(item, scratch)
	case item.path != "":
		return land(in.Raw, item)
	}
	return rawPath(in.Raw, item), nil
}

// line is the assessment line that the file names, in our words.
func (item delivery) line(d *Definition) string {
	value := item.Captures["line"]
	for _, c := range d.Columns {
		if c.Capture == "line" && c.Values[value] != "" {
			return c.Values[value]
		}
	}
	return value
}

func (d *Definition) read(ctx context.Context, db *warehouse.DB, path, scratch string, item delivery) (stage, error) {
	if item.Answers != nil {
		return d.readFixes(path, scratch, item)
	}
	if item.Fetch != nil {
		return d.readFetched(path, item)
	}
	switch d.Format {
	case "xlsx":
		return d.readXLSX(path, scratch)
	case "parquet":
		return d.readParquet(ctx, db, path)
	case "jsonl":
		return d.readJSONL(path, scratch)
	}
	return d.readCSV(path, scratch)
}

func isKnown(ctx context.Context, db *warehouse.DB, loadID string) (bool, error) {
	var one int
	err := db.SQL().QueryRowContext(ctx, "select 1 from core.load where load_id = ?", loadID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
