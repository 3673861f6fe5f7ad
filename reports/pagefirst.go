package reports

import (
	"fmt"
	"math"
	"strconv"

	"tongbao/templates"
)

// What the first page shows beside its sentences. Positions are in percent of
// the picture's width, as attributes of SVG: the page has no inline styles.

// rankRow is a community in the ranking.
type rankRow struct {
	Place, Name, Total, Change, ChangeClass, Reason string
	At, LastAt                                      string // where the dots of this and last month stand
}

type tick struct{ Label, At string }

type heatHead struct{ Name, Weight string }

type heatRow struct {
	Name, Total string
	Cells       []heatCell
}

type heatCell struct{ Text, Class string }

// scale maps values to percent of a width, with room at both ends for a dot.
type scale struct{ low, high float64 }

func (s scale) share(value float64) float64 {
	return 3 + 94*(max(s.low, min(value, s.high))-s.low)/(s.high-s.low)
}

func (s scale) at(value float64) string { return percent(s.share(value)) }

// of is at for the engine's text, "" for what is no number.
func (s scale) of(value string) string {
	if number, err := strconv.ParseFloat(value, 64); err == nil {
		return s.at(number)
	}
	return ""
}

func percent(value float64) string { return fmt.Sprintf("%.2f%%", value) }

// scoreScale holds the values in steps of five or ten points up to 100 or more.
func scoreScale(values []string) (scale, []tick) {
	s := scale{90, 100}
	for _, value := range values {
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			s.low = min(s.low, math.Floor(number/5)*5)
			s.high = max(s.high, math.Ceil(number/5)*5)
		}
	}
	step := 5.0
	if s.high-s.low > 30 {
		step = 10
		s.low = math.Floor(s.low/10) * 10
	}
	if s.high-s.low > 60 {
		step = 20
		s.low = math.Floor(s.low/20) * 20
	}
	var ticks []tick
	for value := s.low; value <= s.high; value += step {
		ticks = append(ticks, tick{strconv.FormatFloat(value, 'f', -1, 64), s.at(value)})
	}
	return s, ticks
}

// lastTotals are the totals of the month before, by community.
func (m *bulletin) lastTotals() map[string]string {
	before := m.Month.Prev().First().Format("2006-01-02")
	totals := map[string]string{}
	for _, one := range m.tables["trend"] {
		if one.get("of_month") == before {
			totals[one.get("grid_id")] = one.get("total")
		}
	}
	return totals
}

func (m *bulletin) rankRows() ([]rankRow, []tick) {
	last := m.lastTotals()
	var values []string
	for _, one := range m.tables["community"] {
		values = append(values, one.get("total"), last[one.get("grid_id")])
	}
	s, ticks := scoreScale(values)
	var rows []rankRow
	for _, one := range m.tables["community"] {
		r := rankRow{
			Place: show(one.get("place"), rank, m.words, one), Name: one.get("name"), Total: one.get("total"),
			Change: show(one.get("place_change"), moves, m.words, one), ChangeClass: moveClass(one.get("place_change")), At: s.of(one.get("total")),
		}
		if one.get("is_comparable") == "true" {
			r.LastAt, r.Reason = s.of(last[one.get("grid_id")]), m.reason(m.top(one.get("grid_id")))
		}
		if m.Options.Edition == Public {
			r.Reason = ""
		}
		if one.get("missing_lines") != "" {
			r.Reason = plain(fill(m.words.Text["provisional_reason"], func(string) string { return m.words.code(one.get("missing_lines")) }))
		}
		rows = append(rows, r)
	}
	return rows, ticks
}

func (m *bulletin) heatRows() ([]heatHead, []heatRow) {
	var heads []heatHead
	for _, line := range lines {
		heads = append(heads, heatHead{m.words.Columns[line], m.weight(line)})
	}
	var rows []heatRow
	for _, one := range m.tables["community"] {
		r := heatRow{Name: one.get("name"), Total: one.get("total")}
		for _, line := range lines {
			class := "missing"
			if value, err := strconv.ParseFloat(one.get(line), 64); err == nil {
				class = fmt.Sprintf("h%d", templates.HeatStep(value))
			}
			r.Cells = append(r.Cells, heatCell{show(one.get(line), score, m.words, one), class})
		}
		rows = append(rows, r)
	}
	return heads, rows
}

func (m *bulletin) weight(line string) string {
	for _, one := range m.tables["line_unit"] {
		if one.get("line") == line {
			return one.get("weight")
		}
	}
	return ""
}

func moveClass(change string) string {
	switch {
	case change == "" || change == "0":
		return "same"
	case change[0] == '-':
		return "worse"
	}
	return "better"
}

// fall is the change of one community's total as steps that add up.
type fall struct {
	Title string
	Bars  []fallBar
}

// fallBar is a step, or a total at either end.
type fallBar struct {
	Label, Value, Class, From, Width, TextAt, Anchor string
	IsTotal                                          bool
}

// fallBars are the steps of the mover's change; nil when there are none.
func (m *bulletin) fallBars() *fall {
	mover := m.mover()
	steps := m.steps(mover)
	if len(steps) == 0 {
		return nil
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, one := range steps {
		low, high = min(low, float(one.from), float(one.to)), max(high, float(one.from), float(one.to))
	}
	// Room for the figures beside the bars.
	s := scale{low - (high-low)*0.45, high + (high-low)*0.3}
	f := &fall{Title: m.moveTitle(mover)}
	for _, one := range steps {
		left, right := s.share(min(float(one.from), float(one.to))), s.share(max(float(one.from), float(one.to)))
		bar := fallBar{Label: one.label, Value: one.value, IsTotal: one.isTotal, From: percent(left), TextAt: percent(left + 2), Anchor: "start"}
		if !one.isTotal {
			bar.Class, bar.Width, bar.TextAt, bar.Anchor = moveClass(one.amount.FloatString(2)), percent(max(right-left, 0.6)), percent(left-1.5), "end"
		}
		f.Bars = append(f.Bars, bar)
	}
	return f
}

// number64 is a figure for drawing; what is none stands at 0.
func number64(value string) float64 {
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return number
}

// stripRow is a line of a unit's own edition beside the range of all units.
type stripRow struct {
	Name, Score, Place, Range, At, From, Width, Middle string
}

func (m *bulletin) stripRows() ([]stripRow, []tick) {
	own := m.own()
	ranges := map[string]row{}
	var values []string
	for _, one := range m.tables["unit_range"] {
		if one.get("grid_id") == own.get("grid_id") && one.get("indicator") == "" {
			ranges[one.get("line")] = one
			values = append(values, one.get("value"), one.get("least"), one.get("greatest"))
		}
	}
	s, ticks := scoreScale(values)
	places := map[string]string{"": show(own.get("place"), rank, m.words, own)}
	for _, one := range m.tables["line_unit"] {
		if one.get("name") == own.get("name") {
			places[one.get("line")] = show(one.get("place"), rank, m.words, one)
		}
	}
	var rows []stripRow
	for _, line := range append([]string{""}, lines...) {
		one := ranges[line]
		r := stripRow{Name: m.words.Text["total"], Score: show(one.get("value"), score, m.words, own), Place: places[line], At: s.of(one.get("value"))}
		if line != "" {
			r.Name = m.words.Columns[line]
		}
		if one.get("least") != "" {
			low, high := s.share(number64(one.get("least"))), s.share(number64(one.get("greatest")))
			r.From, r.Width, r.Middle = percent(low), percent(max(high-low, 0.5)), s.of(one.get("middle"))
			r.Range = plain(fill(m.words.Text["range_of"], func(name string) string { return one.get(name) }))
		}
		rows = append(rows, r)
	}
	return rows, ticks
}
