package reports

import (
	"math/big"
	"strings"
)

// step is a part of the way from one total to the next, as bulletin.waterfall
// has it.
type step struct {
	label            string
	from, to, amount *big.Rat
	isTotal          bool
}

// mover is the community whose way is drawn: its own in the edition of a unit,
// else the one whose total moved most since a comparable month; none if the
// edition gives no reasons.
func (b *book) mover() row {
	if !b.hasColumn("community", "reason") {
		return row{}
	}
	var mover row
	for _, unit := range b.tables["community"] {
		switch {
		case unit.get("total") == "" || unit.get("total_change") == "":
		case b.Options.Edition == Unit:
			if unit.get("grid_id") == b.Options.Unit {
				return unit
			}
		case mover.isNone() || abs(unit.get("total_change")).Cmp(abs(mover.get("total_change"))) > 0:
			mover = unit
		}
	}
	if b.Options.Edition == Unit {
		return row{}
	}
	return mover
}

// steps are the parts of a community's change between its two totals.
func (b *book) steps(unit row) []step {
	var steps []step
	total := new(big.Rat)
	for _, one := range b.tables["waterfall"] {
		if unit.isNone() || one.get("grid_id") != unit.get("grid_id") {
			continue
		}
		if len(steps) == 0 {
			last := rat(one.get("last_total"))
			steps = append(steps, step{b.words.Text["last_total"] + "  " + one.get("last_total"), last, last, last, true})
		}
		from := steps[len(steps)-1].to
		steps = append(steps, step{b.stepLabel(one) + "  " + sign(one.get("amount")), from, rat(one.get("reached")), rat(one.get("amount")), false})
		total = rat(one.get("total"))
	}
	if len(steps) == 0 {
		return nil
	}
	return append(steps, step{b.words.Text["this_total"] + "  " + total.FloatString(2), total, total, total, true})
}

func (b *book) stepLabel(one row) string {
	name := one.get("indicator_name")
	switch {
	case one.get("indicator") == "REST":
		return b.words.Text["rest"]
	case name == "":
		name = b.words.Text["rest_of_line"]
	}
	return strings.TrimSpace(b.words.Columns[one.get("line")] + " " + clip(name, 14))
}

// hasColumn says whether the edition shows a column of a section.
func (b *book) hasColumn(sectionID, key string) bool {
	for _, s := range b.Sheets {
		for _, section := range s.Sections {
			for _, c := range section.Columns {
				if section.ID == sectionID && c.Key == key {
					return true
				}
			}
		}
	}
	return false
}

func abs(value string) *big.Rat { return new(big.Rat).Abs(rat(value)) }

func rat(value string) *big.Rat {
	number, isNumber := new(big.Rat).SetString(value)
	if !isNumber {
		return new(big.Rat)
	}
	return number
}
