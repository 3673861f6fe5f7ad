package reports

import (
	"maps"
	"slices"
	"strconv"
)

// Sight is what an edition's readers may see of a table.
type Sight struct {
	Own     string   // the column with a row's community: only their own rows; "" all
	Deepest int      // the lowest level seen of a table with a column "level"; 0 all
	Without []string // columns left out
}

// restrict keeps only what may be seen, before anything is drawn: tables,
// rows, columns, and the sections that show them.
func (m *bulletin) restrict(seen map[string]Sight) {
	own, kept := m.own()["name"], tables{}
	for name, rows := range m.tables {
		sight, found := seen[name]
		if !found {
			continue
		}
		kept[name] = []row{}
		for _, one := range rows {
			level, err := strconv.Atoi(one["level"])
			if sight.Own != "" && one[sight.Own] != own || sight.Deepest > 0 && (err != nil || level > sight.Deepest) {
				continue
			}
			copied := maps.Clone(one)
			for _, column := range sight.Without {
				delete(copied, column)
			}
			kept[name] = append(kept[name], copied)
		}
	}
	m.tables = kept
	var list []sheet
	for _, s := range m.Sheets {
		var sections []section
		for _, one := range s.Sections {
			sight, found := seen[one.Table]
			if !found {
				continue
			}
			one.Columns = slices.DeleteFunc(slices.Clone(one.Columns), func(c column) bool { return slices.Contains(sight.Without, c.Key) })
			sections = append(sections, one)
		}
		if len(sections) > 0 {
			list = append(list, sheet{s.ID, sections})
		}
	}
	m.Sheets = list
}
