package register

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tongbao"
	"tongbao/data"
	"tongbao/etl"
	"tongbao/queries"
	"tongbao/warehouse"
)

// TestAccessNamesEveryTable fails when a bulletin query has no entry, or an
// entry no query, or names a column that the table has not.
func TestAccessNamesEveryTable(t *testing.T) {
	all := readQueries(t)
	db := openTown(t, all)
	var made []string
	for _, q := range all {
		if q.Layer == "bulletin" {
			made = append(made, q.Name)
		}
	}
	named := map[string]int{}
	for _, entry := range access {
		for _, table := range entry.tables {
			named[table]++
			if !slices.Contains(made, table) || named[table] > 1 {
				t.Errorf("access.go names %s %d times; no or one query makes it", table, named[table])
			}
		}
	}
	for _, table := range made {
		if named[table] == 0 {
			t.Errorf("bulletin.%s: who may see it? It has no entry in access.go", table)
		}
	}
	for _, by := range Audiences() {
		for table, sight := range Seen(by) {
			columns := columnsOf(t, db, table)
			wanted := slices.Clone(sight.Without)
			if sight.Own != "" {
				wanted = append(wanted, sight.Own)
			}
			if sight.Deepest > 0 {
				wanted = append(wanted, "level")
			}
			for _, column := range wanted {
				if !slices.Contains(columns, column) {
					t.Errorf("%s, %s: the table has no column %q", by, table, column)
				}
			}
		}
	}
}

// keptBack are the tables that only the taskforce asks: facts and who holds
// which post, of which pipeline/content.go lists what leaves the workspace, and
// figures of single building grids and members of staff, of which all does.
var keptBack = tables(`core.activity core.event core.exclusion core.fund_entry core.load_column core.month_activity core.month_event
	core.month_load core.month_plan core.month_repair core.month_return core.month_ticket core.plan core.quarantine core.repair core.return core.ticket
	indicator.staff_value indicator.value ranking.building ranking.staff score.staff_points score.staff_total seed.assignment seed.staff`)

// TestReadableNamesEveryTable fails when nobody has decided who may ask a table
// beside those of the bulletin.
func TestReadableNamesEveryTable(t *testing.T) {
	made, err := openTown(t, readQueries(t)).Tables(context.Background(), "seed", "core", "indicator", "score", "ranking", "confidence")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]int{}
	for _, table := range keptBack {
		named[table]++
	}
	for _, entry := range readable {
		for _, table := range entry.tables {
			named[table]++
		}
	}
	for table := range made {
		if named[table] != 1 {
			t.Errorf("%s: who may ask it? It has %d entries in readable (access.go) and keptBack, not one", table, named[table])
		}
	}
	for table := range named {
		if made[table] == nil {
			t.Errorf("readable or keptBack names %s, which nothing makes", table)
		}
	}
}

// mark stands in every place of the made-up town where a person could be read.
const mark = "PERSON"

// TestNothingPersonalLeavesTheTaskforce builds a month of a town whose every
// personal column holds a mark, and looks at all that each audience may see.
func TestNothingPersonalLeavesTheTaskforce(t *testing.T) {
	all := readQueries(t)
	db := openTown(t, all)
	for n := range 2 {
		if err := db.BuildMonth(context.Background(), all, tongbao.NewMonth(2026, 9).Add(n), ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, by := range Audiences() {
		text := whatIsSeen(t, db, by, "甲社区")
		if !strings.Contains(text, "甲社区") {
			t.Errorf("%s sees nothing of 甲社区; the test would find nothing", by)
		}
		for what, c := range map[string]struct {
			word string
			may  []Audience
		}{
			"a mark of a person":         {mark, []Audience{Taskforce}},
			"a record":                   {"T-own", []Audience{Taskforce, Unit}},
			"a record of others":         {"T-other", []Audience{Taskforce}},
			"an own building grid":       {"329118110201001", []Audience{Leaders, Taskforce, Unit}},
			"a building grid of others":  {"329118110202001", []Audience{Leaders, Taskforce}},
			"the place of a grid member": {"W01", []Audience{Taskforce}},
			"a small sensitive cell":     {"民生救助", nil},
		} {
			if sees := strings.Contains(text, c.word); sees != slices.Contains(c.may, by) {
				t.Errorf("%s sees %s (%q): %v, want %v", by, what, c.word, sees, !sees)
			}
		}
	}
}

// whatIsSeen is all cells of the tables that an audience may see.
func whatIsSeen(t *testing.T, db *warehouse.DB, by Audience, community string) string {
	t.Helper()
	var text strings.Builder
	for table, sight := range Seen(by) {
		where := "true"
		if sight.Own != "" {
			where = fmt.Sprintf("%q = '%s'", sight.Own, community)
		}
		if sight.Deepest > 0 {
			where += fmt.Sprintf(" and level <= %d", sight.Deepest)
		}
		var columns []string
		for _, column := range columnsOf(t, db, table) {
			if !slices.Contains(sight.Without, column) {
				columns = append(columns, `"`+column+`"`)
			}
		}
		rows, err := db.Rows(context.Background(), fmt.Sprintf("select %s from bulletin.%s where %s", strings.Join(columns, ", "), table, where))
		if err != nil {
			t.Fatal(err)
		}
		for _, cells := range rows.Cells {
			for _, cell := range cells {
				text.WriteString(cell.String + "\n")
			}
		}
	}
	return text.String()
}

func columnsOf(t *testing.T, db *warehouse.DB, table string) []string {
	t.Helper()
	rows, err := db.Rows(context.Background(), "from bulletin."+table+" limit 0")
	if err != nil {
		t.Fatal(err)
	}
	return rows.Columns
}

func readQueries(t *testing.T) []warehouse.Query {
	t.Helper()
	all, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// openTown has two communities with an area and a building grid each.
func openTown(t *testing.T, all []warehouse.Query) *warehouse.DB {
	t.Helper()
	ctx := context.Background()
	db, err := warehouse.Open(ctx, "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	dir := filepath.Join(t.TempDir(), "seeds")
	if err := os.CopyFS(dir, data.Seeds); err != nil {
		t.Fatal(err)
	}
	for name, text := range townSeeds {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.MakeTables(ctx, all); err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		if err := etl.LoadSeeds(ctx, tx, dir); err != nil {
			return err
		}
		for statement := range strings.SplitSeq(townFacts, ";") {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

var townSeeds = map[string]string{
	"grid.csv": `grid_id,parent_id,level,name,households,peer_group,has_party_group,valid_from,valid_to,predecessors
329118110200,,1,镇社区,,,,2024-01-01,,
329118110201,329118110200,2,甲社区,,,,2024-01-01,,
329118110202,329118110200,2,乙社区,,,,2024-01-01,,
329118110201900,329118110201,3,东片区,,,,2024-01-01,,
329118110202900,329118110202,3,西片区,,,,2024-01-01,,
329118110201001,329118110201900,4,1幢,150,,true,2024-01-01,,
329118110202001,329118110202900,4,1幢,150,,true,2024-01-01,,
`,
	"staff.csv":      "staff_id,name,role\nW01,PERSON,网格员\n",
	"assignment.csv": "staff_id,grid_id,role,valid_from,valid_to\nW01,329118110201001,网格员,2024-01-01,\n",
}

const townFacts = `
insert into core.load (load_id, source, target, file, delivered_at, month, rows_in, rows_loaded, rows_duplicate, rows_quarantined)
	select fact, 'platform', fact, 'a.csv', timestamp '2026-11-02', date '2026-10-01', 9, 9, 0, 0
	from (values ('ticket'), ('repair'), ('activity'), ('event')) as kind(fact);
insert into core.quarantine (load_id, source, file, row_no, column_name, value, reason, detail)
	values ('ticket', 'platform', 'PERSON.csv', 3, '手机', 'PERSON', 'bad_value', 'PERSON');
insert into core.ticket (source, source_key, ticket_id, file, row_no, category, line, kind, grid_id, grid_name, staff_id, summary, caller_key,
		site_key, state, state_reason, reported_at, due_at, closed_at, satisfaction, rework_count, weight, delivered_at, first_delivered_at)
	select 'platform', ticket.ticket_id, ticket.ticket_id, 'PERSON.csv', 2, ticket.category, ticket.line, ticket.kind, ticket.grid_id, 'PERSON',
		'W01', 'PERSON', 'PERSON', '农贸市场', ticket.state, 'PERSON', month.month + interval 5 day, month.month + interval 9 day, ticket.closed_at,
		'satisfied', 0, 1, timestamp '2026-11-02', timestamp '2026-11-02'
	from (values ('T-own1', 'city_road', 'city', 'other', '329118110201001', 'open', null), ('T-own2', 'city_road', 'city', 'other', '329118110201001', 'open', null),
		('T-own3', 'complaint_noise', 'environment', 'complaint', '329118110201001', 'closed', timestamp '2026-10-08'),
		('T-own4', 'welfare_help', 'welfare', 'other', '329118110201001', 'hung', null), ('T-other1', 'city_road', 'city', 'other', '329118110202001', 'open', null),
		('T-other2', 'city_drain', 'city', 'other', '329118110202001', 'open', null)) as ticket(ticket_id, category, line, kind, grid_id, state, closed_at)
	cross join (values (date '2026-10-01')) as month(month);
insert into core.exclusion (source, source_key, ticket_id, ticket_source, metric_set, reason, evidence, decided_by, decided_at, approved_by, file, row_no)
	values ('exclusions', 'x', 'T-own1', 'platform', 'cg5', '不合理诉求', 'PERSON', 'PERSON', timestamp '2026-10-30', 'PERSON', 'PERSON.xlsx', 2);
insert into core.event (source, source_key, event_id, file, row_no, day, grid_id, line, indicator, site, count, severity, reason, evidence, first_delivered_at)
	values ('events', 'e', 'E1', 'PERSON.xlsx', 2, date '2026-10-09', '329118110201001', 'environment', 'hb7', 'PERSON', 1, 'site', 'PERSON', 'PERSON', timestamp '2026-11-02');
insert into core.repair (source, source_key, repair_id, file, row_no, grid_id, home_key, part, kind, urgency, state, reported_at, due_at, arrive_due_at,
		project, budget, is_in_warranty, first_delivered_at)
	values ('repairs', 'r', 'R-own', 'PERSON.xlsx', 2, '329118110201001', 'PERSON', '屋面', '渗漏', 'normal', 'open', timestamp '2026-10-03',
		timestamp '2026-10-20', timestamp '2026-10-08', 'PERSON', 100, false, timestamp '2026-11-02');
insert into core.fund_entry (source, source_key, entry_id, day, kind, amount, repair_id, project, note)
	values ('fund', 'f', 'F1', date '2026-10-05', 'committed', 100, 'R-own', 'PERSON', 'PERSON');
insert into core.plan (source, source_key, file, row_no, month, grid_id, staff_id, kind, class, required)
	values ('plans', 'p', 'PERSON.csv', 2, date '2026-10-01', '329118110201001', 'W01', 'elder_visit', '重点', 2);
insert into core.activity (source, source_key, activity_id, kind, class, object_key, done_at, staff_id, grid_id, is_valid, checked, found_right, first_delivered_at)
	values ('activities', 'a', 'A1', 'elder_visit', '重点', 'PERSON', timestamp '2026-10-07', 'W01', '329118110201001', true, 0, 0, timestamp '2026-11-02');
insert into core."return" (source, source_key, file, row_no, month, grid_id, line, item, numerator, denominator, note, delivered_at, first_delivered_at)
	values ('returns', 'q', 'PERSON.xlsx', 2, date '2026-10-01', '329118110201', 'party', 'dq4', 90, 100, 'PERSON', timestamp '2026-11-02', timestamp '2026-11-02')`
