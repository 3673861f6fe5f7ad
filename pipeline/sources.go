package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"tongbao/etl"
	"tongbao/warehouse"
)

// Sources has one row a source: what it is, and what it delivered last.
func (h *House) Sources(ctx context.Context) (warehouse.Rows, error) {
	definitions, err := h.definitions()
	if err != nil {
		return warehouse.Rows{}, err
	}
	rows := []string{"(null, null, null, null)"} // VALUES wants a row
	for _, d := range definitions {
		rows = append(rows, fmt.Sprintf("(%s, %s, %s, %s)", quote(d.Source), quote(d.Name), quote(d.Kind()), quote(d.Target)))
	}
	return h.db.Rows(ctx, `with waiting as (
			select source, count(*) as rows from core.quarantine where state = 'open' group by source
		), differing as (
			select load.source, string_agg(distinct case kind when 'new' then '+' else '-' end || column_name, ' ') as columns
			from core.load_column as differing inner join core.load as load using (load_id)
			where load.delivered_at = (select max(last.delivered_at) from core.load as last where last.source = load.source)
			group by load.source
		)
		select definition.source, definition.name, definition.kind, definition.target,
			max(load.delivered_at)::date as last_delivered, count(load.load_id) as loads,
			coalesce(sum(load.rows_in), 0)::bigint as rows_in, coalesce(sum(load.rows_loaded), 0)::bigint as rows_loaded,
			coalesce(max(waiting.rows), 0) as waiting, coalesce(max(differing.columns), '') as differing_columns
		from (values `+strings.Join(rows, ", ")+`) as definition(source, name, kind, target)
		left join core.load as load using (source)
		left join waiting using (source)
		left join differing using (source)
		where definition.source is not null
		group by all order by all`)
}

// Trial is what a delivery, or the first rows of a server, would become.
type Trial struct {
	etl.Probed
	Reasons warehouse.Rows // counts of bad rows
	Bad     warehouse.Rows // the first bad rows, masked
	Refused *etl.FileError // why a pull would refuse the delivery, nil if it would not
}

// TrialRequest asks for a trial; see Workspace.TestSource.
type TrialRequest struct {
	Source, File string
	Choice       etl.Choice
	Shown        int // bad rows
}

// SecretVariable names the environment variable that a source's server is asked
// with, "" if there is none. Where it is not set the service may have it.
func (w Workspace) SecretVariable(source string) (string, error) {
	definitions, err := w.definitions()
	if err != nil {
		return "", err
	}
	for _, d := range definitions {
		if d.Source == source && d.Connect != nil {
			return d.Connect.URLEnv + d.Connect.TokenEnv, nil // one of them at most
		}
	}
	return "", nil
}

// TestSource reads and types a delivery as a pull would, and loads nothing.
// File "" is the source's newest one in the inbox; of a server the first rows
// are read, by Choice those of a window.
func (w Workspace) TestSource(ctx context.Context, request TrialRequest) (trial Trial, err error) {
	source := request.Source
	definitions, err := w.definitions()
	if err != nil {
		return trial, err
	}
	if !slices.ContainsFunc(definitions, func(d etl.Definition) bool { return d.Source == source }) {
		return trial, problemf("%s has no source %q; \"tongbao sources list\" lists them", w.sourcesDir(), source)
	}
	queries, err := warehouse.ReadQueries(w.queryFiles())
	if err != nil {
		return trial, &Problem{fmt.Errorf("queries: %w", err)}
	}
	db, err := warehouse.Open(ctx, "", w.engine())
	if err != nil {
		return trial, err
	}
	defer db.Close()
	if err := db.MakeTables(ctx, queries); err != nil {
		return trial, err
	}
	if err := w.loadSeeds(ctx, db); err != nil {
		return trial, err
	}
	// The copy holds personal data; it lies where only the owner looks, and goes.
	raw, err := os.MkdirTemp("", "tongbao-trial-")
	if err != nil {
		return trial, err
	}
	defer os.RemoveAll(raw)
	intake := etl.Intake{Inbox: w.inboxDir(), Raw: raw, Definitions: definitions, Core: coreQueries(queries), Salt: "trial", Choice: request.Choice}
	trial.Probed, err = etl.Probe(ctx, db, intake, source, request.File)
	if err != nil && !errors.As(err, &trial.Refused) {
		return trial, &Problem{err}
	}
	trial.Reasons, err = db.Rows(ctx, `select reason, column_name as "column", count(*) as rows from core.quarantine group by all order by rows desc, reason, column_name`)
	if err != nil {
		return trial, err
	}
	trial.Bad, err = db.Rows(ctx, fmt.Sprintf(`select sheet, row_no as row, column_name as "column", value, reason, detail
		from core.quarantine order by sheet, row_no limit %d`, request.Shown))
	return trial, err
}

// Unknown is what a definition is to be proposed for: a file, or a table of a
// database where Connect names its kind.
type Unknown struct {
	File, Sheet            string
	Connect, URLEnv, Table string
	Target                 string // "" is guessed
	Source                 string // name of the proposed definition
}

// Discover proposes a definition.
func (w Workspace) Discover(ctx context.Context, of Unknown) (string, error) {
	definitions, err := w.definitions()
	if err != nil {
		return "", err
	}
	var sample etl.Sample
	if of.Connect != "" {
		sample, err = etl.SampleTable(ctx, of.Connect, of.URLEnv, of.Table)
	} else {
		sample, err = etl.SampleFile(ctx, of.File, of.Sheet)
	}
	if err != nil {
		return "", &Problem{err}
	}
	sample.Target = of.Target
	text, err := etl.Discover(sample, of.Source, definitions)
	if err != nil {
		return "", &Problem{err}
	}
	return text, nil
}
