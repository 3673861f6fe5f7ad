package reports

// kind says how a column is shown.
type kind int

const (
	words   kind = iota // text as it is
	code                // a code that the locale names
	integer             // a count
	score               // two places
	rate                // one place, percent
	signed              // two places with a sign: a change of a score
	moves               // a change of place: ▲2 ▼1
	rank                // a place, 并列 when tied
	money               // yuan with separators and two places
	date                // a day
)

// column is a column of a bulletin table; Heat is shaded by its value.
type column struct {
	Key  string
	Kind kind
	Heat bool
}

// section is one table of the bulletin: a table of the layer bulletin, where
// Filter narrows it to the rows with that value in FilterBy.
type section struct {
	ID       string // words and anchor
	Table    string
	FilterBy string
	Filter   string
	Columns  []column
}

// sheet is a page of the workbook and a chapter of the page.
type sheet struct {
	ID       string
	Sections []section
}

var lines = []string{"party", "law", "economy", "safety", "environment", "welfare", "culture", "city", "property"}

// sheets lists what the bulletin holds, in order. A new section is one entry
// here, one file in queries/bulletin, and its words in templates/locale.
func sheets() []sheet {
	list := []sheet{{"ranking", []section{{ID: "community", Table: "community", Columns: communityColumns()}}}}
	for _, line := range lines {
		list = append(list, sheet{line, []section{
			{ID: "line_unit", Table: "line_unit", FilterBy: "line", Filter: line, Columns: []column{
				{Key: "place", Kind: rank}, {Key: "name"}, {Key: "score", Kind: score, Heat: true}, {Key: "score_change", Kind: signed},
				{Key: "deduction", Kind: score}, {Key: "bonus", Kind: score}, {Key: "cap", Kind: score}, {Key: "state", Kind: code}, {Key: "lost"}}},
			{ID: "line_points", Table: "line_points", FilterBy: "line", Filter: line, Columns: []column{
				{Key: "indicator"}, {Key: "indicator_name"}, {Key: "name"}, {Key: "numerator", Kind: integer}, {Key: "denominator", Kind: integer},
				{Key: "points", Kind: score}, {Key: "full_points", Kind: score}, {Key: "lost", Kind: score}, {Key: "state", Kind: code}, {Key: "n", Kind: integer}}},
		}})
	}
	return append(list,
		sheet{"area", []section{{ID: "area", Table: "area", Columns: []column{
			{Key: "place", Kind: rank}, {Key: "name"}, {Key: "households", Kind: integer}, {Key: "total", Kind: score},
			{Key: "law", Kind: score, Heat: true}, {Key: "safety", Kind: score, Heat: true}, {Key: "environment", Kind: score, Heat: true},
			{Key: "city", Kind: score, Heat: true}, {Key: "property", Kind: score, Heat: true}, {Key: "last_place", Kind: integer},
			{Key: "place_change", Kind: moves}, {Key: "total_change", Kind: signed}, {Key: "small_share", Kind: rate}, {Key: "unranked", Kind: code}}}}},
		sheet{"building", []section{
			{ID: "grade", Table: "grade", Columns: []column{{Key: "grade"}, {Key: "units", Kind: integer}}},
			{ID: "building", Table: "building", Columns: []column{
				{Key: "peer_group"}, {Key: "place", Kind: rank}, {Key: "code"}, {Key: "community"}, {Key: "households", Kind: integer}, {Key: "tickets_due", Kind: integer},
				{Key: "total", Kind: score}, {Key: "grade"}, {Key: "rolling_total", Kind: score, Heat: true}, {Key: "rolling_months", Kind: integer},
				{Key: "small_share", Kind: rate}, {Key: "unranked", Kind: code}}}}},
		sheet{"staff", []section{{ID: "staff", Table: "staff", Columns: []column{
			{Key: "place", Kind: rank}, {Key: "code"}, {Key: "community"}, {Key: "total", Kind: score, Heat: true}, {Key: "st1", Kind: score}, {Key: "st1_n"},
			{Key: "st2", Kind: score}, {Key: "st2_n"}, {Key: "st3", Kind: score}, {Key: "st3_n"}, {Key: "st4", Kind: score}, {Key: "st4_n"},
			{Key: "place_change", Kind: moves}, {Key: "unranked", Kind: code}}}}},
		sheet{"ticket", []section{
			{ID: "ticket_line", Table: "ticket_line", Columns: ticketColumns()}, {ID: "ticket_channel", Table: "ticket_channel", Columns: ticketColumns()},
			{ID: "ticket_topic", Table: "ticket_topic", Columns: ticketColumns()},
			{ID: "site", Table: "site", Columns: []column{{Key: "site"}, {Key: "topics"}, {Key: "reported", Kind: integer}, {Key: "unsettled", Kind: integer}}},
			{ID: "repair_kind", Table: "repair_kind", Columns: []column{{Key: "name"}, {Key: "reported", Kind: integer}, {Key: "due", Kind: integer},
				{Key: "finished", Kind: integer}, {Key: "finished_rate", Kind: rate}, {Key: "overdue", Kind: integer}, {Key: "in_warranty", Kind: integer}, {Key: "budget", Kind: money}}},
			{ID: "fund", Table: "fund", Columns: []column{{Key: "item", Kind: code}, {Key: "amount", Kind: money}}}}},
		sheet{"coordination", []section{{ID: "coordination", Table: "coordination", Columns: []column{
			{Key: "kind", Kind: code}, {Key: "community"}, {Key: "line"}, {Key: "subject"}, {Key: "cases", Kind: integer}, {Key: "until", Kind: date}}}}},
		sheet{"quality", []section{
			{ID: "quality_load", Table: "quality_load", Columns: []column{{Key: "name", Kind: code}, {Key: "loads", Kind: integer}, {Key: "last_delivered", Kind: date},
				{Key: "rows_in", Kind: integer}, {Key: "rows_loaded", Kind: integer}, {Key: "rows_duplicate", Kind: integer}, {Key: "rows_quarantined", Kind: integer}}},
			{ID: "quality_quarantine", Table: "quality_quarantine", Columns: []column{{Key: "name", Kind: code}, {Key: "column_name"}, {Key: "reason", Kind: code},
				{Key: "cases", Kind: integer}, {Key: "example_file"}, {Key: "example_row", Kind: integer}}},
			{ID: "quality_note", Table: "quality_note", Columns: []column{{Key: "kind", Kind: code}, {Key: "subject"}, {Key: "cases", Kind: integer}}}}},
		sheet{"method", []section{{ID: "method", Table: "method", Columns: []column{{Key: "indicator"}, {Key: "line"}, {Key: "name"}, {Key: "points", Kind: score},
			{Key: "rule", Kind: code}, {Key: "clause"}, {Key: "cohort", Kind: code}, {Key: "levels"}, {Key: "valid_from", Kind: date}}}}},
	)
}

func communityColumns() []column {
	columns := []column{{Key: "place", Kind: rank}, {Key: "name"}}
	for _, line := range lines {
		columns = append(columns, column{Key: line, Kind: score, Heat: true})
	}
	return append(columns, []column{{Key: "bonus", Kind: score}, {Key: "deduction", Kind: score}, {Key: "total", Kind: score},
		{Key: "last_place", Kind: integer}, {Key: "place_change", Kind: moves}, {Key: "total_change", Kind: signed}, {Key: "last_streak", Kind: integer},
		{Key: "amount", Kind: money}, {Key: "rules", Kind: code}, {Key: "reason"}}...)
}

func ticketColumns() []column {
	return []column{{Key: "name"}, {Key: "reported", Kind: integer}, {Key: "due", Kind: integer}, {Key: "on_time", Kind: integer},
		{Key: "on_time_rate", Kind: rate}, {Key: "overdue", Kind: integer}, {Key: "satisfied", Kind: integer}, {Key: "rated", Kind: integer},
		{Key: "satisfied_rate", Kind: rate}, {Key: "reworked", Kind: integer}}
}
