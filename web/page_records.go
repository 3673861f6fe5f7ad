package web

import (
	"cmp"
	"net/http"
	"net/url"
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
	Choice     []link // only what is lost, or all that is counted; empty where nothing is
	Records    sheet
	Exclusions sheet
	Counted    *countedRecords // nil for a list of what is lost
	Count      int
	Shown      int    // fewer than Count where a page cannot list all
	SQL        string // address of the question for all, "" for who may not ask
}

// records answers with the single rows that counted against a unit, or with
// counted=1 with all that its figures count. Looking is written down before
// anything is shown.
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
	var by []among
	if grid != "" {
		unit, found := v.gridOf(of, grid, &body)
		if !found {
			return refuse(http.StatusNotFound, "no_unit")
		}
		by = append(by, unit)
	}
	for _, narrow := range []among{{"indicator", []string{indicator}}, {"line", []string{line}}} {
		if narrow.Values[0] != "" {
			by = append(by, narrow)
		}
	}
	_, isOpened := of.opened[indicator]
	isOpened = isOpened || indicator == "" && len(of.opened) > 0
	table := "lost_record"
	if isOpened && query.Get("counted") == "1" {
		table = "counted_record"
	}
	if isOpened {
		body.Choice = v.recordsChoice(grid, indicator, line, table)
	}
	rows, err := v.recordRows(of, table, by, &body)
	if err != nil {
		return err
	}
	excluded := v.rows(of, "exclusion")
	for _, narrow := range by {
		excluded = slices.DeleteFunc(excluded, narrow.not)
	}
	err = v.audit(register.ActRecords, of.Month.String(), map[string]any{"grid": grid, "indicator": indicator, "line": line, "counted": body.Counted != nil, "rows": len(rows), "exclusions": len(excluded)})
	if err != nil {
		return err
	}
	if body.Shown = len(rows); v.may(register.DoorSQL) {
		body.SQL = "/sql?" + url.Values{"sql": {selectFrom(of, table, "*", by)}, "of": {of.Month.String()}}.Encode()
	}
	body.Records = v.recordSheet(of, table, rows)
	body.Exclusions = v.exclusions(of, excluded)
	return v.showFresh(of, "records", body)
}

// recordRows are the records of a page and how many there are in all.
func (v *visit) recordRows(of *version, table string, by []among, body *recordsBody) ([]row, error) {
	if table == "counted_record" {
		counted, err := v.counted(of, by)
		body.Counted, body.Count = &counted, counted.Count
		return counted.Rows, err
	}
	rows := v.rows(of, table)
	for _, narrow := range by {
		rows = slices.DeleteFunc(rows, narrow.not)
	}
	body.Count = len(rows)
	return rows[:min(len(rows), maxRecords)], nil
}

// recordsChoice are the addresses of the two lists.
func (v *visit) recordsChoice(grid, indicator, line, here string) []link {
	var choice []link
	for _, one := range [][2]string{{"lost_record", ""}, {"counted_record", "1"}} {
		query := url.Values{}
		for key, value := range map[string]string{"grid": grid, "indicator": indicator, "line": line, "counted": one[1]} {
			if value != "" {
				query.Set(key, value)
			}
		}
		choice = append(choice, link{Text: v.words.say("records." + one[0]), To: strings.TrimSuffix(v.to("/records?%s", query.Encode()), "?"), IsHere: one[0] == here})
	}
	return choice
}

func (v *visit) recordSheet(of *version, table string, rows []row) sheet {
	names := map[string]string{}
	for _, one := range v.rows(of, "method") {
		names[one.Get("indicator")] = one.Get("name")
	}
	drawn := v.sheet(table, rows, column{Key: "community"}, column{Key: "area", Head: v.words.say("level.3")}, column{Key: "grid_id"}, column{Key: "line", Kind: coded},
		column{Key: "indicator", To: func(r row) string { return v.to("/indicator/%s", r.Get("indicator")) }},
		column{Key: "indicator_name", Show: func(r row) string { return v.words.data(cmp.Or(r.Get("indicator_name"), names[r.Get("indicator")])) }}, column{Key: "kind", Kind: coded}, column{Key: "record", Head: v.words.say("records.record")},
		column{Key: "day", Kind: date}, column{Key: "due_day", Kind: date}, column{Key: "site"}, column{Key: "against", Kind: coded}, column{Key: "weight", Kind: integer},
		column{Key: "numerator", Kind: rate}, column{Key: "denominator", Kind: rate}, column{Key: "points", Kind: signed}, column{Key: "cap", Kind: score},
		column{Key: "reason", Kind: coded, Head: v.words.say("records.reason")}, column{Key: "evidence"}, column{Key: "source", Kind: coded}, column{Key: "file"}, column{Key: "row_no", Kind: integer})
	if table == "counted_record" {
		drawn.Title = v.words.say("records.counted_record")
	}
	return drawn
}

// gridOf finds a unit that the reader may see, and says how its records are
// known: a community's by its code, a building grid's by its own, an area's by
// the building grids in it.
func (v *visit) gridOf(of *version, code string, body *recordsBody) (among, bool) {
	name := func(text string) { // the unit's own place in the trail
		body.Grid = text
		body.Trail = append(body.Trail, link{Text: text, To: v.to("/unit/%s", code)})
	}
	if rows := where(v.rows(of, "community"), "grid_id", code); len(rows) > 0 {
		name(rows[0].Get("name"))
		return among{"community_id", []string{code}}, true
	}
	if rows := where(v.rows(of, "area"), "grid_id", code); len(rows) > 0 {
		name(rows[0].Get("name"))
		inside := []string{code}
		for _, one := range where(v.rows(of, "building"), "area_id", code) {
			inside = append(inside, one.Get("code"))
		}
		return among{"grid_id", inside}, true
	}
	if rows := where(v.rows(of, "building"), "code", code); len(rows) > 0 {
		name(code)
		return among{"grid_id", []string{code}}, true
	}
	return among{}, false
}
