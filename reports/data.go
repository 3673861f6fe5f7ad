package reports

import (
	"context"
	"fmt"
	"strings"

	"tongbao"
	"tongbao/warehouse"
)

// row is a row of a bulletin table: values as the engine prints them; a null
// has no entry.
type row map[string]string

// month is everything that is drawn: the tables of the layer bulletin.
type month struct {
	Month   tongbao.Month
	Options Options
	words   *locale
	tables  map[string][]row
}

// extraTables are drawn outside the sections.
var extraTables = []string{"heading", "trend", "trend_ticket"}

func readMonth(ctx context.Context, db *warehouse.DB, of tongbao.Month, opt Options) (*month, error) {
	words, err := readLocale("zh-Hans")
	if err != nil {
		return nil, err
	}
	m := &month{Month: of, Options: opt, words: words, tables: map[string][]row{}}
	names := extraTables
	for _, sheet := range sheets() {
		for _, section := range sheet.Sections {
			names = append(names, section.Table)
		}
	}
	for _, name := range names {
		if m.tables[name] != nil {
			continue
		}
		rows, err := db.Rows(ctx, fmt.Sprintf("select * from bulletin.%s where month = date '%s' order by rowid", name, of.First().Format("2006-01-02")))
		if err != nil {
			return nil, fmt.Errorf("read bulletin.%s: %w", name, err)
		}
		m.tables[name] = toRows(rows)
	}
	if len(m.tables["heading"]) != 1 {
		return nil, fmt.Errorf("read bulletin.heading: %d rows for %s, want one; the month was not computed", len(m.tables["heading"]), of)
	}
	return m, nil
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

// rows returns the rows of a section.
func (m *month) rows(s section) []row {
	if s.FilterBy == "" {
		return m.tables[s.Table]
	}
	var kept []row
	for _, one := range m.tables[s.Table] {
		if one[s.FilterBy] == s.Filter {
			kept = append(kept, one)
		}
	}
	return kept
}

// text fills a pattern of the locale with the heading's figures.
func (m *month) text(key string) string { return plain(m.fill(m.words.Text[key])) }

func (m *month) fill(pattern string) []part { return fill(pattern, m.figure) }

// figure is a name that a pattern may use.
func (m *month) figure(name string) string {
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
func (m *month) summary() [][]part {
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
func (m *month) decisions() [][]part {
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
func (m *month) state() string {
	if m.Options.Version == 0 {
		return m.text("build")
	}
	return m.text("version")
}
