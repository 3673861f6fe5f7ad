package etl

import (
	"fmt"
	"slices"
	"strings"
)

// What the two kinds of database share: which columns are read, and how a
// window becomes a condition.

// firstMoment and firstInteger stand for an open lower bound of $cursor,
// lastMoment and lastInteger for an open upper bound of $until.
const (
	firstMoment  = "1971-01-01 00:00:00"
	lastMoment   = "2037-12-31 00:00:00"
	firstInteger = "-9223372036854775808"
	lastInteger  = "9223372036854775807"
)

// wanted are the columns of a table that a window reads: of a sample all whose
// type has an exact text; inexact names the type of one that has none.
func (d *Definition) wanted(w window, have []string, into *rowFile, inexact func(int) (string, error)) ([]string, error) {
	if w.kind == kindSample {
		return d.Connect.readable(have, inexact)
	}
	return d.chosen(have, into)
}

// begin names the columns of the rows that come, the cursor among them.
func (d *Definition) begin(names []string, into *rowFile) error {
	if err := into.columns(names); err != nil {
		return err
	}
	if d.Connect.Cursor != "" && into.cursor < 0 {
		return &FileError{Where: "read rows", What: "the rows have no column " + d.Connect.Cursor + ", the cursor", Do: "add it to the query, or correct connect.cursor"}
	}
	return nil
}

// chosen are the columns of a table that the definition names: what it does
// not name is passed by and stays where it is, personal data above all.
func (d *Definition) chosen(have []string, into *rowFile) ([]string, error) {
	var names []string
	into.passed = nil
	for _, name := range have {
		if name == d.Connect.Cursor || slices.ContainsFunc(d.Columns, func(c Column) bool {
			return columnName(c.And) == columnName(name) || slices.ContainsFunc(c.From, func(from string) bool { return columnName(from) == columnName(name) })
		}) {
			names = append(names, name)
		} else {
			into.passed = append(into.passed, name)
		}
	}
	if c := d.Connect.Cursor; c != "" && !slices.Contains(have, c) {
		return nil, &FileError{Where: "look at " + d.Connect.Table, What: "has no column " + c + ", the cursor",
			Do: "correct connect.cursor; nearest: " + nearest(c, have)}
	}
	if h, missing := d.matchHeader(have); len(missing) > 0 {
		return nil, &FileError{Where: "look at " + d.Connect.Table, What: "lacks " + strings.Join(missing, ", "),
			Do: "add the new name to " + d.file + "; columns that it does not name: " + strings.Join(h.unknown, ", ")}
	}
	return names, nil
}

// where is the condition of a window on a table. Rows without a cursor value
// are read every time, because no later fetch would find them. Bounds are
// moments or integers of our own making, so they need no escape.
func (c *Connect) where(w window, column string) string {
	limit := ""
	if w.most > 0 {
		limit = fmt.Sprintf(" limit %d", w.most)
	}
	if w.kind == kindFull || w.kind == kindSample {
		return limit
	}
	var conditions []string
	if w.from != "" {
		conditions = append(conditions, column+" >= "+c.bound(w.from))
	}
	if w.to != "" {
		conditions = append(conditions, column+" < "+c.bound(w.to))
	}
	condition := strings.Join(conditions, " and ")
	if w.kind == kindWindow {
		condition += " or " + column + " is null"
	}
	return " where " + condition + limit
}

// fill writes the bounds of a window into the query.
func (c *Connect) fill(w window) (string, error) {
	if w.to != "" && !strings.Contains(c.Query, "$until") {
		return "", &FileError{Where: "choose the window", What: "--to needs $until in connect.query", Do: "add it, or leave --to out"}
	}
	if w.from != "" && !strings.Contains(c.Query, "$cursor") {
		return "", &FileError{Where: "choose the window", What: "--from needs $cursor in connect.query", Do: "add it, or leave --from out"}
	}
	first, last := firstMoment, lastMoment
	if c.CursorType == "integer" {
		first, last = firstInteger, lastInteger
	}
	query := strings.NewReplacer("$cursor", c.bound(orElse(w.from, first)), "$until", c.bound(orElse(w.to, last))).Replace(c.Query)
	if w.most > 0 {
		query = fmt.Sprintf("select * from (%s\n) as sample limit %d", query, w.most)
	}
	return query, nil
}

func (c *Connect) bound(value string) string {
	if c.CursorType == "integer" {
		return value
	}
	return fmt.Sprintf("'%s'", value)
}
