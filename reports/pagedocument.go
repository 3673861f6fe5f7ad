package reports

import (
	"fmt"
	"slices"
)

// document is the bulletin as an official document in words (公文正文), in the
// order of domain.md 5.1.
type document struct {
	Office, Number, Title, To, Date, Imprint string
	Parts                                    []pageDocumentPart
}

type pageDocumentPart struct {
	Head       string
	Paragraphs [][]part
}

// document fills the locale's text with the month's figures; nil in editions
// for which it has no part.
func (m *bulletin) document() (*document, error) {
	d := &document{Office: m.text("office"), Number: m.text("document_number"), Title: m.text("document_title"), To: m.text("document_to"),
		Date: m.text("document_date"), Imprint: m.text("document_imprint")}
	for _, p := range m.words.Document {
		if !slices.Contains(p.In, m.Options.Edition) {
			continue
		}
		drawn := pageDocumentPart{Head: p.Head}
		for _, text := range p.Paragraphs {
			paragraphs, err := m.paragraph(text)
			if err != nil {
				return nil, fmt.Errorf("document %s: %w", p.Head, err)
			}
			drawn.Paragraphs = append(drawn.Paragraphs, paragraphs...)
		}
		d.Parts = append(d.Parts, drawn)
	}
	if len(d.Parts) == 0 {
		return nil, nil
	}
	return d, nil
}

// paragraph is a text, or the rows of a table in words, or nothing when the
// figure that it depends on is not there.
func (m *bulletin) paragraph(p paragraph) ([][]part, error) {
	if !m.isSaid(p.When) {
		return nil, nil
	}
	parts := m.fill(p.Text)
	if p.Each == "" {
		return [][]part{parts}, nil
	}
	rows, err := m.documentRows(p.Each)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if p.Limit > 0 && len(rows) > p.Limit {
		rows = rows[:p.Limit]
	}
	var own [][]part
	for i, one := range rows {
		item := fill(p.Item, func(name string) string { return m.documentFigure(one, name) })
		if p.Join == "" {
			own = append(own, append(item, part{Text: p.End}))
			continue
		}
		if i > 0 {
			parts = append(parts, part{Text: p.Join})
		}
		parts = append(parts, item...)
	}
	if p.Join == "" {
		return own, nil
	}
	return [][]part{append(parts, part{Text: p.End})}, nil
}

func (m *bulletin) documentFigure(one row, name string) string {
	switch name {
	case "lost":
		return m.words.listed(one.get(name))
	case "until", "cutoff_date":
		return m.words.day(one.get(name))
	case "kind", "name", "item", "line":
		return m.words.code(one.get(name))
	case "amount":
		return show(one.get(name), money, m.words, one)
	case "place":
		return show(one.get(name), rank, m.words, one)
	}
	return m.words.data(one.get(name))
}

// documentRows are the rows of a table; "lines" are the nine with their best
// and worst community and where the worst lost points.
func (m *bulletin) documentRows(table string) ([]row, error) {
	if table != "lines" {
		rows, found := m.tables[table]
		if !found && table != "correction" {
			return nil, fmt.Errorf("no table %q", table)
		}
		return rows, nil
	}
	var rows []row
	for _, line := range lines {
		var first, last row
		for _, one := range m.tables["line_unit"] {
			if one.get("line") != line || one.get("place") == "" {
				continue
			}
			if first.isNone() {
				first = one
			}
			last = one
		}
		if first.isNone() {
			continue
		}
		rows = append(rows, newRow(map[string]string{"line": line, "line_name": m.words.Columns[line], "best": first.get("name"), "best_score": first.get("score"),
			"worst": last.get("name"), "worst_score": last.get("score"), "lost": orDash(last.get("lost"))}))
	}
	return rows, nil
}

func orDash(text string) string {
	if text == "" {
		return "—"
	}
	return text
}
