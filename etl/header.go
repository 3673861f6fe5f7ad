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
	twice   string         // a column that stands there more than once
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
			names, groups := joinHeader(records[last-depth+1 : last+1])
			h, missing := d.matchHeader(names, groups...)
			if len(missing) == 0 && len(h.index) > found {
				best, found = h, len(h.index)
				best.record = last + 1
			}
		}
	}
	if found < 0 {
		return header{}, d.headerError(records)
	}
	if best.twice != "" {
		return header{}, &FileError{Where: fmt.Sprintf("row %d", best.record), What: "the header has the column " + best.twice + " twice",
			Do: "rename one of them, or name it with its group (group/name) in " + d.file}
	}
	return best, nil
}

// joinHeader takes for each column the lowest text of the rows, and beside it
// the same with the text of the group above it, which a merged cell gives to
// its first column only.
func joinHeader(rows [][]string) (names, groups []string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row))
	}
	names, groups = make([]string, width), make([]string, width)
	for _, row := range rows {
		above := ""
		for i := range width {
			name := ""
			if i < len(row) {
				name = columnName(row[i])
			}
			if name == "" {
				if groups[i] == "" && names[i] == "" {
					groups[i] = above
				}
				continue
			}
			group := groups[i]
			if names[i] != "" {
				group = names[i]
			}
			names[i], above = name, name
			if group != "" {
				groups[i] = group
			}
		}
	}
	for i, group := range groups {
		if groups[i] = ""; group != "" && names[i] != "" {
			groups[i] = group + "/" + names[i]
		}
	}
	return names, groups
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

// matchHeader finds the definition's columns among names, or among the same
// names with their groups in front.
func (d *Definition) matchHeader(names []string, groups ...string) (h header, missing []string) {
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
			if alternatives[0] == sheetSource {
				continue
			}
			at := -1
			for _, name := range alternatives {
				name = columnName(name)
				if at = slices.Index(names, name); at >= 0 {
					if slices.Contains(names[at+1:], name) {
						h.twice = name
					}
					break
				}
				if at = slices.Index(groups, name); at >= 0 {
					break
				}
			}
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
		names, _ := joinHeader([][]string{record})
		h, missing := d.matchHeader(names)
		if i == 0 || len(missing) < len(lacks) {
			nearestRow, lacks, has = i+1, missing, h.unknown
		}
	}
	if len(records) == 0 {
		return &FileError{What: "has no rows", Do: "export it again"}
	}
	if row := records[nearestRow-1]; len(row) == 1 && d.Format == "csv" {
		if at := strings.IndexAny(row[0], "\t;|,"); at >= 0 {
			return &FileError{Where: fmt.Sprintf("row %d", nearestRow), What: fmt.Sprintf("has no %q between its columns, but %q", d.Delimiter, row[0][at]),
				Do: "change delimiter in " + d.file + ", or export it again"}
		}
	}
	return d.lacks(fmt.Sprintf("row %d", nearestRow), lacks, has)
}

// lacks says which columns are missing and what comes nearest.
func (d *Definition) lacks(where string, missing, has []string) error {
	var hints []string
	for _, name := range missing {
		hint := name
		if candidate := nearest(name, has); candidate != "" {
			hint += fmt.Sprintf(" (nearest: %s)", candidate)
		}
		hints = append(hints, hint)
	}
	return &FileError{Where: where, What: "the header lacks " + strings.Join(hints, ", "),
		Do: fmt.Sprintf("check that it is a delivery of %s, or add the new name to %s", d.Name, d.file)}
}
