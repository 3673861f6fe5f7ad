package queries_test

import (
	"math/big"
	"slices"
)

// lineScore is a unit's line; the score is in hundredths of a point.
type lineScore struct {
	standing
	score                                    int64
	deduction, bonus                         int64
	cap                                      *int64
	state                                    string
	measuredPoints, pooledPoints, fullPoints int64
}

// totalScore is a unit's total in hundredths; no total where weight is 0.
type totalScore struct {
	standing
	rolling                       *rolling // of a building grid with a place
	total, weight, weightExisting int64
	isProvisional                 bool
	isHalf, isCapped              bool     // the rounding, a veto decided
	lines                         []string // that are scored
	reason                        string   // why there is no place
}

// hasLine says whether a line exists at a level: its rows there carry at least
// half of its points.
func (t *town) hasLine(month int, line string, level int64) bool {
	var here, whole int64
	exists := false
	for _, row := range t.rows[month] {
		if row.line == line {
			whole += row.points
			if slices.Contains(row.levels, level) {
				here += row.points
				exists = exists || row.points > 0
			}
		}
	}
	return exists && 2*here >= whole
}

// scoreLine adds up a line on a base of 100: what does not apply leaves the
// base; one row not reported leaves the line without a score.
func (t *town) scoreLine(month int, line string, u unit, rows map[cell]rowScore) lineScore {
	const limit, bonusLimit = 105 * million, 5 * million
	s := lineScore{state: scored}
	var got, base int64
	for _, row := range t.rows[month] {
		if row.line != line || !slices.Contains(row.levels, u.level) {
			continue
		}
		switch row.rule {
		case "line_deduct":
			s.deduction += t.taken(month, row, u)
			continue
		case "bonus":
			s.bonus += t.taken(month, row, u)
			continue
		case "veto":
			if row.vetoScope == "line" {
				s.cap = lower(s.cap, t.vetoCap(month, row, u))
			}
			continue
		}
		of := rows[cell{month, row.id, u.id}]
		s.fullPoints += row.points
		s.bonus += of.bonus
		if of.points != nil {
			got, base = got+*of.points, base+row.points
		}
		switch of.state {
		case notReported:
			s.state = notReported
		case measured:
			s.measuredPoints += row.points
		case pooled, noSample:
			s.pooledPoints += row.points
		}
	}
	s.bonus = min(s.bonus, bonusLimit)
	if base == 0 && s.state == scored {
		s.state = notApplicable
	}
	if s.state != scored {
		return s
	}
	points := sub(mul(rat(100*million), quotient(got, base)), rat(s.deduction))
	points = atMost(sub(atLeast(points, rat(0)), rat(-s.bonus)), rat(limit))
	if s.cap != nil {
		points = atMost(points, rat(*s.cap))
	}
	s.score = round(mul(points, big.NewRat(1, 10_000)), t.versions[month].isHalfEven)
	return s
}

// scoreTotal weighs the published line scores.
func (t *town) scoreTotal(month int, u unit, lines map[string]lineScore) totalScore {
	rules := t.versions[month]
	var s totalScore
	var sum int64
	for line, of := range lines {
		weight := t.weights[month][line]
		s.weightExisting += weight
		s.isProvisional = s.isProvisional || of.state == notReported
		if of.state == scored {
			s.weight += weight
			s.lines = append(s.lines, line)
			sum += weight * of.score
		}
	}
	slices.Sort(s.lines)
	if s.weight == 0 {
		s.reason = "no_data"
		return s
	}
	exact := quotient(sum, s.weight)
	s.total, s.isHalf = round(exact, rules.isHalfEven), exact.Denom().Int64() == 2
	for _, row := range t.rows[month] {
		if row.rule == "veto" && row.vetoScope == "total" && slices.Contains(row.levels, u.level) {
			if most := t.vetoCap(month, row, u); most != nil {
				s.isCapped = s.isCapped || *most/10_000 < s.total
				s.total = min(s.total, *most/10_000)
			}
		}
	}
	// Two thirds are written 66.6667: both are rounded, and exactly two thirds are enough.
	if share(s.weight, s.weightExisting) < rules.minCoverage {
		s.reason = "low_coverage"
	}
	return s
}

// share is a part of a whole in 10⁻⁶.
func share(part, whole int64) int64 { return halfUp(quotient(part*million, whole)) }
