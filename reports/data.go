package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tongbao"
)

// bulletin is everything that one edition draws.
type bulletin struct {
	Month   tongbao.Month
	Options Options
	Sheets  []sheet
	words   *locale
	tables  tables
}

func newBulletin(read tables, of tongbao.Month, opt Options) (*bulletin, error) {
	opt = opt.withDefaults()
	words, err := readLocale(opt.Locale)
	if err != nil {
		return nil, err
	}
	b := &bulletin{Month: of, Options: opt, Sheets: sheets(opt.Edition), words: words, tables: read}
	if opt.Edition == Unit && b.own().isNone() {
		return nil, fmt.Errorf("unit %q is no community of %s; its code is wanted: %s", opt.Unit, of, strings.Join(unitCodes(read), ", "))
	}
	if settings := b.tables["method_setting"]; opt.Audit != "" && len(settings) > 0 {
		// Not a table's: it says which audit log the version stands on.
		b.tables = maps.Clone(b.tables)
		b.tables["method_setting"] = append(slices.Clone(settings), newRow(map[string]string{"item": "audit_head", "value": opt.Audit}))
	}
	return b, nil
}

// own is the row of the community of a unit edition, none in the others.
func (m *bulletin) own() row {
	for _, one := range m.tables["community"] {
		if m.Options.Edition == Unit && one.get("grid_id") == m.Options.Unit {
			return one
		}
	}
	return row{}
}

// rows returns the rows of a section that the edition shows.
func (m *bulletin) rows(s section) []row {
	var kept []row
	for _, one := range m.tables[s.Table] {
		if (s.FilterBy == "" || one.get(s.FilterBy) == s.Filter) && m.isShown(s, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// isShown keeps other communities' rows out of a unit's edition, and changes
// that cannot be compared out of all but those that check them.
func (m *bulletin) isShown(s section, one row) bool {
	isChecked := m.Options.Edition == Taskforce || m.Options.Edition == Statisticians
	if (s.Table == "move" || s.Table == "move_top") && one.get("is_comparable") == "false" && !isChecked {
		return false
	}
	own := m.own()
	return own.isNone() || s.Own == "" || one.get(s.Own) == own.get("name") || one.get(s.Own) == own.get("grid_id")
}

// text fills a pattern of the locale with the month's figures.
func (m *bulletin) text(key string) string { return plain(m.fill(m.words.Text[key])) }

func (m *bulletin) fill(pattern string) []part { return fill(pattern, m.figure) }

// figureKinds say how a figure of a sentence is shown; the others stay as they
// are.
var figureKinds = map[string]kind{
	"fund_available": money, "cutoff_date": date, "tickets_reported": integer, "rows_in": integer, "rows_current": integer, "rows_superseded": integer,
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
		return m.reason(m.top(m.own().get("grid_id")))
	}
	value := m.known(name)
	if value == "" {
		return "—"
	}
	return show(value, figureKindOf(name), m.words, row{})
}

func figureKindOf(name string) kind {
	if k, found := figureKinds[name]; found {
		return k
	}
	return words
}

// known looks a figure up; "" is none.
func (m *bulletin) known(name string) string {
	if column, isOwn := strings.CutPrefix(name, "own_"); isOwn {
		return m.own().get(column)
	}
	for _, table := range []string{"heading", "summary"} {
		for _, one := range m.tables[table] {
			if value := one.get(name); value != "" {
				return value
			}
		}
	}
	return ""
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
	value := m.known(when)
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
		if ofKind[one.get("kind")]++; ofKind[one.get("kind")] > maxOfKind || len(decisions) == maxDecisions {
			continue
		}
		figure := func(name string) string {
			if name == "until" {
				return m.words.near(one.get(name))
			}
			return m.words.data(one.get(name))
		}
		decisions = append(decisions, decision{fill(m.words.Decide[one.get("kind")], figure), fill(m.words.DecideUntil, figure)})
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
