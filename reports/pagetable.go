package reports

import (
	"fmt"
	"strconv"
	"strings"

	"tongbao/templates"
)

type pageSheet struct {
	ID, Title string
	IsBroad   bool // needs a sheet across when printed
	Sections  []pageSection
}

type pageSection struct {
	ID, Title, Note, Empty string
	IsBroad, IsShort       bool // IsShort: stays on one page
	Heads                  []pageHead
	Rows                   []pageRow
}

type pageHead struct {
	Key, Title string
	IsNumber   bool
	IsOff      bool // left out on paper
}

// pageRow names the community that it belongs to, for the picker.
type pageRow struct {
	Unit  string
	Cells []pageCell
}

// pageCell keeps the engine's own text beside what is shown where the two
// differ, so that sorting and tests do not read formats.
type pageCell struct {
	Raw, Text, Class string
	HasRaw           bool
}

// broadColumns is how many columns fit the width of an upright page.
const broadColumns = 12

// shortRows is how many rows are kept together when printed.
const shortRows = 16

// wrapWidth is the longest text, in half widths, that a cell keeps in one line.
const wrapWidth = 16

func (m *bulletin) pageSheet(s sheet) pageSheet {
	drawn := pageSheet{ID: s.ID, Title: m.words.Sheets[s.ID]}
	names := map[string]string{}
	for _, one := range m.tables["community"] {
		names[one.get("grid_id")], names[one.get("name")] = one.get("name"), one.get("name")
	}
	for _, section := range s.Sections {
		ps := pageSection{ID: s.ID + "-" + section.ID, Title: m.words.Sections[section.ID], Note: m.words.Notes[section.ID],
			IsBroad: len(section.Columns) > broadColumns, Empty: m.words.Text["empty"]}
		if _, isRead := m.tables[section.Table]; !isRead {
			ps.Empty = m.words.Text["not_in_version"]
		}
		for _, c := range section.Columns {
			ps.Heads = append(ps.Heads, pageHead{c.Key, m.words.column(section.ID, c.Key), isNumber(c.Kind), true})
		}
		for _, one := range m.rows(section) {
			r := pageRow{Unit: names[one.get(section.Own)]}
			for i, c := range section.Columns {
				cell := m.pageCell(c, one)
				ps.Heads[i].IsOff = ps.Heads[i].IsOff && (c.Screen || cell.Text == "")
				r.Cells = append(r.Cells, cell)
			}
			ps.Rows = append(ps.Rows, r)
		}
		ps.dropEmpty()
		ps.IsShort = len(ps.Rows) <= shortRows
		drawn.IsBroad = drawn.IsBroad || ps.IsBroad
		drawn.Sections = append(drawn.Sections, ps)
	}
	return drawn
}

// dropEmpty marks what is left out on paper: columns whose neighbours say as
// much, and those without a value in any row.
func (ps *pageSection) dropEmpty() {
	for i, head := range ps.Heads {
		if !head.IsOff {
			continue
		}
		for _, r := range ps.Rows {
			r.Cells[i].Class = strings.TrimSpace(r.Cells[i].Class + " off")
		}
	}
}

func (m *bulletin) pageCell(c column, one row) pageCell {
	cell := pageCell{Raw: one.get(c.Key), Text: show(one.get(c.Key), c.Kind, m.words, one)}
	cell.HasRaw = cell.Raw != cell.Text
	if isNumber(c.Kind) {
		cell.Class = "n"
		if cell.Raw == "" && cell.Text != "" {
			cell.Class = "n m" // words in place of a number
		}
	}
	if displayWidth(cell.Text) > wrapWidth {
		cell.Class += " w"
	}
	switch {
	case c.Heat:
		if value, err := strconv.ParseFloat(one.get(c.Key), 64); err == nil {
			cell.Class += fmt.Sprintf(" h%d", templates.HeatStep(value))
		}
	case c.Kind == moves || c.Kind == signed || c.Kind == exact:
		cell.Class += " " + moveClass(one.get(c.Key))
	case isSmall(one) && isNumber(c.Kind):
		cell.Class += " small"
	}
	cell.Class = strings.TrimSpace(cell.Class)
	return cell
}

// isText says whether a column holds words, isNumber whether numbers; the
// others hold days.
func isText(k kind) bool   { return k == words || k == code || k == listed }
func isNumber(k kind) bool { return !isText(k) && k != date && k != month }

// drillUnit is a community, area or building grid with what lies below it.
type drillUnit struct {
	Name       string      `json:"name"`
	Place      string      `json:"place"`
	Total      string      `json:"total"`
	Households string      `json:"households"`
	Kids       []drillUnit `json:"kids,omitempty"`
}

// drill is the tree that the page opens level by level; nil in editions that
// do not hold its lists.
func (m *bulletin) drill() []drillUnit {
	holds := map[string]bool{}
	for _, s := range m.Sheets {
		for _, section := range s.Sections {
			holds[section.Table] = true
		}
	}
	if !holds["area"] || !holds["building"] {
		return nil
	}
	unit := func(one row, name string) drillUnit {
		return drillUnit{Name: one.get(name), Place: show(one.get("place"), rank, m.words, one), Total: one.get("total"), Households: one.get("households")}
	}
	var tree []drillUnit
	for _, community := range m.tables["community"] {
		if own := m.own(); !own.isNone() && own.get("grid_id") != community.get("grid_id") {
			continue
		}
		top := unit(community, "name")
		for _, area := range m.tables["area"] {
			if area.get("community_id") != community.get("grid_id") {
				continue
			}
			middle := unit(area, "name")
			for _, building := range m.tables["building"] {
				if building.get("area_id") == area.get("grid_id") {
					middle.Kids = append(middle.Kids, unit(building, "code"))
				}
			}
			top.Kids = append(top.Kids, middle)
		}
		tree = append(tree, top)
	}
	return tree
}
