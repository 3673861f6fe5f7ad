package web

import (
	"net/http"
	"slices"
	"strings"

	"tongbao/register"
)

// recordsBody is the records behind a number, as masked as the reader's role
// has them.
type recordsBody struct {
	Trail      []link
	Grid       string // name of the unit, "" for all
	Indicator  string
	Line       string
	Records    sheet
	Exclusions sheet
	Count      int
}

// records answers with the single rows that counted against a unit. Looking is
// written down before anything is shown.
func (s *Server) records(v *visit) error {
	of, err := v.published()
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	grid, indicator, line := query.Get("grid"), strings.ToUpper(query.Get("indicator")), query.Get("line")
	if line != "" && !slices.Contains(register.Lines(), line) || indicator != "" && !indicatorCode.MatchString(indicator) {
		return refuse(http.StatusNotFound, "not_found")
	}
	body := recordsBody{Indicator: indicator, Line: line, Trail: v.trail()}
	rows, excluded := v.rows(of, "lost_record"), v.rows(of, "exclusion")
	if grid != "" {
		isIn, found := v.gridOf(of, grid, &body)
		if !found {
			return refuse(http.StatusNotFound, "no_unit")
		}
		rows, excluded = slices.DeleteFunc(rows, isIn.not), slices.DeleteFunc(excluded, isIn.not)
	}
	for _, narrow := range [][2]string{{"indicator", indicator}, {"line", line}} {
		if narrow[1] != "" {
			rows, excluded = where(rows, narrow[0], narrow[1]), where(excluded, narrow[0], narrow[1])
		}
	}
	body.Count = len(rows)
	err = v.audit(register.ActRecords, of.Month.String(), map[string]any{"grid": grid, "indicator": indicator, "line": line, "rows": len(rows), "exclusions": len(excluded)})
	if err != nil {
		return err
	}
	body.Records = v.sheet("lost_record", rows, column{Key: "community"}, column{Key: "area", Head: v.words.say("level.3")}, column{Key: "grid_id"}, column{Key: "line", Kind: coded},
		column{Key: "indicator", To: func(r row) string { return v.to("/indicator/%s", r.Get("indicator")) }}, column{Key: "indicator_name"}, column{Key: "kind", Kind: coded}, column{Key: "record"},
		column{Key: "day", Kind: date}, column{Key: "due_day", Kind: date}, column{Key: "site"}, column{Key: "against", Kind: coded}, column{Key: "weight", Kind: integer},
		column{Key: "numerator", Kind: rate}, column{Key: "denominator", Kind: rate}, column{Key: "points", Kind: signed}, column{Key: "cap", Kind: score},
		column{Key: "reason", Kind: coded, Head: v.words.say("records.reason")}, column{Key: "evidence"}, column{Key: "source", Kind: coded}, column{Key: "file"}, column{Key: "row_no", Kind: integer})
	body.Exclusions = v.exclusions(of, excluded)
	return v.showFresh(of, "records", body)
}

// inGrid says whether a record belongs to a unit.
type inGrid func(row) bool

func (in inGrid) not(r row) bool { return !in(r) }

// gridOf finds a unit that the reader may see, and says how its records are
// known: a community's by its code, a building grid's by its own, an area's by
// the building grids in it.
func (v *visit) gridOf(of *version, code string, body *recordsBody) (inGrid, bool) {
	name := func(text string) { // the unit's own place in the trail
		body.Grid = text
		body.Trail = append(body.Trail, link{Text: text, To: v.to("/unit/%s", code)})
	}
	if rows := where(v.rows(of, "community"), "grid_id", code); len(rows) > 0 {
		name(rows[0].Get("name"))
		return func(r row) bool { return r.Get("community_id") == code }, true
	}
	if rows := where(v.rows(of, "area"), "grid_id", code); len(rows) > 0 {
		name(rows[0].Get("name"))
		inside := map[string]bool{code: true}
		for _, one := range where(v.rows(of, "building"), "area_id", code) {
			inside[one.Get("code")] = true
		}
		return func(r row) bool { return inside[r.Get("grid_id")] }, true
	}
	if rows := where(v.rows(of, "building"), "code", code); len(rows) > 0 {
		name(code)
		return func(r row) bool { return r.Get("grid_id") == code }, true
	}
	return nil, false
}
