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
		key, value, found := v.gridOf(of, grid, &body)
		if !found {
			return refuse(http.StatusNotFound, "no_unit")
		}
		rows = where(rows, key, value)
		if key == "area" {
			excluded = nil // its rows name no area
		} else {
			excluded = where(excluded, key, value)
		}
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
	body.Records = v.sheet("lost_record", rows, column{Key: "community"}, column{Key: "area"}, column{Key: "grid_id"}, column{Key: "line", Kind: coded},
		column{Key: "indicator", To: func(r row) string { return v.to("/indicator/%s", r.Get("indicator")) }}, column{Key: "indicator_name"}, column{Key: "kind", Kind: coded}, column{Key: "record"},
		column{Key: "day", Kind: date}, column{Key: "due_day", Kind: date}, column{Key: "site"}, column{Key: "against", Kind: coded}, column{Key: "weight", Kind: integer},
		column{Key: "numerator", Kind: rate}, column{Key: "denominator", Kind: rate}, column{Key: "points", Kind: signed}, column{Key: "cap", Kind: score},
		column{Key: "reason", Kind: coded}, column{Key: "evidence"}, column{Key: "source", Kind: coded}, column{Key: "file"}, column{Key: "row_no", Kind: integer})
	body.Exclusions = v.exclusions(of, excluded)
	return v.showFresh(of, "records", body)
}

// gridOf finds a unit that the reader may see, and the column of the records
// that names it.
func (v *visit) gridOf(of *version, code string, body *recordsBody) (key, value string, found bool) {
	for _, level := range []struct{ table, key, column string }{{"community", "grid_id", "community_id"}, {"area", "grid_id", "area"}, {"building", "code", "grid_id"}} {
		rows := where(v.rows(of, level.table), level.key, code)
		if len(rows) == 0 {
			continue
		}
		body.Grid = rows[0].Get("name")
		value := code
		if level.column == "area" {
			value = body.Grid
		}
		if body.Grid == "" {
			body.Grid = code
		}
		body.Trail = append(body.Trail, link{Text: body.Grid, To: v.to("/unit/%s", code)})
		return level.column, value, true
	}
	return "", "", false
}
