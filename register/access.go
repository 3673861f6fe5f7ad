package register

import (
	"slices"
	"strings"
)

// Audience is whom an edition of the bulletin is for.
type Audience string

// The audiences; Unit is one community.
const (
	Leaders       Audience = "leaders"
	Taskforce     Audience = "taskforce"
	Statisticians Audience = "statisticians"
	Unit          Audience = "unit"
	Public        Audience = "public"
)

// Audiences lists all of them.
func Audiences() []Audience { return []Audience{Leaders, Taskforce, Statisticians, Unit, Public} }

// Sight is what one audience may see of one table of the layer bulletin.
type Sight struct {
	// Own is the column with the name of a row's community: only the rows of
	// the reader's own are seen. "" means the rows of all.
	Own string
	// Deepest is the lowest level seen of a table with a column "level":
	// 2 communities, 3 areas; 0 means all levels.
	Deepest int
	// Without names the columns that are left out.
	Without []string
}

// access is the one table of who sees what. A table that is not named here is
// seen by nobody, and a test fails. The rules: nothing personal outside the
// taskforce; one building grid is one person, so its list goes by code to
// leaders and taskforce, to a community only its own, never to the public;
// staff places and single records go to the taskforce; the public sees
// communities and town totals.
var access = []struct {
	tables []string
	seen   map[Audience]Sight
}{
	{tables("heading summary method method_setting ticket_line ticket_channel ticket_topic repair_kind fund trend trend_ticket"),
		map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {}, Unit: {}, Public: {}}},
	{tables("community"), map[Audience]Sight{
		Leaders: {}, Taskforce: {}, Statisticians: {},
		Unit: {Without: []string{"amount", "rules", "last_streak"}}, Public: {Without: []string{"amount", "rules", "last_streak", "reason"}},
	}},
	{tables("line_unit"), map[Audience]Sight{
		Leaders: {}, Taskforce: {}, Statisticians: {}, Unit: {Own: "name"}, Public: {Without: []string{"lost", "cap"}},
	}},
	{tables("line_points"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {}, Unit: {Own: "name"}}},
	{tables("area"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {}, Unit: {Own: "community"}}},
	{tables("building"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Unit: {Own: "community"}}},
	{tables("grade"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {}}},
	{tables("coordination"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Unit: {Own: "community"}}},
	{tables("site"), map[Audience]Sight{Leaders: {}, Taskforce: {}}},
	{tables("move move_top"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {Deepest: 3}, Unit: {Own: "community"}}},
	{tables("waterfall"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {}, Unit: {Own: "name"}}},
	{tables("long"), map[Audience]Sight{Taskforce: {}, Statisticians: {Deepest: 3}, Unit: {Own: "community"}}},
	{tables("unit_range"), map[Audience]Sight{Taskforce: {}, Unit: {Own: "community"}}},
	{tables("quality_load quality_note correction"), map[Audience]Sight{Leaders: {}, Taskforce: {}, Statisticians: {}}},
	{tables("quality_quarantine"), map[Audience]Sight{
		Leaders: {Without: []string{"example_file", "example_row"}}, Taskforce: {},
		Statisticians: {Without: []string{"example_file", "example_row"}},
	}},
	{tables("lost_record"), map[Audience]Sight{
		Taskforce: {}, Unit: {Own: "community", Without: []string{"file", "sheet", "row_no", "site", "reason", "evidence"}},
	}},
	{tables("counted_record"), map[Audience]Sight{
		Taskforce: {}, Unit: {Own: "community", Without: []string{"file", "sheet", "row_no", "site"}},
	}},
	{tables("exclusion staff"), map[Audience]Sight{Taskforce: {}}},
	// Steps on the way to the tables above; no edition prints them.
	{tables(`coordination_ticket counted_activity counted_leak counted_repair lost_event lost_plan lost_return move_event move_limit move_line
		move_mix move_pair move_part move_row move_veto`), nil},
}

func tables(names string) []string { return strings.Fields(names) }

// Seen returns what an audience may see, by name of the bulletin table; a table
// that it may not see has no entry. The map is the caller's.
func Seen(by Audience) map[string]Sight {
	seen := map[string]Sight{}
	for _, entry := range access {
		sight, found := entry.seen[by]
		if !found {
			continue
		}
		for _, table := range entry.tables {
			sight.Without = slices.Clone(sight.Without)
			seen[table] = sight
		}
	}
	return seen
}

// Reading is what may be asked of one table with SQL.
type Reading struct {
	Deepest int      // as in Sight
	Without []string // as in Sight
	// Small leaves out the welfare figures of one or two cases; the queries of
	// the layer bulletin withhold those themselves.
	Small bool
}

// readable says which other tables of a version statisticians may ask with
// SQL. Figures end at areas, as in their bulletin: those of a building grid are
// the work of one person. indicator.value is kept from them for that reason;
// score.measure has the same counts by area.
var readable = []struct {
	tables  []string
	reading Reading
}{
	{tables("core.month_info core.month_unit core.month_map core.month_tree"), Reading{}},
	{tables("core.load"), Reading{Without: []string{"file"}}},
	{tables(`seed.calendar seed.category seed.clock seed.clock_day seed.grade seed.grid seed.grid_alias seed.line seed.line_weight seed.reward
		seed.rubric seed.rubric_step seed.rubric_version seed.severity seed.source_due seed.time_limit`), Reading{}},
	{tables("score.rule score.step score.base score.line score.total score.adjustment score.count score.day"), Reading{Deepest: 3}},
	{tables("score.measure score.pool score.basis score.points score.points_rate score.points_count"), Reading{Deepest: 3, Small: true}},
	{tables("score.delivered ranking.prize ranking.reward"), Reading{}},
	{tables("ranking.before ranking.comparable ranking.line ranking.total"), Reading{Deepest: 3}},
}

// Readable returns what an audience may ask of a table (schema.table) of a
// version's DuckDB files. Only statisticians and the taskforce ask with SQL;
// the taskforce may ask everything.
func Readable(by Audience, table string) (Reading, bool) {
	name, isBulletin := strings.CutPrefix(table, "bulletin.")
	switch {
	case by == Taskforce:
		return Reading{}, true
	case by != Statisticians:
		return Reading{}, false
	case isBulletin:
		sight, found := Seen(by)[name]
		// A file is one for all: it cannot hold each asker's own rows.
		return Reading{Deepest: sight.Deepest, Without: sight.Without}, found && sight.Own == ""
	}
	for _, entry := range readable {
		if slices.Contains(entry.tables, table) {
			return entry.reading, true
		}
	}
	return Reading{}, false
}
