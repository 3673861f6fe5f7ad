package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"tongbao/register"
)

// unitBody is the page of a community, an area or a building grid.
type unitBody struct {
	Name       string
	Level      int // 2 community, 3 area, 4 building grid
	Trail      []link
	Facts      []fact
	Reason     string
	Trend      *trend
	Lines      sheet // of a community
	Moved      sheet // of a community, why its total moved
	Below      sheet // areas of a community, building grids of an area
	Indicators sheet
	Records    string // address of its records, "" for who may not
}

// unitsBody is the list of communities and areas.
type unitsBody struct{ Communities, Areas, Buildings sheet }

// units sends who has one community there, and shows the others all.
func (s *Server) units(v *visit) error {
	if v.account.Unit != "" {
		return v.redirect(v.to("/unit/%s", v.account.Unit))
	}
	of, err := v.published()
	if err != nil {
		return err
	}
	return v.print(of, "units", func() (any, error) {
		return unitsBody{v.communities(of), v.areas(v.rows(of, "area")), v.buildings(v.rows(of, "building"))}, nil
	})
}

func (v *visit) communities(of *version) sheet {
	return v.sheet("community", v.rows(of, "community"), column{Key: "place", Kind: rank},
		column{Key: "name", To: func(r row) string { return v.to("/unit/%s", r.Get("grid_id")) }}, column{Key: "households", Kind: integer},
		column{Key: "total", Kind: score}, column{Key: "place_change", Kind: moves}, column{Key: "total_change", Kind: signed}, column{Key: "reason"})
}

func (v *visit) areas(rows []row) sheet {
	return v.sheet("area", rows, column{Key: "place", Kind: rank}, column{Key: "name", To: func(r row) string { return v.to("/unit/%s", r.Get("grid_id")) }},
		column{Key: "households", Kind: integer}, column{Key: "total", Kind: score}, column{Key: "law", Kind: score, Heat: true}, column{Key: "safety", Kind: score, Heat: true},
		column{Key: "environment", Kind: score, Heat: true}, column{Key: "city", Kind: score, Heat: true}, column{Key: "property", Kind: score, Heat: true},
		column{Key: "place_change", Kind: moves}, column{Key: "total_change", Kind: signed}, column{Key: "small_share", Kind: rate}, column{Key: "unranked", Kind: coded})
}

func (v *visit) buildings(rows []row) sheet {
	return v.sheet("building", rows, column{Key: "peer_group"}, column{Key: "place", Kind: rank}, column{Key: "code", To: func(r row) string { return v.to("/unit/%s", r.Get("code")) }},
		column{Key: "households", Kind: integer}, column{Key: "tickets_due", Kind: integer}, column{Key: "total", Kind: score}, column{Key: "grade"},
		column{Key: "rolling_total", Kind: score, Heat: true}, column{Key: "rolling_months", Kind: integer}, column{Key: "small_share", Kind: rate}, column{Key: "unranked", Kind: coded})
}

func (s *Server) unit(v *visit) error {
	of, err := v.published()
	if err != nil {
		return err
	}
	code := v.r.PathValue("grid")
	for _, level := range []struct {
		table, key string
		draw       func(*version, row) unitBody
	}{{"community", "grid_id", v.communityPage}, {"area", "grid_id", v.areaPage}, {"building", "code", v.buildingPage}} {
		if rows := where(v.rows(of, level.table), level.key, code); len(rows) == 1 {
			return v.print(of, "unit", func() (any, error) { return level.draw(of, rows[0]), nil })
		}
	}
	// What is not there and what the reader may not see look alike.
	return refuse(http.StatusNotFound, "no_unit")
}

func (v *visit) communityPage(of *version, own row) unitBody {
	name, code := own.Get("name"), own.Get("grid_id")
	body := unitBody{Name: name, Level: 2, Trail: v.trail(), Reason: own.Get("reason"), Trend: v.trend(of, code)}
	body.Facts = []fact{
		{v.words.column("place"), v.words.show(own.Get("place"), rank, own), ""},
		{v.words.column("total"), v.words.show(own.Get("total"), score, own), ""},
		{v.words.column("total_change"), v.words.show(own.Get("total_change"), signed, own), changeClass(own.Get("total_change"))},
		{v.words.column("place_change"), v.words.show(own.Get("place_change"), moves, own), changeClass(own.Get("place_change"))},
		{v.words.column("households"), separate(own.Get("households")), ""},
	}
	body.Lines = v.sheet("line_unit", where(v.rows(of, "line_unit"), "name", name),
		column{Key: "line", Kind: coded, To: func(r row) string { return v.to("/line/%s", r.Get("line")) }}, column{Key: "weight", Kind: integer, Head: v.words.Text["weight"]}, column{Key: "place", Kind: rank},
		column{Key: "score", Kind: score, Heat: true}, column{Key: "score_change", Kind: signed}, column{Key: "deduction", Kind: score}, column{Key: "bonus", Kind: score},
		column{Key: "state", Kind: coded}, column{Key: "lost"})
	steps := slices.DeleteFunc(where(v.rows(of, "waterfall"), "grid_id", code), func(r row) bool { return isRest(r) && moveSize(r, "amount") == 0 })
	body.Moved = v.sheet("waterfall", steps, column{Key: "line", Kind: coded}, column{Key: "indicator", Show: v.step},
		column{Key: "indicator_name", Show: v.stepName}, column{Key: "amount", Kind: signed, Head: v.words.Columns["move.amount"]}, column{Key: "reached", Kind: score, Head: v.words.say("unit.reached")})
	body.Moved.Title, body.Moved.Note = v.words.say("unit.moved"), v.words.Text["why_note"]
	body.Below = v.areas(where(v.rows(of, "area"), "community_id", code))
	body.Indicators = v.indicators(of, "2", code, name)
	body.Records = v.recordsOf(code)
	return body
}

// isRest says whether a step of the way from last month's total to this one's
// is the last, of all that is not told by itself.
func isRest(r row) bool { return r.Get("indicator") == "REST" }

// step is the indicator of a step.
func (v *visit) step(r row) string {
	if isRest(r) {
		return ""
	}
	return r.Get("indicator")
}

func (v *visit) stepName(r row) string {
	if isRest(r) {
		return v.words.Text["rest"]
	}
	return v.words.data(r.Get("indicator_name"))
}

func (v *visit) areaPage(of *version, own row) unitBody {
	code := own.Get("grid_id")
	body := unitBody{Name: own.Get("name"), Level: 3, Trail: v.trail(link{Text: own.Get("community"), To: v.to("/unit/%s", own.Get("community_id"))})}
	body.Facts = []fact{
		{v.words.column("place"), v.words.show(own.Get("place"), rank, own), ""},
		{v.words.column("total"), own.Get("total"), ""},
		{v.words.column("total_change"), v.words.show(own.Get("total_change"), signed, own), changeClass(own.Get("total_change"))},
		{v.words.column("households"), separate(own.Get("households")), ""},
		{v.words.column("small_share"), own.Get("small_share"), ""},
	}
	body.Below = v.buildings(where(v.rows(of, "building"), "area_id", code))
	body.Indicators = v.indicators(of, "3", code, "")
	body.Records = v.recordsOf(code)
	return body
}

func (v *visit) buildingPage(of *version, own row) unitBody {
	code := own.Get("code")
	body := unitBody{Name: code, Level: 4, Trail: v.trail(link{Text: own.Get("community"), To: v.to("/unit/%s", own.Get("community_id"))})}
	for _, area := range where(v.rows(of, "area"), "grid_id", own.Get("area_id")) {
		body.Trail = append(body.Trail, link{Text: area.Get("name"), To: v.to("/unit/%s", area.Get("grid_id"))})
	}
	body.Facts = []fact{
		{v.words.column("peer_group"), v.words.data(own.Get("peer_group")), ""},
		{v.words.column("total"), own.Get("total"), ""},
		{v.words.column("grade"), v.words.data(own.Get("grade")), ""},
		{v.words.column("rolling_total"), own.Get("rolling_total"), ""},
		{v.words.column("place"), v.words.show(own.Get("place"), rank, own), ""},
		{v.words.column("tickets_due"), own.Get("tickets_due"), ""},
	}
	body.Indicators = v.indicators(of, "4", code, "")
	body.Records = v.recordsOf(code)
	return body
}

func (v *visit) trail(more ...link) []link {
	return append([]link{{Text: v.words.say("nav.unit"), To: v.to("/unit")}}, more...)
}

func (v *visit) recordsOf(code string) string {
	if !v.may(register.DoorRecords) {
		return ""
	}
	return v.to("/records?grid=%s", code)
}

// indicators are a unit's figures by indicator, from the table that the reader
// may see: the long one, that of ranges, or for communities the lines' own.
func (v *visit) indicators(of *version, level, code, name string) sheet {
	toIndicator := func(r row) string { return v.to("/indicator/%s", r.Get("indicator")) }
	toRecords := func(r row) string { return v.to("/records?grid=%s&indicator=%s", code, r.Get("indicator")) }
	figure := func(key string) column {
		return column{Key: key, Kind: integer, To: v.toCounted(of, key, func(row) string { return code })}
	}
	names := map[string]string{}
	for _, one := range v.rows(of, "method") {
		names[one.Get("indicator")] = one.Get("name")
	}
	columns := func(value string) []column {
		list := []column{{Key: "line", Kind: coded}, {Key: "indicator", To: toIndicator}, {Key: "indicator_name", Show: func(r row) string { return v.words.data(names[r.Get("indicator")]) }}, figure("numerator"), figure("denominator"),
			{Key: "n", Kind: integer}, {Key: value, Kind: score, Head: v.words.column("points")}, {Key: "full_points", Kind: score}, {Key: "least", Kind: score}, {Key: "middle", Kind: score}, {Key: "greatest", Kind: score}, {Key: "state", Kind: coded}}
		if v.may(register.DoorRecords) {
			list = append(list, column{Key: "record", Head: v.words.say("nav.records"), To: toRecords, Show: func(row) string { return v.words.say("unit.records") }})
		}
		return list
	}
	if rows := byLine(where(v.rows(of, "unit_range"), "level", level, "grid_id", code)); len(rows) > 0 {
		return v.sheetOf(of, "unit_range", v.words.say("unit.indicators"), rows, columns("value"))
	}
	if rows := where(v.rows(of, "long"), "level", level, "grid_id", code); len(rows) > 0 {
		return v.sheetOf(of, "long", v.words.say("unit.indicators"), rows, columns("points"))
	}
	return v.sheetOf(of, "line_points", v.words.say("unit.indicators"), where(v.rows(of, "line_points"), "name", name), columns("points"))
}

// byLine keeps the rows of single indicators, in the order of the nine lines.
func byLine(rows []row) []row {
	kept := slices.DeleteFunc(rows, func(r row) bool { return r.Get("indicator") == "" })
	lines := register.Lines()
	slices.SortStableFunc(kept, func(a, b row) int {
		return cmp.Compare(slices.Index(lines, a.Get("line")), slices.Index(lines, b.Get("line")))
	})
	return kept
}

// sheetOf is a sheet under another title, without the columns that the table
// has not.
func (v *visit) sheetOf(of *version, table, title string, rows []row, columns []column) sheet {
	var kept []column
	for _, c := range columns {
		if _, found := of.tables[table].columns[c.Key]; found || c.Show != nil {
			kept = append(kept, c)
		}
	}
	drawn := v.sheet(table, rows, kept...)
	drawn.Title, drawn.Note = title, ""
	return drawn
}

func changeClass(value string) string {
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return ""
	}
	return direction(number)
}

// trend is a community's total over twelve months, as a line of a small
// picture and as a list for who does not see it.
type trend struct {
	Points string // of an SVG polyline in a box of 100 × 30
	Dots   []trendDot
}

type trendDot struct{ X, Y, Month, Total string }

func (v *visit) trend(of *version, code string) *trend {
	rows := where(v.rows(of, "trend"), "grid_id", code)
	if len(rows) < 2 {
		return nil
	}
	least, most := 100.0, 0.0
	values := make([]float64, len(rows))
	for i, one := range rows {
		values[i], _ = strconv.ParseFloat(one.Get("total"), 64)
		least, most = min(least, values[i]), max(most, values[i])
	}
	drawn := &trend{}
	for i, one := range rows {
		x := 2 + 96*float64(i)/float64(len(rows)-1)
		y := 27 - 24*(values[i]-least)/max(most-least, 0.01)
		drawn.Points += fmt.Sprintf("%.1f,%.1f ", x, y)
		drawn.Dots = append(drawn.Dots, trendDot{fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", y), v.words.month(one.Get("of_month")), one.Get("total")})
	}
	return drawn
}
