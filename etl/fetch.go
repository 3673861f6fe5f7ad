package etl

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tongbao/warehouse"
)

// A fetch is a delivery like any other: what a server gives is landed untouched
// in raw/, and then taken in by the same way as a file. So a crash loses
// nothing, and a rebuild asks no server.

// fetched is what the sidecar of a fetched delivery says of the fetch.
type fetched struct {
	Kind      string   `json:"kind"`                // window, full or backfill
	From      string   `json:"from,omitempty"`      // lower bound that was asked for
	To        string   `json:"to,omitempty"`        // upper bound
	Watermark string   `json:"watermark,omitempty"` // of the source after this delivery
	Columns   []string `json:"columns"`
	Rows      int64    `json:"rows"`
	Longest   int64    `json:"longest_line"`
}

// Kinds of fetch.
const (
	kindWindow   = "window"   // from the watermark on
	kindFull     = "full"     // everything
	kindBackfill = "backfill" // between two moments; the watermark stays
	kindSample   = "sample"   // the first rows of a table, all columns; never landed
)

// window is what a connector is asked for. Bounds are watermark texts; an
// empty one is open.
type window struct {
	kind, from, to string
	now            time.Time
	most           int64 // rows of a sample, 0 for all
}

// connector reads a window of a source into a row file. host names the server
// without secrets.
type connector interface {
	host() string
	read(ctx context.Context, w window, into *rowFile) error
}

// Fetch is what a pull got from a server.
type Fetch struct {
	Source, Server, Kind, From, Watermark string
	Rows                                  int64
	IsUnchanged                           bool // the same rows as last time: nothing was landed
}

// fetchAll asks the servers, one source after the other. A server that cannot
// be read is named in the report and holds up no other.
func (in Intake) fetchAll(ctx context.Context, db *warehouse.DB, report *Report) error {
	for i := range in.Definitions {
		d := &in.Definitions[i]
		if d.Connect == nil || !in.Choice.takes(d.Source) {
			continue
		}
		fetch, item, err := in.fetch(ctx, db, d)
		var wrong *FileError
		if errors.As(err, &wrong) && ctx.Err() == nil {
			report.Errors = append(report.Errors, wrong)
			continue
		}
		if err != nil {
			return fmt.Errorf("fetch %s: %w", d.Source, err)
		}
		report.Fetches = append(report.Fetches, fetch)
		if item.Fetch == nil {
			continue
		}
		if err := in.takeAll(ctx, db, []delivery{item}, report); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads one source into a landed delivery; none if there is nothing new.
func (in Intake) fetch(ctx context.Context, db *warehouse.DB, d *Definition) (Fetch, delivery, error) {
	fetch := Fetch{Source: d.Source}
	watermark, err := Watermark(ctx, db, d.Source)
	if err != nil {
		return fetch, delivery{}, err
	}
	last, err := in.lastFetched(d.Source)
	if err != nil {
		return fetch, delivery{}, err
	}
	w, err := in.window(d, watermark)
	if err != nil {
		return fetch, delivery{}, &FileError{Source: d.Source, File: d.Source, Where: "choose the window", What: err.Error(), Do: "correct the flags or the definition"}
	}
	item := in.newFetched(d, w)
	// The order of deliveries must hold even if the clock was set back.
	if earliest := last.DeliveredAt.Add(time.Second); last.Fetch != nil && item.DeliveredAt.Before(earliest) {
		item = item.deliveredAt(earliest)
	}
	file, err := in.ask(ctx, d, w, &fetch)
	if err != nil {
		return fetch, item, err
	}
	defer file.discard()
	return in.landFetched(d, fetch, w, item, last, file, watermark)
}

func (in Intake) newFetched(d *Definition, w window) delivery {
	item := delivery{Source: d.Source, Captures: map[string]string{}, Definition: d.hash}
	return item.deliveredAt(civil(w.now))
}

// deliveredAt names a fetched delivery by its moment.
func (item delivery) deliveredAt(at time.Time) delivery {
	item.DeliveredAt, item.Name = at, item.Source+"_"+at.Format("20060102T150405")+rowFileSuffix
	return item
}

// ask reads a window of a source's server into a row file, which the caller
// discards.
func (in Intake) ask(ctx context.Context, d *Definition, w window, fetch *Fetch) (*rowFile, error) {
	c, err := in.connector(d)
	if err != nil {
		return nil, named(d, "", err)
	}
	fetch.Server, fetch.Kind, fetch.From = c.host(), w.kind, w.from
	if in.Asking != nil {
		in.Asking(d.Source, fetch.Server)
	}
	dir := filepath.Join(in.Raw, d.Source)
	if err := clearUnlanded(dir); err != nil {
		return nil, err
	}
	m := mark{isInteger: d.Connect.CursorType == "integer", zone: d.Connect.zone, most: w.now}
	file, err := newRowFile(dir, d.Connect.Cursor, m)
	if err != nil {
		return nil, err
	}
	file.most = w.most
	limited, stop := context.WithTimeout(ctx, d.Connect.timeout)
	defer stop()
	if err := c.read(limited, w, file); err != nil && !errors.Is(err, errEnough) {
		file.discard()
		if errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
			late := &FileError{Where: "read rows", What: fmt.Sprintf("not finished within the timeout of %s", d.Connect.timeout), Do: "see whether the server is busy, raise connect.timeout, or begin with a narrower --from and --to"}
			var cut *FileError
			if errors.As(err, &cut) && cut.tried != "" {
				late.What += "; the try before: " + cut.tried
			}
			err = late
		}
		return nil, named(d, c.host(), err)
	}
	return file, nil
}

// landFetched lands what was read, unless it says nothing.
func (in Intake) landFetched(d *Definition, fetch Fetch, w window, item, last delivery, file *rowFile, watermark string) (Fetch, delivery, error) {
	fetch.Rows = file.rows
	fetch.Watermark = file.mark.text()
	if w.kind != kindFull {
		fetch.Watermark = file.mark.later(watermark, fetch.Watermark)
	}
	// Also where there is none yet: what lies before a first backfill was never read.
	if w.kind == kindBackfill {
		fetch.Watermark = watermark
	}
	if file.rows == 0 {
		if d.Snapshot && w.kind == kindFull {
			return fetch, delivery{}, named(d, fetch.Server, errEmptySet)
		}
		return fetch, delivery{}, nil
	}
	sum, err := file.content()
	if err != nil {
		return fetch, delivery{}, err
	}
	if last.Fetch != nil && last.SHA256 == sum && last.Definition == d.hash && last.Fetch.Kind == w.kind && last.Fetch.Watermark == fetch.Watermark {
		fetch.IsUnchanged = true
		return fetch, delivery{}, nil
	}
	item.Fetch = &fetched{Kind: w.kind, From: w.from, To: w.to, Watermark: fetch.Watermark,
		Columns: file.names, Rows: file.rows, Longest: file.longest}
	item, err = file.land(in.Raw, item)
	if err == nil {
		warehouse.Failpoint("fetch.landed")
	}
	return fetch, item, err
}

// window chooses what to ask for. A source without a cursor is read whole.
func (in Intake) window(d *Definition, watermark string) (window, error) {
	c := d.Connect
	w := window{kind: kindWindow, now: in.now().In(c.zone)}
	isBackfill := !in.Choice.From.IsZero() || !in.Choice.To.IsZero()
	switch {
	case isBackfill && (c.Cursor == "" || c.CursorType == "integer"):
		return w, fmt.Errorf("--from and --to need a cursor of moments, which %s has not; use --full-refresh", d.Source)
	case isBackfill && in.Choice.Full:
		return w, fmt.Errorf("--full-refresh and --from/--to exclude each other")
	case isBackfill:
		w.kind = kindBackfill
		if !in.Choice.From.IsZero() {
			w.from = in.Choice.From.Format(civilForm)
		}
		if !in.Choice.To.IsZero() {
			w.to = in.Choice.To.Format(civilForm)
		}
		return w, nil
	case c.Cursor == "" || in.Choice.Full || watermark == "":
		w.kind = kindFull
		return w, nil
	}
	var err error
	w.from, err = c.before(watermark)
	return w, err
}

func (in Intake) now() time.Time {
	if in.Now == nil {
		return time.Now()
	}
	return in.Now()
}

// named puts source, kind and server in front of an error.
func named(d *Definition, server string, err error) error {
	wrong := &FileError{Where: "read rows", What: err.Error(), Do: "see whether the server can be reached from here, then pull again; nothing was taken"}
	var known *FileError
	if errors.As(err, &known) {
		copied := *known
		wrong = &copied
	}
	wrong.Source, wrong.File = d.Source, d.Source+" ("+d.Connect.Kind
	if server != "" {
		wrong.File += " at " + server
	}
	wrong.File += ")"
	return wrong
}

// connector makes the connector of a definition's kind, with its secrets.
func (in Intake) connector(d *Definition) (connector, error) {
	c := d.Connect
	switch c.Kind {
	case "postgres", "mysql":
		address, err := in.secret(c.URLEnv, c.URLFile)
		if err != nil {
			return nil, err
		}
		if c.Kind == "mysql" {
			return newMySQL(d, address)
		}
		return newPostgres(d, address)
	}
	token, err := in.secret(c.TokenEnv, c.TokenFile)
	if err != nil {
		return nil, err
	}
	client, err := newWebClient(c, token, in.webWaits)
	if err != nil {
		return nil, err
	}
	if c.Kind == "open311" {
		return &open311{client}, nil
	}
	return &httpList{client}, nil
}
