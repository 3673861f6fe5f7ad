package web

import (
	"fmt"
	"slices"
	"strconv"

	"tongbao/register"
	"tongbao/warehouse"
)

// table is a bulletin table of one month: values as the engine prints them, ""
// for null.
type table struct {
	columns map[string]int
	cells   [][]string
}

func newTable(from warehouse.Rows) *table {
	t := &table{columns: map[string]int{}}
	for i, name := range from.Columns {
		t.columns[name] = i
	}
	same := map[string]string{} // values repeat; each is kept once
	for _, cells := range from.Cells {
		row := make([]string, len(cells))
		for i, cell := range cells {
			if !cell.Valid {
				continue
			}
			kept, found := same[cell.String]
			if !found {
				kept = cell.String
				same[kept] = kept
			}
			row[i] = kept
		}
		t.cells = append(t.cells, row)
	}
	return t
}

// row is a row as one reader may see it.
type row struct {
	table   *table
	cells   []string
	without []string // columns that this reader does not see
}

// Get returns a column's value; "" for null, for a column that is not there,
// and for one that the reader may not see.
func (r row) Get(column string) string {
	at, found := -1, false
	if r.table != nil {
		at, found = r.table.columns[column]
	}
	if !found || slices.Contains(r.without, column) {
		return ""
	}
	return r.cells[at]
}

// rows are the rows of a table that the reader may see, and those only: every
// page takes its rows from here.
func (v *visit) rows(of *version, name string) []row {
	view, found := register.Views(v.account)[name]
	t := of.tables[name]
	if !found || t == nil {
		return nil
	}
	community := ""
	if view.Own != "" {
		if community = v.community(of); community == "" {
			return nil
		}
	}
	kept := make([]row, 0, len(t.cells))
	for _, cells := range t.cells {
		one := row{t, cells, view.Without}
		whole := row{table: t, cells: cells}
		if view.Own != "" && whole.Get(view.Own) != community || view.Line != "" && whole.Get(view.Line) != v.account.Line {
			continue
		}
		if level, err := strconv.Atoi(whole.Get("level")); err == nil && view.Deepest > 0 && level > view.Deepest {
			continue
		}
		kept = append(kept, one)
	}
	return kept
}

// sees says whether the reader may see a table at all, and a column of it.
func (v *visit) sees(name, column string) bool {
	view, found := register.Views(v.account)[name]
	return found && !slices.Contains(view.Without, column)
}

// community is the name of the reader's own community, "" for who has none.
func (v *visit) community(of *version) string {
	t := of.tables["community"]
	if t == nil || v.account.Unit == "" {
		return ""
	}
	for _, cells := range t.cells {
		if one := (row{table: t, cells: cells}); one.Get("grid_id") == v.account.Unit {
			return one.Get("name")
		}
	}
	return ""
}

// where keeps the rows with these values: column, value, column, value …
func where(rows []row, pairs ...string) []row {
	var kept []row
	for _, one := range rows {
		fits := true
		for i := 0; i < len(pairs); i += 2 {
			fits = fits && one.Get(pairs[i]) == pairs[i+1]
		}
		if fits {
			kept = append(kept, one)
		}
	}
	return kept
}

// viewKey tells readers apart who see different things.
func (v *visit) viewKey() string {
	return fmt.Sprintf("%s|%s|%s|%s", v.account.Role, v.account.Line, v.account.Unit, v.words.name)
}
