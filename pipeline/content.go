package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// What a build holds. warehouse.duckdb and parquet/ have counts, points and
// places, for anybody with the statistician's role; records.duckdb and
// parquet-records/ have what the taskforce alone may see: the month's rows,
// masked, and whatever is about one member of staff. The values of quarantined
// rows stay in the workspace: where columns slipped, a name may stand where a
// date should.
const (
	publishedFile  = "warehouse.duckdb"
	recordsFile    = "records.duckdb"
	parquetDir     = "parquet"
	recordsParquet = "parquet-records"
)

var (
	// computed are the schemas whose tables have one set of rows a month.
	computed = []string{"indicator", "score", "ranking", "confidence", "bulletin"}
	// digested are those in which two equal months are equal for a reader.
	digested = []string{"score", "ranking", "confidence", "bulletin"}
	// publicCore are the core tables without single tickets or persons.
	publicCore = []string{"core.month_info", "core.month_unit", "core.month_map", "core.month_tree"}
	// aboutStaff are tables about single members of staff.
	aboutStaff = []string{"indicator.staff_value", "score.staff_points", "score.staff_total", "ranking.staff", "seed.staff", "seed.assignment"}
)

// isRestricted says whether a table is for the taskforce only: it is about
// staff, or no statistician may see it in the bulletin.
func isRestricted(table string) bool {
	name, isBulletin := strings.CutPrefix(table, "bulletin.")
	_, isSeen := register.Seen(register.Statisticians)[name]
	return slices.Contains(aboutStaff, table) || isBulletin && !isSeen
}

// warehouseCopies are the tables of warehouse.duckdb: this and all earlier
// months.
func (h *House) warehouseCopies(ctx context.Context, month tongbao.Month) ([]warehouse.Copy, error) {
	seeds, err := h.db.Tables(ctx, "seed")
	if err != nil {
		return nil, err
	}
	var copies []warehouse.Copy
	for table := range seeds {
		if !isRestricted(table) {
			copies = append(copies, warehouse.Copy{Table: table, Select: "select * from " + table + " order by all"})
		}
	}
	monthly, err := h.copiesUpTo(ctx, month, append(slices.Clone(publicCore), "core.load"), computed)
	if err != nil {
		return nil, err
	}
	copies = append(copies, monthly...)
	slices.SortFunc(copies, func(a, b warehouse.Copy) int { return strings.Compare(a.Table, b.Table) })
	return copies, nil
}

func (h *House) copiesUpTo(ctx context.Context, month tongbao.Month, tables, schemas []string) ([]warehouse.Copy, error) {
	made, err := h.db.Tables(ctx, schemas...)
	if err != nil {
		return nil, err
	}
	for table := range made {
		if !isRestricted(table) {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	var copies []warehouse.Copy
	for _, table := range tables {
		where := fmt.Sprintf("where month <= date '%s' order by all", month.First().Format("2006-01-02"))
		if table == "core.load" {
			where = "order by load_id"
		}
		copies = append(copies, warehouse.Copy{Table: table, Select: "select * from " + table + " " + where})
	}
	return copies, nil
}

// monthCopies are the month's own rows of the computed tables: those for the
// statisticians, or those for the taskforce only.
func (h *House) monthCopies(ctx context.Context, month tongbao.Month, restricted bool) ([]warehouse.Copy, error) {
	made, err := h.db.Tables(ctx, computed...)
	if err != nil {
		return nil, err
	}
	var copies []warehouse.Copy
	for table := range made {
		if isRestricted(table) == restricted {
			copies = append(copies, warehouse.Copy{Table: table, Select: fmt.Sprintf(
				"select * from %s where month = date '%s' order by all", table, month.First().Format("2006-01-02"))})
		}
	}
	slices.SortFunc(copies, func(a, b warehouse.Copy) int { return strings.Compare(a.Table, b.Table) })
	return copies, nil
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
		ofMonth("core.month_plan"), ofMonth("core.month_return"), ofMonth("core.month_event"),
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
