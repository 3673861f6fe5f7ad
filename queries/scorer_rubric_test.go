package queries_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// randomRow is one clause of a random rubric.
type randomRow struct {
	id, line, rule, fact string
	position             int
	points               int64
	levels               [3]bool // community, area, building grid
	parts                []string
}

// lowest is the level at which the row's facts are recorded.
func (row randomRow) lowest() int {
	return 4 - slices.Index([]bool{row.levels[2], row.levels[1], row.levels[0]}, true)
}

var randomRules = []string{
	"ratio", "inverse", "target", "bands", "day_bands", "deduct", "completion", "density", "share", "coefficient", "manual",
}

var randomLines = []string{"party", "law", "economy", "city"}

// makeRubric writes a rubric whose rows and weights change in mid-year, and
// returns the rows of each month.
func (m *randomMaker) makeRubric() map[int][]randomRow {
	rules := slices.Clone(randomRules)
	for len(rules) < 4*len(randomLines) {
		rules = append(rules, randomRules[m.IntN(len(randomRules))])
	}
	m.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	for i := range 3 * len(randomLines) {
		rules = append(rules, []string{"bonus", "line_deduct", "veto"}[i%3])
	}
	months := map[int][]randomRow{}
	for i, rule := range rules {
		row := randomRow{id: fmt.Sprint("x", i), position: i, rule: rule, line: randomLines[i%len(randomLines)]}
		spans := [][2]int{{0, randomMonths}}
		switch {
		case m.chance(50):
			spans = [][2]int{{0, change}, {change, randomMonths}}
		case m.chance(10):
			spans = [][2]int{{change, randomMonths}}
		}
		for _, span := range spans {
			m.makeRow(&row, span)
			for n := span[0]; n < span[1]; n++ {
				months[n] = append(months[n], row)
			}
		}
	}
	weights := func(from int, until any) {
		// Lines of equal weight are the rule, and easily taken for one another.
		rest, isEven := 100, m.chance(40)
		for i, line := range randomLines {
			weight := 5 + m.IntN(30)
			if isEven {
				weight = 25
			}
			if i == len(randomLines)-1 {
				weight = rest
			}
			rest -= weight
			m.put("seed.line_weight (line, weight, valid_from, valid_to)", line, weight, day(monthAt(from)), until)
		}
	}
	weights(0, lastDay(change))
	weights(change, nil)
	return months
}

// lastDay is the day before a month, nil for a row that has no end.
func lastDay(until int) any {
	if until == randomMonths {
		return nil
	}
	return monthAt(until).First().AddDate(0, 0, -1).Format("2006-01-02")
}

// makeRow draws what a clause says, and writes it and its steps.
func (m *randomMaker) makeRow(row *randomRow, span [2]int) {
	row.levels = [3]bool{m.chance(90), m.chance(60), m.chance(60)}
	if row.levels == [3]bool{} {
		row.levels[m.IntN(3)] = true
	}
	row.fact = []string{"ticket", "repair", "activity", "return", "grid"}[m.IntN(5)]
	row.parts = nil
	var points, target, k, cap, floor, per, minCases, na, scope, level any
	row.points = int64(50+m.IntN(400)) * 100_000
	if m.chance(40) {
		row.points = 20 * million // rows of equal points make exactly half of a line
	}
	points = row.points
	if m.chance(20) {
		na = "peers_mean"
	}
	step := func(part string, threshold any, points int64, cap any) {
		no := len(m.tables[stepTable]) + 1
		m.put(stepTable, row.id, day(monthAt(span[0])), no, part, threshold, points, cap)
		row.parts = append(row.parts, part)
	}
	// Steps of half a hundredth, so that a cap or a deduction can fall on a half.
	micro := func(most int) int64 { return int64(m.IntN(most*200)) * 5_000 }
	switch row.rule {
	case "target":
		target, k = 850_000+m.IntN(16)*10_000, micro(3)
	case "bands":
		for i, at := range []int{1_000_000, 800_000, 500_000}[:1+m.IntN(3)] {
			step("", at, row.points-int64(i)*row.points/4, nil)
		}
	case "day_bands":
		target, k, minCases = 900_000, micro(2), 5
		for i, at := range []int{1, 500_000, 750_000, 900_000} {
			step("", at, int64(4-i)*250_000, nil)
		}
	case "density":
		k, per = micro(3), 1000
		if m.chance(50) {
			step("4", nil, micro(3), nil)
		}
	case "completion":
		cap = micro(4)
	case "coefficient":
		for i := range 1 + m.IntN(4) {
			step("", i+1, int64(10-2*i)*100_000, nil)
		}
	case "deduct", "line_deduct", "bonus", "veto":
		row.fact = "event"
		step("minor", nil, micro(3), nil)
		step("serious", nil, micro(6), m.pick(micro(9)))
		cap = m.pick(micro(12))
		switch row.rule {
		case "deduct":
			floor, row.fact = m.pick(micro(3)), []string{"event", "return"}[m.IntN(2)]
		case "veto":
			scope, level, cap, points = m.pickText("line", "total"), 2+m.IntN(3), nil, nil
		default:
			points = nil
		}
	case "manual":
		row.fact = "manual"
	}
	m.put("seed.rubric (indicator, line, position, name, points, rule, target, k, cap, floor, per, min_cases, fact, "+
		"is_community, is_area, is_building, is_staff, veto_scope, veto_level, na, valid_from, valid_to)",
		row.id, row.line, row.position, row.id, points, row.rule, target, k, cap, floor, per, minCases, row.fact,
		row.levels[0], row.levels[1], row.levels[2], false, scope, level, na, day(monthAt(span[0])), lastDay(span[1]))
}

const stepTable = "seed.rubric_step (indicator, valid_from, step, part, threshold, points, cap)"

func (m *randomMaker) pick(n int64) any {
	if m.chance(50) {
		return n
	}
	return nil
}

func (m *randomMaker) pickText(texts ...string) string { return texts[m.IntN(len(texts))] }

// count draws what a grid counted for a row in a month, often nothing.
func (m *randomMaker) count(month string, row randomRow, grid string, r *rand.Rand) {
	put := func(part, day any, numerator, denominator int) {
		m.put("indicator.value (month, indicator, grid_id, part, day, numerator, denominator)", month, row.id, grid, part, day, numerator, denominator)
	}
	switch row.rule {
	case "deduct", "line_deduct", "bonus", "veto":
		likely := map[string]int{"veto": 3}[row.rule] + map[string]int{"deduct": 40, "line_deduct": 15, "bonus": 15}[row.rule]
		for _, part := range append(slices.Clone(row.parts), "other") {
			if r.IntN(100) < likely {
				put(part, nil, 1+r.IntN(3), 1)
			}
		}
		if row.fact == "return" && r.IntN(100) < 90 {
			put("minor", nil, 0, 1)
		}
		return
	case "manual":
		if r.IntN(100) < 96 {
			put(nil, nil, r.IntN(int(row.points)*5/4)-1_000_000, 1)
		}
		return
	case "day_bands":
		for i := range r.IntN(6) {
			d := 1 + r.IntN(9)
			put(nil, month[:8]+fmt.Sprintf("%02d", i/2+1), min(d, r.IntN(d+2)), d)
		}
		return
	}
	if r.IntN(100) < map[bool]int{true: 3, false: 20}[row.fact == "return"] {
		return
	}
	for _, part := range []any{nil, "high", "low"}[:1+r.IntN(3)] {
		d := []int{0, 1, 2 + r.IntN(4), 5 + r.IntN(8), 1 + r.IntN(40), 1 + r.IntN(100_000)}[r.IntN(6)]
		n := d - min(d, r.IntN(d/3+2))
		switch {
		case row.rule == "completion":
			n = r.IntN(d*4/3 + 1)
		case row.rule == "density":
			n = r.IntN(d/200 + 2)
		case row.rule == "inverse":
			n = d - n
		case r.IntN(100) < 5:
			n = d + r.IntN(3)
		}
		put(part, nil, n, d)
	}
}
