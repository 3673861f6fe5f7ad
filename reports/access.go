package reports

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Sight is what an edition may show of one bulletin table.
type Sight struct {
	Own     string   // column with the name of a row's community: only the own rows of a Unit edition; "" means all
	Deepest int      // lowest level of a table with a column "level"; 0 means all levels
	Without []string // columns left out
}

// Access says what each edition may show, by bulletin table. A table without
// an entry is not shown. It is handed in: the rule lives with the accounts.
type Access map[Edition]map[string]Sight

// seen returns the rows and columns that the edition may show, and no others:
// what is not there cannot be drawn by mistake.
func (read tables) seen(opt Options) (tables, error) {
	sights, found := opt.Access[opt.Edition]
	if !found {
		return nil, fmt.Errorf("edition %s: nobody has said what it may show", opt.Edition)
	}
	own := ""
	for _, one := range read["community"] {
		if one.get("grid_id") == opt.Unit {
			own = one.get("name")
		}
	}
	kept := tables{}
	for name, rows := range read {
		sight, found := sights[name]
		if !found {
			continue
		}
		kept[name] = []row{}
		var shown map[string]int // the rows' columns without those left out
		for _, one := range rows {
			if sight.hides(one, own) {
				continue
			}
			if shown == nil {
				shown = maps.Clone(one.columns)
				maps.DeleteFunc(shown, func(column string, _ int) bool { return slices.Contains(sight.Without, column) })
			}
			kept[name] = append(kept[name], row{shown, one.values})
		}
	}
	return kept, nil
}

func (s Sight) hides(one row, own string) bool {
	if s.Own != "" && one.get(s.Own) != own {
		return true
	}
	level, err := strconv.Atoi(one.get("level"))
	return err == nil && s.Deepest > 0 && level > s.Deepest
}

// narrow drops the sections and columns that the edition may not show.
func (a Access) narrow(all []sheet, of Edition) []sheet {
	var kept []sheet
	for _, s := range all {
		var sections []section
		for _, one := range s.Sections {
			sight, found := a[of][one.Table]
			if !found {
				continue
			}
			one.Columns = slices.DeleteFunc(slices.Clone(one.Columns), func(c column) bool { return slices.Contains(sight.Without, c.Key) })
			sections = append(sections, one)
		}
		if len(sections) > 0 {
			kept = append(kept, sheet{s.ID, sections})
		}
	}
	return kept
}
