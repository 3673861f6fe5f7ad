package reports

import "slices"

// kind says how a column is shown.
type kind int

const (
	words   kind = iota // text as it is
	code                // a code that the locale names
	listed              // names with their figures: 党员参会率 −5.00（96/120）；…
	integer             // a count
	score               // two places
	rate                // one place, percent
	signed              // two places with a sign: a change of a score
	moves               // a change of place: ▲2 ▼1
	rank                // a place, 并列 when tied
	money               // yuan with separators and two places
	date                // a day
	month               // a month
	exact               // six places with a sign: a part of a change
	exactly             // six places
)

// column is a column of a bulletin table; Heat is shaded by its value.
// Editions that it is narrowed to; none means all of its section's. Screen is
// left out on paper, where a column beside it says as much.
type column struct {
	Key      string
	Kind     kind
	Heat     bool
	Screen   bool
	Editions []Edition
}

// section is one table of the bulletin: a table of the layer bulletin, where
// Filter narrows it to the rows with that value in FilterBy.
type section struct {
	ID       string // words and anchor
	Table    string
	FilterBy string
	Filter   string
	// Own is the column that holds the community of a row, its name or code.
	// The unit edition keeps the rows of its own, and all rows where Own is "".
	Own     string
	In      []Edition // the editions that hold it
	Columns []column
}

// sheet is a page of the workbook and a chapter of the page.
type sheet struct {
	ID       string
	Sections []section
}

var lines = []string{"party", "law", "economy", "safety", "environment", "welfare", "culture", "city", "property"}

// Who holds what; register's access table is the rule, and a test holds the
// two against each other.
var (
	everyone = Editions()
	inTown   = []Edition{Leaders, Taskforce, Statisticians, Unit} // not the public
	office   = []Edition{Leaders, Taskforce, Statisticians}
	deciders = []Edition{Leaders, Taskforce, Unit} // lists by code and place; a unit its own
	checkers = []Edition{Taskforce, Statisticians, Unit}
	own      = []Edition{Taskforce, Unit}
)

// sheets lists what an edition holds, in order. A new section is one entry
// here, one file in queries/bulletin, and its words in templates/locale.
func sheets(of Edition) []sheet {
	var kept []sheet
	for _, s := range allSheets() {
		var sections []section
		for _, one := range s.Sections {
			if slices.Contains(one.In, of) {
				one.Columns = columnsOf(one.Columns, of)
				sections = append(sections, one)
			}
		}
		if len(sections) > 0 {
			kept = append(kept, sheet{s.ID, sections})
		}
	}
	return kept
}

func columnsOf(all []column, of Edition) []column {
	var kept []column
	for _, c := range all {
		if c.Editions == nil || slices.Contains(c.Editions, of) {
			kept = append(kept, c)
		}
	}
	return kept
}

func allSheets() []sheet {
	list := []sheet{{"ranking", []section{
		{ID: "community", Table: "community", Own: "name", In: everyone, Columns: communityColumns()},
		{ID: "unit_range", Table: "unit_range", FilterBy: "level", Filter: "2", Own: "grid_id", In: []Edition{Unit}, Columns: []column{
			{Key: "line", Kind: code}, {Key: "indicator"}, {Key: "value", Kind: score}, {Key: "full_points", Kind: score}, {Key: "numerator", Kind: integer}, {Key: "denominator", Kind: integer},
			{Key: "least", Kind: score}, {Key: "middle", Kind: score}, {Key: "greatest", Kind: score}, {Key: "units", Kind: integer}, {Key: "state", Kind: code}}},
	}}, moveSheet()}
	for _, line := range lines {
		list = append(list, sheet{line, lineSections(line)})
	}
	list = append(list, unitSheets()...)
	list = append(list, serviceSheet(), sheet{"coordination", []section{{ID: "coordination", Table: "coordination", Own: "community", In: deciders, Columns: []column{
		{Key: "kind", Kind: code}, {Key: "community"}, {Key: "line"}, {Key: "subject"}, {Key: "cases", Kind: integer}, {Key: "until", Kind: date}}}}})
	return append(list, proofSheets()...)
}

func communityColumns() []column {
	columns := []column{{Key: "place", Kind: rank}, {Key: "name"}, {Key: "total", Kind: score}}
	for _, line := range lines {
		columns = append(columns, column{Key: line, Kind: score, Heat: true})
	}
	return append(columns, []column{{Key: "bonus", Kind: score}, {Key: "deduction", Kind: score},
		{Key: "last_place", Kind: integer}, {Key: "place_change", Kind: moves}, {Key: "total_change", Kind: signed},
		{Key: "last_streak", Kind: integer, Editions: office}, {Key: "amount", Kind: money, Editions: office},
		{Key: "rules", Kind: code, Editions: office}, {Key: "reason", Kind: listed, Editions: inTown}}...)
}

// moveSheet says why each total moved: the two biggest reasons for all, the
// exact split for those who check it.
func moveSheet() sheet {
	return sheet{"move", []section{
		{ID: "move_top", Table: "move_top", FilterBy: "level", Filter: "2", Own: "name", In: inTown, Columns: []column{
			{Key: "name"}, {Key: "total_change", Kind: signed}, {Key: "turn", Kind: integer}, {Key: "line", Kind: code}, {Key: "indicator"}, {Key: "indicator_name"},
			{Key: "cause", Kind: code}, {Key: "amount", Kind: signed}, {Key: "numerator", Kind: integer}, {Key: "denominator", Kind: integer},
			{Key: "last_numerator", Kind: integer}, {Key: "last_denominator", Kind: integer}, {Key: "is_comparable", Kind: code}}},
		{ID: "move", Table: "move", FilterBy: "level", Filter: "2", Own: "grid_id", In: checkers, Columns: []column{
			{Key: "name"}, {Key: "line", Kind: code}, {Key: "indicator"}, {Key: "cause", Kind: code}, {Key: "amount", Kind: exact}, {Key: "total_change", Kind: signed}}},
	}}
}

func lineSections(line string) []section {
	return []section{
		{ID: "line_unit", Table: "line_unit", FilterBy: "line", Filter: line, Own: "name", In: everyone, Columns: []column{
			{Key: "place", Kind: rank}, {Key: "name"}, {Key: "score", Kind: score, Heat: true}, {Key: "score_change", Kind: signed},
			{Key: "deduction", Kind: score}, {Key: "bonus", Kind: score}, {Key: "cap", Kind: score, Editions: inTown}, {Key: "state", Kind: code}, {Key: "lost", Kind: listed, Editions: inTown}}},
		{ID: "line_points", Table: "line_points", FilterBy: "line", Filter: line, Own: "name", In: checkers, Columns: []column{
			{Key: "indicator"}, {Key: "indicator_name"}, {Key: "name"}, {Key: "numerator", Kind: integer}, {Key: "denominator", Kind: integer},
			{Key: "points", Kind: score}, {Key: "full_points", Kind: score}, {Key: "lost", Kind: score}, {Key: "state", Kind: code}, {Key: "n", Kind: integer}}},
	}
}

// unitSheets are areas, building grids and staff. One building grid is one
// person: its list never goes to the public.
func unitSheets() []sheet {
	return []sheet{
		{"area", []section{{ID: "area", Table: "area", Own: "community_id", In: inTown, Columns: []column{
			{Key: "place", Kind: rank}, {Key: "name"}, {Key: "households", Kind: integer}, {Key: "total", Kind: score},
			{Key: "law", Kind: score, Heat: true}, {Key: "safety", Kind: score, Heat: true}, {Key: "environment", Kind: score, Heat: true},
			{Key: "city", Kind: score, Heat: true}, {Key: "property", Kind: score, Heat: true}, {Key: "last_place", Kind: integer},
			{Key: "place_change", Kind: moves}, {Key: "total_change", Kind: signed}, {Key: "small_share", Kind: rate}, {Key: "unranked", Kind: code}}}}},
		{"building", []section{
			{ID: "grade", Table: "grade", In: office, Columns: []column{{Key: "grade"}, {Key: "units", Kind: integer}}},
			{ID: "building", Table: "building", Own: "community_id", In: deciders, Columns: []column{
				{Key: "peer_group"}, {Key: "place", Kind: rank}, {Key: "code"}, {Key: "community"}, {Key: "households", Kind: integer}, {Key: "tickets_due", Kind: integer},
				{Key: "total", Kind: score}, {Key: "grade"}, {Key: "rolling_total", Kind: score, Heat: true}, {Key: "rolling_months", Kind: integer},
				{Key: "small_share", Kind: rate}, {Key: "unranked", Kind: code}}}}},
		{"staff", []section{{ID: "staff", Table: "staff", In: []Edition{Taskforce}, Columns: []column{
			{Key: "place", Kind: rank}, {Key: "code"}, {Key: "community"}, {Key: "total", Kind: score, Heat: true}, {Key: "st1", Kind: score}, {Key: "st1_n"},
			{Key: "st2", Kind: score}, {Key: "st2_n"}, {Key: "st3", Kind: score}, {Key: "st3_n"}, {Key: "st4", Kind: score}, {Key: "st4_n"},
			{Key: "place_change", Kind: moves}, {Key: "unranked", Kind: code}}}}},
	}
}

func serviceSheet() sheet {
	tickets := []column{{Key: "name"}, {Key: "reported", Kind: integer}, {Key: "due", Kind: integer}, {Key: "on_time", Kind: integer},
		{Key: "on_time_rate", Kind: rate}, {Key: "overdue", Kind: integer}, {Key: "satisfied", Kind: integer}, {Key: "rated", Kind: integer},
		{Key: "satisfied_rate", Kind: rate}, {Key: "reworked", Kind: integer}}
	return sheet{"ticket", []section{
		{ID: "ticket_line", Table: "ticket_line", In: office, Columns: tickets},
		{ID: "ticket_channel", Table: "ticket_channel", In: office, Columns: tickets},
		{ID: "ticket_topic", Table: "ticket_topic", In: office, Columns: tickets},
		{ID: "site", Table: "site", In: []Edition{Leaders, Taskforce}, Columns: []column{
			{Key: "site"}, {Key: "topics"}, {Key: "reported", Kind: integer}, {Key: "unsettled", Kind: integer}}},
		{ID: "repair_kind", Table: "repair_kind", In: office, Columns: []column{{Key: "name"}, {Key: "reported", Kind: integer}, {Key: "due", Kind: integer},
			{Key: "finished", Kind: integer}, {Key: "finished_rate", Kind: rate}, {Key: "overdue", Kind: integer}, {Key: "in_warranty", Kind: integer}, {Key: "budget", Kind: money}}},
		{ID: "fund", Table: "fund", In: office, Columns: []column{{Key: "item", Kind: code}, {Key: "amount", Kind: money}}}}}
}

// proofSheets say what the figures rest on.
func proofSheets() []sheet {
	return []sheet{
		{"lost", []section{{ID: "lost_record", Table: "lost_record", Own: "community_id", In: own, Columns: []column{
			{Key: "community"}, {Key: "indicator", Screen: true}, {Key: "indicator_name"}, {Key: "kind", Kind: code}, {Key: "record"}, {Key: "grid_id"}, {Key: "site"}, {Key: "day", Kind: date},
			{Key: "due_day", Kind: date}, {Key: "against", Kind: code}, {Key: "weight", Kind: integer}, {Key: "numerator", Kind: rate}, {Key: "denominator", Kind: rate},
			{Key: "points", Kind: signed}, {Key: "cap", Kind: score}, {Key: "reason", Kind: code}, {Key: "evidence"}, {Key: "source", Kind: code, Screen: true}, {Key: "file"}, {Key: "row_no", Kind: integer}}}}},
		{"exclusion", []section{{ID: "exclusion", Table: "exclusion", Own: "community_id", In: own, Columns: []column{
			{Key: "community"}, {Key: "line", Kind: code}, {Key: "record"}, {Key: "grid_id"}, {Key: "indicator"}, {Key: "reason", Kind: code}, {Key: "evidence"}, {Key: "decided_by", Kind: code},
			{Key: "decided_at", Kind: date}, {Key: "approved_by", Kind: code}, {Key: "source", Kind: code, Screen: true}, {Key: "file"}, {Key: "row_no", Kind: integer}}}}},
		{"long", []section{
			{ID: "long", Table: "long", FilterBy: "level", Filter: "2", In: []Edition{Statisticians}, Columns: longColumns()},
			{ID: "long_area", Table: "long", FilterBy: "level", Filter: "3", In: []Edition{Statisticians}, Columns: longColumns()}}},
		{"correction", []section{{ID: "correction", Table: "correction", In: inTown, Columns: []column{
			{Key: "of_month", Kind: month}, {Key: "name", Kind: code}, {Key: "rows_new", Kind: integer}, {Key: "rows_again", Kind: integer}, {Key: "last_delivered", Kind: date}}}}},
		{"quality", []section{
			{ID: "quality_load", Table: "quality_load", In: office, Columns: []column{{Key: "name", Kind: code}, {Key: "loads", Kind: integer}, {Key: "last_delivered", Kind: date},
				{Key: "rows_in", Kind: integer}, {Key: "rows_current", Kind: integer}, {Key: "rows_superseded", Kind: integer}, {Key: "rows_quarantined", Kind: integer}}},
			{ID: "quality_quarantine", Table: "quality_quarantine", In: []Edition{Taskforce, Statisticians}, Columns: []column{{Key: "name", Kind: code}, {Key: "column_name"}, {Key: "reason", Kind: code},
				{Key: "cases", Kind: integer}, {Key: "example_file"}, {Key: "example_row", Kind: integer}}},
			{ID: "quality_note", Table: "quality_note", In: office, Columns: []column{{Key: "kind", Kind: code}, {Key: "subject", Kind: code}, {Key: "cases", Kind: integer}}}}},
		{"method", []section{
			{ID: "method_setting", Table: "method_setting", In: everyone, Columns: []column{{Key: "item", Kind: code}, {Key: "value", Kind: code}}},
			{ID: "method", Table: "method", In: everyone, Columns: []column{{Key: "indicator"}, {Key: "line"}, {Key: "name"}, {Key: "points", Kind: score},
				{Key: "rule", Kind: code}, {Key: "clause"}, {Key: "cohort", Kind: code}, {Key: "levels"}, {Key: "valid_from", Kind: date}}}}},
	}
}

func longColumns() []column {
	return []column{{Key: "name"}, {Key: "line", Kind: code}, {Key: "indicator"}, {Key: "indicator_name"}, {Key: "own_numerator", Kind: integer}, {Key: "own_denominator", Kind: integer},
		{Key: "numerator", Kind: integer}, {Key: "denominator", Kind: integer}, {Key: "n", Kind: integer}, {Key: "points", Kind: exactly}, {Key: "full_points", Kind: exactly},
		{Key: "state", Kind: code}, {Key: "events", Kind: integer}, {Key: "taken", Kind: exactly}, {Key: "cap", Kind: exactly}}
}

// hasColumn says whether the edition shows a column of a section.
func (m *bulletin) hasColumn(sectionID, key string) bool {
	for _, s := range m.Sheets {
		for _, section := range s.Sections {
			for _, c := range section.Columns {
				if section.ID == sectionID && c.Key == key {
					return true
				}
			}
		}
	}
	return false
}
