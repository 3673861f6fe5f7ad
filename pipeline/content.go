package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// What a build holds. warehouse.duckdb and parquet/ have counts, points and
// places, cut to what anybody with the statistician's role may have of them;
// records.duckdb and parquet-records/ are the taskforce's: the month's rows,
// masked, and whole whatever is cut or kept back there. So a file may be handed
// over, and asked any question, by whoever may have it. The values of
// quarantined rows stay in the workspace: where columns slipped, a name may
// stand where a date should.
const (
	publishedFile  = "warehouse.duckdb"
	recordsFile    = "records.duckdb"
	parquetDir     = "parquet"
	recordsParquet = "parquet-records"
)

// files are a build's two, those first in which a table may lie whole.
var files = []string{recordsFile, publishedFile}

var (
	// computed are the schemas whose tables have one set of rows a month.
	computed = []string{"indicator", "score", "ranking", "confidence", "bulletin"}
	// digested are those in which two equal months are equal for a reader.
	digested = []string{"score", "ranking", "confidence", "bulletin"}
)

// share is what of a table lies where: its part for statisticians as a SELECT
// that its rows may be narrowed by with "and", "" for none; and whether that is
// less than the table, so that it must lie whole in the taskforce's files.
func share(table string, columns []string) (part string, isLess bool) {
	reading, isSeen := register.Readable(register.Statisticians, table)
	if !isSeen {
		return "", true
	}
	selected, where := "*", "true"
	if len(reading.Without) > 0 {
		selected = `* exclude ("` + strings.Join(reading.Without, `", "`) + `")`
	}
	if reading.Deepest > 0 {
		where += fmt.Sprintf(" and level <= %d", reading.Deepest)
	}
	if reading.Small {
		cases := "denominator"
		if slices.Contains(columns, "own_denominator") {
			cases = "own_denominator"
		}
		where += " and not (coalesce(" + cases + " between 1 and 2, false) and indicator in (select indicator from seed.rubric where line = 'welfare'))"
	}
	return fmt.Sprintf("select %s from %s where %s", selected, table, where), selected != "*" || where != "true"
}

// shares are the copies of tables: the part of each for statisticians, and
// whole those of which that is less than all. Of a table with months, the rows
// are those that the condition of names.
func shares(tables map[string][]string, of string) (public, restricted []warehouse.Copy) {
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		which := ""
		if slices.Contains(tables[table], "month") {
			which = " and " + of
		}
		part, isLess := share(table, tables[table])
		if part != "" {
			public = append(public, warehouse.Copy{Table: table, Select: part + which + " order by all"})
		}
		if isLess {
			restricted = append(restricted, warehouse.Copy{Table: table, Select: "select * from " + table + " where true" + which + " order by all"})
		}
	}
	return public, restricted
}

// fileCopies are the tables of warehouse.duckdb and records.duckdb: figures of
// this and all earlier months, and the rows that the month's were counted from.
func (h *House) fileCopies(ctx context.Context, month tongbao.Month) (public, restricted []warehouse.Copy, err error) {
	made, err := h.db.Tables(ctx, append([]string{"seed", "core"}, computed...)...)
	if err != nil {
		return nil, nil, err
	}
	// Seeds and facts that statisticians do not see may be about persons:
	// recordCopies says which of them leave the workspace at all.
	maps.DeleteFunc(made, func(table string, _ []string) bool {
		schema, _, _ := strings.Cut(table, ".")
		_, isSeen := register.Readable(register.Statisticians, table)
		return !isSeen && (schema == "seed" || schema == "core")
	})
	records := recordCopies(month)
	for _, one := range records {
		delete(made, one.Table)
	}
	public, restricted = shares(made, fmt.Sprintf("month <= date '%s'", month.First().Format("2006-01-02")))
	return public, append(restricted, records...), nil
}

// monthCopies are the month's own rows of the computed tables, for parquet/ and
// parquet-records/.
func (h *House) monthCopies(ctx context.Context, month tongbao.Month) (public, restricted []warehouse.Copy, err error) {
	made, err := h.db.Tables(ctx, computed...)
	if err != nil {
		return nil, nil, err
	}
	public, restricted = shares(made, fmt.Sprintf("month = date '%s'", month.First().Format("2006-01-02")))
	return public, restricted, nil
}

// recordCopies are the tables of records.duckdb: the rows that the month's
// figures were counted from, and who held which post. Names of staff stay in
// the workspace.
func recordCopies(month tongbao.Month) []warehouse.Copy {
	first := month.First().Format("2006-01-02")
	next := month.Next().First().Format("2006-01-02")
	ofMonth := func(table string) warehouse.Copy {
		return warehouse.Copy{Table: table, Select: fmt.Sprintf("select * from %s where month = date '%s' order by all", table, first)}
	}
	of := func(fact string) warehouse.Copy {
		return warehouse.Copy{Table: "core." + fact, Select: fmt.Sprintf(`select fact.* from core.%[1]s as fact
			semi join (select source, %[1]s_id from core.month_%[1]s where month = date '%[2]s') as counted
				on fact.source = counted.source and fact.%[1]s_id = counted.%[1]s_id
			order by fact.source, fact.source_key`, fact, first)}
	}
	return []warehouse.Copy{
		of("ticket"), of("repair"),
		{Table: "seed.staff", Select: "select * exclude (name) from seed.staff order by all"},
		{Table: "seed.assignment", Select: "select * from seed.assignment order by all"},
		ofMonth("core.month_ticket"), ofMonth("core.month_repair"), ofMonth("core.month_activity"),
		ofMonth("core.month_plan"), ofMonth("core.month_return"), ofMonth("core.month_event"), ofMonth("core.month_load"),
		ofMonth("bulletin.counted_record"),
		{Table: "core.exclusion", Select: "select * from core.exclusion order by source, source_key"},
		{Table: "core.fund_entry", Select: fmt.Sprintf("select * from core.fund_entry where day < date '%s' order by source, source_key", next)},
		{Table: "core.quarantine", Select: "select * exclude (value) from core.quarantine order by load_id, sheet, row_no, column_name"},
	}
}

// manifest describes the month's data; files are added when they are written.
func (h *House) manifest(ctx context.Context, month tongbao.Month) (Manifest, error) {
	made, err := h.db.Tables(ctx, digested...)
	if err != nil {
		return Manifest{}, err
	}
	var tables []string
	for table := range made {
		tables = append(tables, table)
	}
	slices.Sort(tables)
	// A bulletin that has to mark a late source is another one than that which
	// has not.
	late, err := h.lateDigest(ctx, month)
	if err != nil {
		return Manifest{}, err
	}
	if late != "" {
		tables = append(tables, "seed.source_due")
	}
	digest, err := h.db.Digest(ctx, tables, month)
	if err != nil {
		return Manifest{}, err
	}
	m := Manifest{
		Month: month.String(), Program: h.program, MadeAt: h.Now(),
		Digest: strings.Split(strings.TrimSpace(digest), "\n"), Counts: map[string]int64{},
	}
	if m.Audit, err = h.register.AuditHead(ctx); err != nil {
		return Manifest{}, err
	}
	err = h.db.SQL().QueryRowContext(ctx, "select coalesce(max(rubric_version), '') from core.month_info where month = ?", month.First()).Scan(&m.Rubric)
	if err != nil {
		return Manifest{}, err
	}
	for name, query := range map[string]string{
		"loads": "select count(*) from core.load", "rows_in": "select coalesce(sum(rows_in), 0)::bigint from core.load",
		"rows_loaded":      "select coalesce(sum(rows_loaded), 0)::bigint from core.load",
		"rows_duplicate":   "select coalesce(sum(rows_duplicate), 0)::bigint from core.load",
		"rows_quarantined": "select count(*) from core.quarantine",
		"rows_waiting":     "select count(*) from core.quarantine where state = 'open'",
	} {
		var count int64
		if err := h.db.SQL().QueryRowContext(ctx, query).Scan(&count); err != nil {
			return Manifest{}, err
		}
		m.Counts[name] = count
	}
	inputs, err := h.db.Rows(ctx, "select cast(to_json(load) as varchar) as load from core.load as load order by load_id")
	for _, row := range inputs.Cells {
		m.Inputs = append(m.Inputs, json.RawMessage(row[0].String))
	}
	return m, err
}
