package queries_test

import (
	"math/big"
	"slices"
)

const million = 1_000_000

// rubricRow is one clause. Points, k and caps are in 10⁻⁶ points, target and
// thresholds in 10⁻⁶ of 1; nil means that the clause does not say.
type rubricRow struct {
	id, line, rule, fact, na, vetoScope string
	points, target, k, per, vetoLevel   int64
	cap, floor, minCases                *int64
	levels                              []int64
	steps                               []rubricStep
}

type rubricStep struct {
	part              string
	threshold, points int64
	cap               *int64
}

// isPooled says whether few cases make a row uncertain: what a line returns is
// complete, and a density, a completion, a share and a place are not rates of cases.
func (row rubricRow) isPooled() bool {
	return row.fact != "return" && row.fact != "grid" &&
		slices.Contains([]string{"ratio", "inverse", "target", "bands", "day_bands"}, row.rule)
}

// ratePoints are the points of a rate x = numerator ÷ denominator, not below 0
// and not above P, and what a completion above 1 gives the line as bonus.
func (t *town) ratePoints(month int, row rubricRow, u unit, numerator, denominator int64, state string) (points, bonus int64) {
	p, x := row.points, quotient(numerator, denominator)
	switch row.rule {
	case "ratio", "completion":
		points = halfUp(mul(rat(p), x))
		if row.rule == "completion" {
			above := atLeast(sub(x, rat(1)), rat(0))
			bonus = capped(halfUp(mul(rat(p), above)), row.cap)
		}
	case "inverse":
		points = halfUp(mul(rat(p), atLeast(sub(rat(1), x), rat(0))))
	case "bands":
		for _, s := range row.steps {
			if x.Cmp(quotient(s.threshold, million)) >= 0 {
				points = s.points
				break
			}
		}
	case "day_bands":
		taken, days := t.dayBands(month, row, u)
		if days > 0 && state == measured {
			points = p - taken
			break
		}
		points = p - row.belowTarget(x)
	case "target":
		points = p - row.belowTarget(x)
	case "density":
		points = p - halfUp(mul(rat(row.densityK(u.level)*row.per), x))
	case "coefficient":
		points = halfUp(mul(rat(p), quotient(t.coefficient(month, row, u, x), million)))
	}
	return min(max(points, 0), p), bonus
}

// belowTarget is k for each percentage point under the target, continuously.
func (row rubricRow) belowTarget(x *big.Rat) int64 {
	gap := atLeast(sub(quotient(row.target, million), x), rat(0))
	return halfUp(mul(rat(100*row.k), gap))
}

// densityK is k, or the k of the level where steps give one for each.
func (row rubricRow) densityK(level int64) int64 {
	for _, s := range row.steps {
		if s.part == string(rune('0'+level)) {
			return s.points
		}
	}
	return row.k
}

// dayBands sums what the days with enough cases cost: the deduction of the
// first band, worst first, that the day's rate lies below.
func (t *town) dayBands(month int, row rubricRow, u unit) (taken int64, days int) {
	byDay := map[string]count{}
	for _, c := range t.counts[cell{month, row.id, u.id}] {
		day := byDay[c.day]
		byDay[c.day] = count{numerator: day.numerator + c.numerator, denominator: day.denominator + c.denominator}
	}
	for _, day := range byDay {
		if day.denominator < *row.minCases {
			continue
		}
		days++
		x := quotient(day.numerator, day.denominator)
		for _, s := range row.steps {
			if x.Cmp(quotient(s.threshold, million)) < 0 {
				taken += s.points
				break
			}
		}
	}
	return taken, days
}

// groupSum is what all peers counted this month, of which each has its share.
func (t *town) groupSum(month int, row rubricRow, u unit) (sum int64) {
	for _, peer := range t.peers(month, u) {
		n, _, _ := t.basis(month, row, peer)
		sum += n
	}
	return sum
}

// coefficient is that of the unit's place among its peers' rates, highest
// first; a place that is not listed has the coefficient of the one before it.
func (t *town) coefficient(month int, row rubricRow, u unit, x *big.Rat) (coefficient int64) {
	place := int64(1)
	for _, peer := range t.peers(month, u) {
		if n, d, _ := t.basis(month, row, peer); d > 0 && quotient(n, d).Cmp(x) > 0 {
			place++
		}
	}
	for _, s := range row.steps {
		if s.threshold <= place {
			coefficient = s.points
		}
	}
	return coefficient
}

// taken is Σ k × count by severity, each severity and the row up to its cap.
func (t *town) taken(month int, row rubricRow, u unit) int64 {
	var sum int64
	for _, s := range row.steps {
		sum += capped(s.points*t.severity(month, row, u, s.part), s.cap)
	}
	return capped(sum, row.cap)
}

// severity counts the events of one severity; a step that names none takes all.
func (t *town) severity(month int, row rubricRow, u unit, part string) (counted int64) {
	for _, c := range t.counts[cell{month, row.id, u.id}] {
		if part == "" || c.part == part {
			counted += c.numerator
		}
	}
	return counted
}

// vetoCap is the lowest cap that the month's events give a unit of the veto's
// own level, nil for none.
func (t *town) vetoCap(month int, row rubricRow, u unit) (lowest *int64) {
	if u.level != row.vetoLevel {
		return nil
	}
	for _, s := range row.steps {
		if t.severity(month, row, u, s.part) > 0 {
			lowest = lower(lowest, &s.points)
		}
	}
	return lowest
}

// The arithmetic.

func rat(n int64) *big.Rat           { return big.NewRat(n, 1) }
func quotient(a, b int64) *big.Rat   { return big.NewRat(a, b) }
func mul(a, b *big.Rat) *big.Rat     { return new(big.Rat).Mul(a, b) }
func sub(a, b *big.Rat) *big.Rat     { return new(big.Rat).Sub(a, b) }
func atLeast(a, b *big.Rat) *big.Rat { return slices.MaxFunc([]*big.Rat{a, b}, (*big.Rat).Cmp) }
func atMost(a, b *big.Rat) *big.Rat  { return slices.MinFunc([]*big.Rat{a, b}, (*big.Rat).Cmp) }

func capped(n int64, most *int64) int64 {
	if most != nil {
		return min(n, *most)
	}
	return n
}

func lower(a, b *int64) *int64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// halfUp rounds a fraction to an integer, halves up.
func halfUp(x *big.Rat) int64 { return round(x, false) }

// round rounds a fraction that is not below 0 to an integer; halves go up, or
// to the even neighbour.
func round(x *big.Rat, isHalfEven bool) int64 {
	whole, rest := new(big.Int).DivMod(x.Num(), x.Denom(), new(big.Int))
	side := rest.Lsh(rest, 1).Cmp(x.Denom())
	if side > 0 || side == 0 && (!isHalfEven || whole.Bit(0) == 1) {
		return whole.Int64() + 1
	}
	return whole.Int64()
}
