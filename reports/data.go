package reports

import (
	"context"
	"fmt"
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
var extraTables = []string{"heading", "trend", "trend_ticket", "waterfall", "long"}

// readTables reads what the editions hold, once for all of them.
func readTables(ctx context.Context, db *warehouse.DB, of tongbao.Month) (tables, error) {
	read := tables{}
	names := slices.Clone(extraTables)
	for _, sheet := range allSheets() {
		for _, section := range sheet.Sections {
			names = append(names, section.Table)
		}
	}
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
	if opt.Edition == Unit && b.ownName() == "" {
		return nil, fmt.Errorf("unit %q is no community of %s; its code is wanted: %s", opt.Unit, of, strings.Join(unitCodes(read), ", "))
	}
	return b, nil
}

// ownName is the name of the community of a unit edition, "" in the others.
func (m *bulletin) ownName() string {
	for _, one := range m.tables["community"] {
		if m.Options.Edition == Unit && one["grid_id"] == m.Options.Unit {
			return one["name"]
		}
	}
	return ""
}

func toRows(answer warehouse.Rows) []row {
	rows := make([]row, 0, len(answer.Cells))
	for _, cells := range answer.Cells {
		one := row{}
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
	own := m.ownName()
	var kept []row
	for _, one := range m.tables[s.Table] {
		if s.FilterBy != "" && one[s.FilterBy] != s.Filter || own != "" && s.Own != "" && one[s.Own] != own {
			continue
		}
		kept = append(kept, one)
	}
	return kept
}

// text fills a pattern of the locale with the heading's figures.
func (m *bulletin) text(key string) string { return plain(m.fill(m.words.Text[key])) }

func (m *bulletin) fill(pattern string) []part { return fill(pattern, m.figure) }

// figure is a name that a pattern may use.
func (m *bulletin) figure(name string) string {
	switch name {
	case "town":
		return m.Options.Town
	case "year":
		return fmt.Sprint(m.Month.Year())
	case "number":
		return fmt.Sprint(int(m.Month.Calendar()))
	case "version":
		return fmt.Sprint(m.Options.Version)
	}
	value, found := m.tables["heading"][0][name]
	if !found {
		return "—"
	}
	if strings.HasPrefix(name, "fund_") {
		return show(value, money, m.words, nil)
	}
	return value
}

// summary is the sentences that have something to say.
func (m *bulletin) summary() [][]part {
	var sentences [][]part
	for _, s := range m.words.Sentences {
		if value := m.tables["heading"][0][s.When]; s.When != "" && (value == "" || value == "0") {
			continue
		}
		sentences = append(sentences, m.fill(s.Text))
	}
	return sentences
}

// The first page puts so many matters to the meeting, and of one kind so many.
const (
	maxDecisions = 5
	maxOfKind    = 2
)

// decisions are the first matters of the coordination list in words.
func (m *bulletin) decisions() [][]part {
	var decisions [][]part
	ofKind := map[string]int{}
	for _, one := range m.tables["coordination"] {
		if ofKind[one["kind"]]++; ofKind[one["kind"]] > maxOfKind || len(decisions) == maxDecisions {
			continue
		}
		pattern := m.words.Decide[one["kind"]] + " " + m.words.DecideUntil
		decisions = append(decisions, fill(pattern, func(name string) string { return one[name] }))
	}
	return decisions
}

// state says whether the reader holds a build or a version.
func (m *bulletin) state() string {
	if m.Options.Version == 0 {
		return m.text("build")
	}
	return m.text("version")
}
