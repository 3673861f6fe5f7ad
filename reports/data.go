package reports

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tongbao"
	"tongbao/warehouse"
)

// row is a row of a bulletin table: values as the engine prints them; a null
// has no entry.
type row map[string]string

// tables is the layer bulletin of one month, by table.
type tables map[string][]row

// bulletin is everything that one edition draws.
type bulletin struct {
	Month   tongbao.Month
	Options Options
	Sheets  []sheet
	words   *locale
	tables  tables
}

// extraTables are drawn outside the sections.
var extraTables = []string{"heading", "summary", "trend", "trend_ticket", "waterfall", "long"}

// readTables reads what the editions hold, once for all of them. A build's
// tables lie in two files: what the taskforce alone may see is apart.
func readTables(ctx context.Context, files []*warehouse.DB, of tongbao.Month) (tables, error) {
	read := tables{}
	names := slices.Clone(extraTables)
	for _, sheet := range allSheets() {
		for _, section := range sheet.Sections {
			names = append(names, section.Table)
		}
	}
	for _, db := range files {
		// A version of an earlier program may have fewer tables; what it has not
		// is not drawn.
		there, err := db.Tables(ctx, "bulletin")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, found := there["bulletin."+name]; read[name] != nil || !found {
				continue
			}
			rows, err := db.Rows(ctx, fmt.Sprintf("select * from bulletin.%s where month = date '%s' order by rowid", name, of.First().Format("2006-01-02")))
			if err != nil {
				return nil, fmt.Errorf("read bulletin.%s: %w", name, err)
			}
			read[name] = toRows(rows)
		}
	}
	named := map[string]string{}
	for _, one := range read["community"] {
		named[one["grid_id"]] = one["name"]
	}
	for _, one := range read["move"] {
		one["name"] = named[one["grid_id"]]
	}
	if len(read["heading"]) != 1 {
		return nil, fmt.Errorf("read bulletin.heading: %d rows for %s, want one; the month was not computed", len(read["heading"]), of)
	}
	return read, nil
}

func newBulletin(read tables, of tongbao.Month, opt Options) (*bulletin, error) {
	opt = opt.withDefaults()
	words, err := readLocale(opt.Locale)
	if err != nil {
		return nil, err
	}
	b := &bulletin{Month: of, Options: opt, Sheets: sheets(opt.Edition), words: words, tables: read}
	if opt.Edition == Unit && b.own() == nil {
		return nil, fmt.Errorf("unit %q is no community of %s; its code is wanted: %s", opt.Unit, of, strings.Join(unitCodes(read), ", "))
	}
	if settings := b.tables["method_setting"]; opt.Audit != "" && len(settings) > 0 {
		// Not a table's: it says which audit log the version stands on.
		b.tables = maps.Clone(b.tables)
		b.tables["method_setting"] = append(slices.Clone(settings), row{"item": "audit_head", "value": opt.Audit})
	}
	return b, nil
}

// own is the row of the community of a unit edition, nil in the others.
func (m *bulletin) own() row {
	for _, one := range m.tables["community"] {
		if m.Options.Edition == Unit && one["grid_id"] == m.Options.Unit {
			return one
		}
	}
	return nil
}

func toRows(answer warehouse.Rows) []row {
	rows := make([]row, 0, len(answer.Cells))
	for _, cells := range answer.Cells {
		one := make(row, len(cells))
		for i, cell := range cells {
			if cell.Valid {
				one[answer.Columns[i]] = cell.String
			}
		}
		rows = append(rows, one)
	}
	return rows
}

// rows returns the rows of a section that the edition shows.
func (m *bulletin) rows(s section) []row {
	var kept []row
	for _, one := range m.tables[s.Table] {
		if (s.FilterBy == "" || one[s.FilterBy] == s.Filter) && m.isShown(s, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// isShown keeps other communities' rows out of a unit's edition, and changes
// that cannot be compared out of all but those that check them.
func (m *bulletin) isShown(s section, one row) bool {
	isChecked := m.Options.Edition == Taskforce || m.Options.Edition == Statisticians
	if (s.Table == "move" || s.Table == "move_top") && one["is_comparable"] == "false" && !isChecked {
		return false
	}
	own := m.own()
	return own == nil || s.Own == "" || one[s.Own] == own["name"] || one[s.Own] == own["grid_id"]
}

// text fills a pattern of the locale with the month's figures.
func (m *bulletin) text(key string) string { return plain(m.fill(m.words.Text[key])) }

func (m *bulletin) fill(pattern string) []part { return fill(pattern, m.figure) }

// figureKinds say how a figure of a sentence is shown; the others stay as they
// are.
var figureKinds = map[string]kind{
	"fund_available": money, "cutoff_date": date, "tickets_reported": integer, "rows_in": integer, "rows_loaded": integer, "rows_duplicate": integer,
	"up_change": signed, "down_change": signed, "own_total_change": signed, "until": date, "fund_committed": money, "fund_paid": money, "fund_received": money,
}

// figure is a name that a pattern may use: one of the month's, or a column of
// bulletin.heading, bulletin.summary and, as own_…, of the unit's own row.
func (m *bulletin) figure(name string) string {
	switch name {
	case "town":
		return m.Options.Town
	case "month":
		return m.words.month(m.Month)
	case "year":
		return fmt.Sprint(m.Month.Year())
	case "number":
		return fmt.Sprint(int(m.Month.Calendar()))
	case "version":
		return fmt.Sprint(m.Options.Version)
	case "issued_date":
		return m.Options.Made.Format(m.words.Day)
	case "hash":
		return shortHash(m.Options.Hash)
	case "up_reason", "down_reason":
		side, _, _ := strings.Cut(name, "_")
		return m.reason(m.side(side))
	case "own_reason":
		return m.reason(m.top(m.own()["grid_id"]))
	}
	value, found := m.known(name)
	if !found {
		return "—"
	}
	return show(value, figureKindOf(name), m.words, nil)
}

func figureKindOf(name string) kind {
	if k, found := figureKinds[name]; found {
		return k
	}
	return words
}

// known looks a figure up.
func (m *bulletin) known(name string) (string, bool) {
	if column, isOwn := strings.CutPrefix(name, "own_"); isOwn {
		value, found := m.own()[column]
		return value, found
	}
	for _, table := range []string{"heading", "summary"} {
		for _, one := range m.tables[table] {
			if value, found := one[name]; found {
				return value, true
			}
		}
	}
	return "", false
}

// side is what moved the community that rose (up) or fell (down) most.
func (m *bulletin) side(side string) row {
	for _, one := range m.tables["summary"] {
		taken := row{"is_comparable": "true"}
		for key, value := range one {
			if column, found := strings.CutPrefix(key, side+"_"); found {
				taken[column] = value
			}
		}
		return taken
	}
	return nil
}

// top is the biggest reason of a unit's move.
func (m *bulletin) top(gridID string) row {
	for _, one := range m.tables["move_top"] {
		if one["grid_id"] == gridID && one["turn"] == "1" {
			return one
		}
	}
	return nil
}

// reason is a row of bulletin.move_top in words.
func (m *bulletin) reason(one row) string {
	if one["cause"] == "" {
		return m.words.Text["steady"]
	}
	key := one["cause"]
	if one["denominator"] == "" && (key == "rate" || key == "volume") {
		key = "plain"
	}
	if one["line"] == "" && one["line_name"] == "" {
		key = "plain"
	}
	return plain(fill(m.words.Reasons[key], func(name string) string {
		switch name {
		case "amount":
			return sign(places(one[name], 2))
		case "cause":
			return m.words.code(one[name])
		}
		return m.words.data(one[name])
	}))
}

func shortHash(hash string) string {
	if len(hash) < 16 {
		return hash
	}
	return hash[:4] + "…" + hash[len(hash)-4:]
}

// summary is the sentences of the edition that have something to say.
func (m *bulletin) summary() [][]part {
	var sentences [][]part
	for _, s := range m.words.Sentences[string(m.Options.Edition)] {
		if m.isSaid(s.When) {
			sentences = append(sentences, m.fill(s.Text))
		}
	}
	return sentences
}

// isSaid says whether the figure that a sentence depends on is there.
func (m *bulletin) isSaid(when string) bool {
	value, _ := m.known(when)
	return when == "" || value != "" && value != "0"
}

// The first page puts so many matters to the meeting, and of one kind so many.
const (
	maxDecisions = 5
	maxOfKind    = 2
)

// decision is a matter in words, and until when.
type decision struct{ What, Until []part }

// decisionList is the first matters of the coordination list that the edition
// may see.
func (m *bulletin) decisionList() []decision {
	var decisions []decision
	ofKind := map[string]int{}
	for _, one := range m.tables["coordination"] {
		if !m.isShown(section{Own: "community"}, one) {
			continue
		}
		if ofKind[one["kind"]]++; ofKind[one["kind"]] > maxOfKind || len(decisions) == maxDecisions {
			continue
		}
		figure := func(name string) string {
			if name == "until" {
				return m.words.near(one[name])
			}
			return m.words.data(one[name])
		}
		decisions = append(decisions, decision{fill(m.words.Decide[one["kind"]], figure), fill(m.words.DecideUntil, figure)})
	}
	return decisions
}

// decisions are the same in one line each.
func (m *bulletin) decisions() [][]part {
	var lines [][]part
	for _, d := range m.decisionList() {
		lines = append(lines, append(append(d.What, part{Text: " "}), d.Until...))
	}
	return lines
}

// state says whether the reader holds a build or a version.
func (m *bulletin) state() string {
	if m.Options.Version == 0 {
		return m.text("build")
	}
	return m.text("version")
}
