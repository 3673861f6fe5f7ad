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

// row is a row of a bulletin table: values as the engine prints them. Rows of
// a table share its columns, and editions share the values, so that a town of
// thousands of building grids is held once.
type row struct {
	columns map[string]int // where a column's value stands in values
	values  []string
}

// get returns the value of a column, "" for a null and for a column that the
// row has not or its edition may not show.
func (r row) get(column string) string {
	if at, found := r.columns[column]; found {
		return r.values[at]
	}
	return ""
}

// isNone says whether there is no row.
func (r row) isNone() bool { return r.columns == nil }

// newRow makes a row that no table has.
func newRow(values map[string]string) row {
	one := row{columns: map[string]int{}}
	for column, value := range values {
		one.columns[column] = len(one.values)
		one.values = append(one.values, value)
	}
	return one
}

// tables is the layer bulletin of one month, by table.
type tables map[string][]row

// extraTables are drawn outside the sections.
var extraTables = []string{"heading", "summary", "trend", "trend_ticket", "waterfall"}

// drawn lists the tables that are drawn, each with the condition that its rows
// meet, "" for all: a town has thousands of rows of building grids that no
// edition shows.
func drawn() map[string]string {
	kept := map[string]map[string]bool{}
	by := map[string]string{}
	for _, sheet := range allSheets() {
		for _, section := range sheet.Sections {
			if kept[section.Table] == nil {
				kept[section.Table] = map[string]bool{}
				by[section.Table] = section.FilterBy
			}
			if by[section.Table] != section.FilterBy {
				by[section.Table] = ""
			}
			kept[section.Table]["'"+section.Filter+"'"] = true
		}
	}
	list := map[string]string{}
	for _, name := range extraTables {
		list[name] = ""
	}
	for name, filters := range kept {
		list[name] = ""
		if by[name] != "" {
			list[name] = fmt.Sprintf(" and cast(%s as varchar) in (%s)", by[name], strings.Join(slices.Sorted(maps.Keys(filters)), ", "))
		}
	}
	return list
}

// readTables reads what the editions hold, once for all of them. A build's
// tables lie in two files: what the taskforce alone may see is apart.
func readTables(ctx context.Context, files []*warehouse.DB, of tongbao.Month) (tables, error) {
	read := tables{}
	list := drawn()
	for _, db := range files {
		// A version of an earlier program may have fewer tables; what it has not
		// is not drawn.
		there, err := db.Tables(ctx, "bulletin")
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if _, found := there["bulletin."+name]; read[name] != nil || !found {
				continue
			}
			answer, err := db.Rows(ctx, fmt.Sprintf("select * from bulletin.%s where month = date '%s'%s order by rowid", name, of.First().Format("2006-01-02"), list[name]))
			if err != nil {
				return nil, fmt.Errorf("read bulletin.%s: %w", name, err)
			}
			read[name] = toRows(answer)
		}
	}
	if len(read["heading"]) != 1 {
		return nil, fmt.Errorf("read bulletin.heading: %d rows for %s, want one; the month was not computed", len(read["heading"]), of)
	}
	read.nameMoves()
	return read, nil
}

// nameMoves gives the rows of bulletin.move the names of their communities.
func (read tables) nameMoves() {
	names := map[string]string{}
	for _, one := range read["community"] {
		names[one.get("grid_id")] = one.get("name")
	}
	var named map[string]int
	for i, one := range read["move"] {
		if named == nil {
			named = maps.Clone(one.columns)
			named["name"] = len(one.values)
		}
		read["move"][i] = row{named, append(one.values, names[one.get("grid_id")])}
	}
}

// toRows keeps an answer's values, equal ones once: most are names and codes
// that come again and again.
func toRows(answer warehouse.Rows) []row {
	columns := make(map[string]int, len(answer.Columns))
	for i, name := range answer.Columns {
		columns[name] = i
	}
	known := map[string]string{}
	rows := make([]row, 0, len(answer.Cells))
	for _, cells := range answer.Cells {
		values := make([]string, len(cells), len(cells)+1)
		for i, cell := range cells {
			value, found := known[cell.String]
			if !found {
				value = cell.String
				known[value] = value
			}
			values[i] = value
		}
		rows = append(rows, row{columns, values})
	}
	return rows
}
