package reports

import (
	"math/big"
	"strings"
)

// Why totals moved, as page and workbook say it.

// side is what moved the community that rose (up) or fell (down) most.
func (m *bulletin) side(side string) row {
	for _, one := range m.tables["summary"] {
		taken := map[string]string{"is_comparable": "true"}
		for key := range one.columns {
			if column, found := strings.CutPrefix(key, side+"_"); found {
				taken[column] = one.get(key)
			}
		}
		return newRow(taken)
	}
	return row{}
}

// top is the biggest reason of a unit's move.
func (m *bulletin) top(gridID string) row {
	for _, one := range m.tables["move_top"] {
		if one.get("grid_id") == gridID && one.get("turn") == "1" {
			return one
		}
	}
	return row{}
}

// reason is a row of bulletin.move_top in words.
func (m *bulletin) reason(one row) string {
	if one.get("cause") == "" {
		return m.words.Text["steady"]
	}
	key := one.get("cause")
	if one.get("denominator") == "" && (key == "rate" || key == "volume") {
		key = "plain"
	}
	if one.get("line") == "" && one.get("line_name") == "" {
		key = "plain"
	}
	return plain(fill(m.words.Reasons[key], func(name string) string {
		switch name {
		case "amount":
			return sign(places(one.get(name), 2))
		case "cause":
			return m.words.code(one.get(name))
		}
		return m.words.data(one.get(name))
	}))
}

// mover is the community whose way is drawn: its own in the edition of a unit,
// else the one whose total moved most since a comparable month; none if the
// edition gives no reasons.
func (m *bulletin) mover() row {
	var mover row
	most := new(big.Rat)
	for _, one := range m.tables["community"] {
		if m.Options.Edition == Public || m.Options.Edition == Unit && one.get("grid_id") != m.Options.Unit || one.get("is_comparable") != "true" {
			continue
		}
		if change := new(big.Rat).Abs(rat(one.get("total_change"))); change.Cmp(most) > 0 {
			mover, most = one, change
		}
	}
	return mover
}

// moveTitle asks the question that the waterfall answers.
func (m *bulletin) moveTitle(mover row) string {
	change, pattern := rat(mover.get("total_change")), m.words.Text["moved_up"]
	if change.Sign() < 0 {
		pattern = m.words.Text["moved_down"]
	}
	return plain(fill(pattern, func(name string) string {
		if name == "change" {
			return new(big.Rat).Abs(change).FloatString(2)
		}
		return mover.get(name)
	}))
}

// step is a part of the way from one total to the next, as bulletin.waterfall
// has it; value is what is written beside it.
type step struct {
	label, value     string
	from, to, amount *big.Rat
	isTotal          bool
}

// steps are the parts of a community's change between its two totals.
func (m *bulletin) steps(unit row) []step {
	var steps []step
	total := func(key, column string, one row) step {
		value := rat(one.get(column))
		return step{m.words.Text[key], one.get(column), value, value, value, true}
	}
	var last row
	for _, one := range m.tables["waterfall"] {
		if unit.isNone() || one.get("grid_id") != unit.get("grid_id") {
			continue
		}
		if last = one; len(steps) == 0 {
			steps = append(steps, total("last_total", "last_total", one))
		}
		amount := rat(one.get("amount"))
		if one.get("indicator") == "REST" && amount.Sign() == 0 {
			continue // nothing is left
		}
		steps = append(steps, step{m.stepLabel(one), sign(one.get("amount")), steps[len(steps)-1].to, rat(one.get("reached")), amount, false})
	}
	if len(steps) == 0 {
		return nil
	}
	return append(steps, total("this_total", "total", last))
}

// stepLabel is line and indicator of a step in the locale's words.
func (m *bulletin) stepLabel(one row) string {
	if one.get("indicator") == "REST" {
		return m.words.Text["rest"]
	}
	name := m.words.data(one.get("indicator_name"))
	if name == "" {
		name = m.words.Text["rest_of_line"]
	}
	if one.get("line") == "" {
		return name
	}
	return m.words.Columns[one.get("line")] + m.words.Text["of_line"] + name
}
