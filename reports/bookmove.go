package reports

import (
	"math/big"
	"slices"
	"strings"
)

// step is a part of the way from one total to the next.
type step struct {
	label            string
	from, to, amount *big.Rat
	isTotal          bool
}

// maxSteps parts are drawn, the rest as one.
const maxSteps = 6

// biggestMove is the community whose total moved most since a comparable
// month, and the parts of bulletin.move from the one total to the other.
func (b *book) biggestMove() (row, []step) {
	var mover row
	most := new(big.Rat)
	for _, unit := range b.tables["community"] {
		if change := rat(unit["total_change"]); unit["total"] != "" && new(big.Rat).Abs(change).Cmp(most) > 0 {
			mover, most = unit, new(big.Rat).Abs(change)
		}
	}
	type part struct {
		label  string
		amount *big.Rat
	}
	var parts []part
	rest := new(big.Rat)
	for _, one := range b.tables["move"] {
		if one["grid_id"] != mover["grid_id"] || mover == nil {
			continue
		}
		if one["cause"] == "rounding" {
			rest.Add(rest, rat(one["amount"]))
			continue
		}
		label := b.moveLabel(one)
		if at := slices.IndexFunc(parts, func(p part) bool { return p.label == label }); at >= 0 {
			parts[at].amount.Add(parts[at].amount, rat(one["amount"]))
		} else {
			parts = append(parts, part{label, rat(one["amount"])})
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(parts, func(a, c part) int { return new(big.Rat).Abs(c.amount).Cmp(new(big.Rat).Abs(a.amount)) })
	for _, p := range parts[min(maxSteps, len(parts)):] {
		rest.Add(rest, p.amount)
	}
	parts = append(parts[:min(maxSteps, len(parts))], part{b.words.Text["rest"], rest})
	total := rat(mover["total"])
	at := new(big.Rat).Sub(total, rat(mover["total_change"]))
	steps := []step{{label: b.words.Text["last_total"] + "  " + at.FloatString(2), from: at, to: at, amount: at, isTotal: true}}
	for _, p := range parts {
		next := new(big.Rat).Add(at, p.amount)
		steps = append(steps, step{label: p.label + "  " + sign(p.amount.FloatString(2)), from: at, to: next, amount: p.amount})
		at = next
	}
	return mover, append(steps, step{label: b.words.Text["this_total"] + "  " + total.FloatString(2), from: total, to: total, amount: total, isTotal: true})
}

func (b *book) moveLabel(one row) string {
	line := b.words.Columns[one["line"]]
	if one["indicator"] == "" {
		return strings.TrimSpace(line + " " + b.words.code(one["cause"]))
	}
	name := strings.ToUpper(one["indicator"])
	for _, rule := range b.tables["method"] {
		if strings.EqualFold(rule["indicator"], one["indicator"]) {
			name = rule["name"]
		}
	}
	return line + " " + clip(name, 14)
}

func rat(value string) *big.Rat {
	number, isNumber := new(big.Rat).SetString(value)
	if !isNumber {
		return new(big.Rat)
	}
	return number
}
