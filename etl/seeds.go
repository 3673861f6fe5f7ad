package etl

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tongbao/warehouse"
)

// The calendar is laid out for these years; dates outside have no working
// clock.
var (
	calendarFirst = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	calendarLast  = time.Date(2040, 12, 31, 0, 0, 0, 0, time.UTC)
)

// LoadSeeds replaces the seed tables by the files of a seeds folder. What is
// wrong in them is an error with file and line; nothing is then replaced.
func LoadSeeds(ctx context.Context, tx *warehouse.Tx, dir string) error {
	rubric, err := readRubric(dir)
	if err != nil {
		return err
	}
	for _, table := range []string{
		"line", "grid", "grid_alias", "staff", "assignment", "category", "time_limit", "clock", "calendar", "clock_day",
		"rubric_version", "line_weight", "rubric", "rubric_step", "severity", "reward", "grade",
	} {
		if _, err := tx.Exec(ctx, "delete from seed."+table); err != nil {
			return err
		}
	}
	for _, seed := range seedFiles {
		if err := loadSeedCSV(ctx, tx, dir, seed); err != nil {
			return err
		}
	}
	if err := insertRubric(ctx, tx, rubric); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "create or replace temp table seed_exception (day date, is_working boolean, name varchar)"); err != nil {
		return err
	}
	if err := loadSeedCSV(ctx, tx, dir, calendarFile); err != nil {
		return err
	}
	for _, statement := range derivedSeeds() {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("lay out seeds of %s: %w", dir, err)
		}
	}
	return checkSeeds(ctx, tx, dir)
}

// seedFile is a CSV of seeds: its columns are those of the table, each with
// the SQL that types its text.
type seedFile struct {
	name    string
	columns []string
	selects []string
}

var seedFiles = []seedFile{
	{"line", []string{"line", "name", "position"}, []string{"line", "name", "position::bigint"}},
	{"grid", []string{"grid_id", "parent_id", "level", "name", "households", "peer_group", "has_party_group", "valid_from", "valid_to", "predecessors"},
		[]string{"grid_id", "parent_id", "level::integer", "name", "coalesce(households, '0')::bigint", "coalesce(peer_group, '')",
			"coalesce(has_party_group, 'false')::boolean", "valid_from::date", "valid_to::date", "coalesce(string_split(predecessors, ';'), [])"}},
	{"grid_alias", []string{"alias", "grid_id", "valid_from", "valid_to"}, []string{"alias", "grid_id", "valid_from::date", "valid_to::date"}},
	{"staff", []string{"staff_id", "name", "role"}, []string{"staff_id", "name", "role"}},
	{"assignment", []string{"staff_id", "grid_id", "role", "valid_from", "valid_to"}, []string{"staff_id", "grid_id", "role", "valid_from::date", "valid_to::date"}},
	{"category", []string{"category", "name", "line", "kind", "is_sensitive"}, []string{"category", "name", "line", "kind", "is_sensitive::boolean"}},
	{"time_limit", []string{"category", "urgency", "stage", "amount", "clock"}, []string{"category", "urgency", "amount::bigint", "clock", "stage"}},
	{"clock", []string{"clock", "opens", "closes", "is_working_days_only"},
		[]string{"clock", "split_part(opens, ':', 1)::bigint * 60 + split_part(opens, ':', 2)::bigint",
			"split_part(closes, ':', 1)::bigint * 60 + split_part(closes, ':', 2)::bigint", "is_working_days_only::boolean"}},
	{"severity", []string{"indicator", "word", "part"}, []string{"indicator", "word", "part"}},
}

func (s seedFile) table() string {
	if s.name == "calendar" {
		return "seed_exception"
	}
	return "seed." + s.name
}

// calendarFile lists only the days that are not as the weekday says.
var calendarFile = seedFile{"calendar", []string{"day", "is_working", "name"}, []string{"day::date", "is_working::boolean", "name"}}

func loadSeedCSV(ctx context.Context, tx *warehouse.Tx, dir string, seed seedFile) error {
	path := filepath.Join(dir, seed.name+".csv")
	records, err := readSeedCSV(path, seed.columns)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf("create or replace temp table seed_text (%s varchar)", strings.Join(seed.columns, " varchar, "))); err != nil {
		return err
	}
	const batch = 500
	for from := 0; from < len(records); from += batch {
		var rows []string
		for _, record := range records[from:min(from+batch, len(records))] {
			var cells []string
			for _, cell := range record {
				cells = append(cells, "nullif("+literal(strings.TrimSpace(cell))+", '')")
			}
			rows = append(rows, "("+strings.Join(cells, ", ")+")")
		}
		if _, err := tx.Exec(ctx, "insert into seed_text values "+strings.Join(rows, ", ")); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf("insert into %s select %s from seed_text", seed.table(), strings.Join(seed.selects, ", "))); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readSeedCSV reads a small CSV whose header must be exactly the columns.
func readSeedCSV(path string, columns []string) ([][]string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing; take the one of \"tongbao init\" or an empty one with the header %s", path, strings.Join(columns, ","))
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = len(columns)
	records, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(records) == 0 || strings.TrimPrefix(strings.Join(records[0], ","), "\ufeff") != strings.Join(columns, ",") {
		return nil, fmt.Errorf("%s: line 1: want the header %s", path, strings.Join(columns, ","))
	}
	return records[1:], nil
}

// derivedSeeds lays out the calendar and the clocks by day, and adds to the
// spellings what follows from the tree: code, name, and the name below its
// community's, wherever they name one grid only.
func derivedSeeds() []string {
	const form = "2006-01-02"
	return []string{
		fmt.Sprintf(`insert into seed.calendar
with day as (
    select unnest(generate_series(timestamp '%s', timestamp '%s', interval 1 day))::date as day
),
judged as (
    select day.day, coalesce(exception.is_working, isodow(day.day) <= 5) as is_working, exception.name
    from day left join seed_exception as exception using (day)
)
select day, is_working, name, count(*) filter (where is_working) over (order by day rows unbounded preceding)
from judged`, calendarFirst.Format(form), calendarLast.Format(form)),
		`insert into seed.clock_day
select clock.clock, calendar.day, clock.opens_minute,
    case when clock.is_working_days_only and not calendar.is_working then 0 else clock.closes_minute - clock.opens_minute end as open_minutes,
    coalesce(sum(case when clock.is_working_days_only and not calendar.is_working then 0 else clock.closes_minute - clock.opens_minute end)
        over (partition by clock.clock order by calendar.day rows between unbounded preceding and 1 preceding), 0)::bigint
from seed.clock as clock cross join seed.calendar as calendar`,
		`insert into seed.grid_alias
with unit as (
    select grid.grid_id, grid.name, grid.valid_from, grid.valid_to, parent.name as parent_name, above.name as above_name
    from seed.grid as grid
    left join seed.grid as parent on grid.parent_id = parent.grid_id and parent.valid_from <= coalesce(grid.valid_to, date '9999-12-31')
        and grid.valid_from <= coalesce(parent.valid_to, date '9999-12-31')
    left join seed.grid as above on parent.parent_id = above.grid_id and above.valid_from <= coalesce(grid.valid_to, date '9999-12-31')
        and grid.valid_from <= coalesce(above.valid_to, date '9999-12-31')
),
spelling as (
    select grid_id as alias, * from unit
    union select name, * from unit
    union select parent_name || name, * from unit
    union select above_name || name, * from unit
    union select above_name || parent_name || name, * from unit
)
select alias, min(grid_id), min(valid_from), case when bool_or(valid_to is null) then null else max(valid_to) end
from spelling
where alias is not null and alias not in (select alias from seed.grid_alias)
group by alias
having count(distinct grid_id) = 1`,
	}
}

// checkSeeds finds what would make a later result wrong in silence.
func checkSeeds(ctx context.Context, tx *warehouse.Tx, dir string) error {
	for _, check := range []struct{ file, what, query string }{
		{"grid.csv", "a grid has overlapping validities", `select a.grid_id from seed.grid as a inner join seed.grid as b on a.grid_id = b.grid_id and a.rowid < b.rowid
			and a.valid_from <= coalesce(b.valid_to, date '9999-12-31') and b.valid_from <= coalesce(a.valid_to, date '9999-12-31')`},
		{"grid.csv", "a grid's parent is unknown or not one level above", `select child.grid_id from seed.grid as child where child.level > 1
			and not exists (select 1 from seed.grid as parent where parent.grid_id = child.parent_id and parent.level = child.level - 1)`},
		{"grid.csv", "a level is not 1 to 4", "select grid_id from seed.grid where level not between 1 and 4"},
		{"grid_alias.csv", "a spelling names two grids on the same day", `select a.alias from seed.grid_alias as a inner join seed.grid_alias as b on a.alias = b.alias and a.rowid < b.rowid
			and a.valid_from <= coalesce(b.valid_to, date '9999-12-31') and b.valid_from <= coalesce(a.valid_to, date '9999-12-31')`},
		{"grid_alias.csv", "a spelling names a grid that grid.csv does not have", "select alias from seed.grid_alias anti join seed.grid using (grid_id)"},
		{"assignment.csv", "a post names an unknown person or grid", `select staff_id || ' ' || grid_id from seed.assignment as post
			where not exists (select 1 from seed.staff as person where person.staff_id = post.staff_id) or not exists (select 1 from seed.grid as grid where grid.grid_id = post.grid_id)`},
		{"category.csv", "a category is listed twice, or of an unknown line", `select name from seed.category group by name having count(*) > 1
			union select name from seed.category where line not in (select line from seed.line)`},
		{"severity.csv", "a word is listed twice for an indicator", "select indicator || ' ' || word from seed.severity group by indicator, word having count(*) > 1"},
		{"time_limit.csv", "a clock is unknown", "select clock from seed.time_limit where clock <> 'working_day' and clock not in (select clock from seed.clock)"},
		{"rubric.yaml", "an indicator has two rows in force in one month", `select a.indicator from seed.rubric as a inner join seed.rubric as b on a.indicator = b.indicator and a.rowid < b.rowid
			and a.valid_from <= coalesce(b.valid_to, date '9999-12-31') and b.valid_from <= coalesce(a.valid_to, date '9999-12-31')`},
	} {
		var offenders string
		query := "select coalesce(string_agg(distinct offender, ', '), '') from (" + check.query + ") as found(offender)"
		if err := tx.QueryRow(ctx, query).Scan(&offenders); err != nil {
			return fmt.Errorf("%s: %w", check.file, err)
		}
		if offenders != "" {
			return fmt.Errorf("%s: %s: %s", filepath.Join(dir, check.file), check.what, offenders)
		}
	}
	return nil
}

// inserter inserts rows and keeps the first error.
type inserter struct {
	ctx context.Context
	tx  *warehouse.Tx
	err error
}

func (in *inserter) row(table string, values ...any) {
	if in.err != nil {
		return
	}
	marks := strings.Repeat(", ?", len(values))[2:]
	if _, err := in.tx.Exec(in.ctx, "insert into "+table+" values ("+marks+")", values...); err != nil {
		in.err = fmt.Errorf("%s: %w", table, err)
	}
}
