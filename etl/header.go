package etl

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// header is where a file's columns are.
type header struct {
	record  int            // number of the record that ends the header, from 1
	width   int            // fields of the header
	index   map[string]int // source column of the definition -> field
	unknown []string       // columns that the definition does not name
}

// maxHeaderDepth is how many rows a header with merged groups may have.
const maxHeaderDepth = 3

// findHeader looks among the first records for the row, or the rows of a
// merged header, that hold all required columns. A column's name is the
// lowest text of the header's rows. Of several places the one with the most
// known columns counts.
func (d *Definition) findHeader(records [][]string) (header, error) {
	var best header
	found := -1
	for last := range records {
		for depth := 1; depth <= min(maxHeaderDepth, last+1); depth++ {
			names := joinHeader(records[last-depth+1 : last+1])
			h, missing := d.matchHeader(names)
			if len(missing) == 0 && len(h.index) > found {
				best, found = h, len(h.index)
				best.record = last + 1
			}
		}
	}
	if found < 0 {
		return header{}, d.headerError(records)
	}
	return best, nil
}

// joinHeader takes for each column the lowest text of the rows.
func joinHeader(rows [][]string) []string {
	var names []string
	for _, row := range rows {
		for i, cell := range row {
			if i == len(names) {
				names = append(names, "")
			}
			if name := columnName(cell); name != "" {
				names[i] = name
			}
		}
	}
	return names
}

// columnName strips what people put around and into names of columns.
func columnName(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\ufeff' || r == '*' || r == '＊' {
			return -1
		}
		return r
	}, cell)
}

func (d *Definition) matchHeader(names []string) (h header, missing []string) {
	h = header{width: len(names), index: map[string]int{}}
	used := map[int]bool{}
	for _, column := range d.Columns {
		sources := []Names{column.From}
		if column.And != "" {
			sources = append(sources, Names{column.And})
		}
		for _, alternatives := range sources {
			if len(alternatives) == 0 {
				continue
			}
			at := slices.IndexFunc(names, func(name string) bool {
				return slices.ContainsFunc(alternatives, func(a string) bool { return columnName(a) == name })
			})
			if at >= 0 {
				h.index[alternatives[0]] = at
				used[at] = true
			} else if column.Required {
				missing = append(missing, alternatives[0])
			}
		}
	}
	for i, name := range names {
		if name != "" && !used[i] {
			h.unknown = append(h.unknown, name)
		}
	}
	return h, missing
}

// headerError names the row that comes nearest and what it lacks.
func (d *Definition) headerError(records [][]string) error {
	var nearestRow int
	var lacks, has []string
	for i, record := range records {
		names := joinHeader([][]string{record})
		h, missing := d.matchHeader(names)
		if i == 0 || len(missing) < len(lacks) {
			nearestRow, lacks, has = i+1, missing, h.unknown
		}
	}
	if len(records) == 0 {
		return &FileError{What: "has no rows", Do: "export it again"}
	}
	var hints []string
	for _, name := range lacks {
		hint := name
		if candidate := nearest(name, has); candidate != "" {
			hint += fmt.Sprintf(" (nearest: %s)", candidate)
		}
		hints = append(hints, hint)
	}
	return &FileError{Where: fmt.Sprintf("row %d", nearestRow),
		What: "the header lacks " + strings.Join(hints, ", "),
		Do:   fmt.Sprintf("check that it is a delivery of %s, or add the new name to %s", d.Name, d.file)}
}
