package web

import (
	"net/http"
	"slices"

	"tongbao/register"
)

// lineBody is the page of one of the nine lines.
type lineBody struct {
	Line    string
	Lines   []link
	Weight  string
	Ranking sheet
	Grid    lineGrid
	Records string // address of the line's records, "" for who may not
}

type link struct {
	Text, To string
	IsHere   bool
}

// lineGrid has one row an indicator and one column a community.
type lineGrid struct {
	Units []string
	Rows  []lineRow
}

type lineRow struct {
	Indicator, Name, To, Full string
	Cells                     []cell
}

// line sends to the reader's own line, or to the first one.
func (s *Server) lines(v *visit) error {
	line := v.account.Line
	if line == "" {
		line = register.Lines()[0]
	}
	return v.redirect(v.to("/line/%s", line))
}

func (s *Server) line(v *visit) error {
	line := v.r.PathValue("line")
	if !slices.Contains(register.Lines(), line) {
		return refuse(http.StatusNotFound, "not_found")
	}
	of, err := v.published()
	if err != nil {
		return err
	}
	return v.print(of, "line", func() (any, error) {
		body := lineBody{Line: line}
		for _, one := range register.Lines() {
			body.Lines = append(body.Lines, link{v.words.codes(one), v.to("/line/%s", one), one == line})
		}
		rows := where(v.rows(of, "line_unit"), "line", line)
		for _, one := range rows {
			body.Weight = one.Get("weight")
		}
		codes := map[string]string{}
		for _, one := range v.rows(of, "community") {
			codes[one.Get("name")] = one.Get("grid_id")
		}
		toUnit := func(r row) string { return v.to("/unit/%s", codes[r.Get("name")]) }
		body.Ranking = v.sheet("line_unit", rows, column{Key: "place", Kind: rank}, column{Key: "name", To: toUnit}, column{Key: "score", Kind: score, Heat: true},
			column{Key: "score_change", Kind: signed}, column{Key: "deduction", Kind: score}, column{Key: "bonus", Kind: score}, column{Key: "cap", Kind: score},
			column{Key: "state", Kind: coded}, column{Key: "lost"})
		body.Grid = v.lineGrid(where(v.rows(of, "line_points"), "line", line))
		if v.may(register.DoorRecords) && (v.account.Role != register.RoleLine || v.account.Line == line) {
			body.Records = v.to("/records?line=%s", line)
		}
		return body, nil
	})
}

// lineGrid turns rows of indicator and community into a grid.
func (v *visit) lineGrid(rows []row) lineGrid {
	var grid lineGrid
	at := map[string]int{}
	for _, one := range rows {
		if !slices.Contains(grid.Units, one.Get("name")) {
			grid.Units = append(grid.Units, one.Get("name"))
		}
	}
	for _, one := range rows {
		indicator := one.Get("indicator")
		if _, found := at[indicator]; !found {
			at[indicator] = len(grid.Rows)
			grid.Rows = append(grid.Rows, lineRow{indicator, one.Get("indicator_name"), v.to("/indicator/%s", indicator), one.Get("full_points"), make([]cell, len(grid.Units))})
		}
		drawn := v.cell(one, column{Key: "points", Kind: score})
		if share := one.Get("denominator"); share != "" {
			drawn.Raw = one.Get("numerator") + "/" + share
		}
		if one.Get("lost") != "" && one.Get("lost") != "0.00" {
			drawn.Class += " lost"
		}
		if drawn.Text == "" {
			drawn.Text, drawn.Class = v.words.codes(one.Get("state")), drawn.Class+" missing"
		}
		grid.Rows[at[indicator]].Cells[slices.Index(grid.Units, one.Get("name"))] = drawn
	}
	return grid
}
