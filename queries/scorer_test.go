package queries_test

import (
	"maps"
	"slices"
)

// This file and scorer_rules_test.go are the second scorer: the numbers of
// ARCHITECTURE.md and the rules of the rubric once more, in plain Go, not
// derived from the SQL. Points are integers of 10⁻⁶; in between everything is
// an exact fraction.

// town is all that the scorer knows. Months are numbered without gaps.
type town struct {
	versions  map[int]version
	weights   map[int]map[string]int64 // percent of each line
	rows      map[int][]rubricRow      // in force, in the order of the rubric
	units     map[int][]unit
	parents   map[int]map[string]string // of every grid, "" at the top
	delivered map[int]map[string]bool   // kinds of facts
	counts    map[cell][]count          // of the unit and all below it
	peersOf   map[peerKey][]unit
	rewards   map[int][]reward
	grades    map[int][]grade // best first
}

// version holds what the rubric says about all rows.
type version struct {
	isHalfEven                       bool
	minCases, poolCases, minCoverage int64
	repairSatisfaction               string
}

// unit is a grid that is assessed: community 2, area 3, building grid 4.
type unit struct {
	id, group string
	level     int64
}

// count is what one indicator counted, of one part and day.
type count struct {
	part, day              string
	numerator, denominator int64
}

type cell struct {
	month           int
	indicator, unit string
}

type peerKey struct {
	month int
	group string
	level int64
}

// The states of a row; a line is scored, notReported or notApplicable.
const (
	measured      = "measured"
	pooled        = "pooled"    // few cases: the unit's own last three months
	noSample      = "no_sample" // no cases: those, or the last twelve months of the peers
	notReported   = "not_reported"
	notApplicable = "not_applicable"
	scored        = "scored"
)

// rowScore is what a unit got for one row: nil points where it got none.
type rowScore struct {
	numerator, denominator int64
	points                 *int64
	bonus                  int64
	state                  string
}

// add counts what happened in a grid for the grid and for all above it.
func (t *town) add(month int, indicator, grid string, c count) {
	for at := grid; at != ""; at = t.parents[month][at] {
		key := cell{month, indicator, at}
		t.counts[key] = append(t.counts[key], c)
	}
}

func (t *town) peers(month int, u unit) []unit {
	return t.peersOf[peerKey{month, u.group, u.level}]
}

// row finds a row that is in force at a level.
func (t *town) row(month int, id string, level int64) *rubricRow {
	for i, row := range t.rows[month] {
		if row.id == id && slices.Contains(row.levels, level) {
			return &t.rows[month][i]
		}
	}
	return nil
}

// pool sums the records of units over months, never a mean of rates; a month
// counts if the row was in force in it.
func (t *town) pool(from, to int, id string, units ...unit) (numerator, denominator int64) {
	for month := from; month <= to; month++ {
		if t.row(month, id, units[0].level) == nil {
			continue
		}
		for _, u := range units {
			for _, c := range t.counts[cell{month, id, u.id}] {
				numerator += c.numerator
				denominator += c.denominator
			}
		}
	}
	return numerator, denominator
}

// isReported says whether what a row is counted from was delivered. A return,
// and what a line enters by hand, is delivered unit by unit.
func (t *town) isReported(month int, row rubricRow, u unit) bool {
	switch row.fact {
	case "return", "manual":
		return len(t.counts[cell{month, row.id, u.id}]) > 0
	case "grid":
		return true
	}
	return t.delivered[month][row.fact]
}

// basis says on which cases a rate is scored.
func (t *town) basis(month int, row rubricRow, u unit) (numerator, denominator int64, state string) {
	rules := t.versions[month]
	n, d := t.pool(month, month, row.id, u)
	ownN, ownD := t.pool(month-2, month, row.id, u)
	switch isReported := t.isReported(month, row, u); {
	case row.rule == "share" && isReported:
		return n, d, measured
	case row.na != "" && d == 0 && (isReported || row.fact == "return"):
		return 0, 0, notApplicable
	case !isReported:
		return 0, 0, notReported
	case d > 0 && (u.level == 2 || d >= rules.minCases || !row.isPooled()):
		return n, d, measured
	case d > 0:
		return ownN, ownD, pooled
	case ownD >= rules.poolCases && ownD > 0:
		return ownN, ownD, noSample
	}
	if n, d = t.pool(month-11, month, row.id, t.peers(month, u)...); d > 0 {
		return n, d, noSample
	}
	return 0, 0, notApplicable
}

// scoreRow gives a unit its points for a row that has points of its own.
func (t *town) scoreRow(month int, row rubricRow, u unit) rowScore {
	switch row.rule {
	case "deduct", "manual":
		return t.scoreCount(month, row, u)
	case "share":
		// A share asks for no denominator; of nothing there is none.
		n, d, state := t.basis(month, row, u)
		sum := t.groupSum(month, row, u)
		if state == measured && sum == 0 {
			state = notApplicable
		}
		if state != measured {
			return rowScore{state: state}
		}
		points := min(halfUp(mul(rat(row.points), quotient(n, sum))), row.points)
		return rowScore{n, d, &points, 0, state}
	}
	n, d, state := t.basis(month, row, u)
	if d == 0 {
		return rowScore{state: state}
	}
	points, bonus := t.ratePoints(month, row, u, n, d, state)
	return rowScore{n, d, &points, bonus, state}
}

// scoreCount scores what is deducted for events, or entered by hand.
func (t *town) scoreCount(month int, row rubricRow, u unit) rowScore {
	if !t.isReported(month, row, u) {
		if row.na != "" && row.fact == "return" {
			return rowScore{state: notApplicable}
		}
		return rowScore{state: notReported}
	}
	points := max(row.points-t.taken(month, row, u), orZero(row.floor))
	if row.rule == "manual" {
		entered, _ := t.pool(month, month, row.id, u)
		points = min(max(entered, 0), row.points)
	}
	return rowScore{points: &points, state: measured}
}

// scoreRows scores every unit at every row; what does not apply gets the mean
// of the peers where the row says so.
func (t *town) scoreRows(month int) map[cell]rowScore {
	scores := map[cell]rowScore{}
	for _, u := range t.units[month] {
		for _, row := range t.rows[month] {
			if row.points > 0 && slices.Contains(row.levels, u.level) {
				scores[cell{month, row.id, u.id}] = t.scoreRow(month, row, u)
			}
		}
	}
	means := map[cell]rowScore{}
	for key, s := range scores {
		u := t.unit(month, key.unit)
		row := t.row(month, key.indicator, u.level)
		if s.state != notApplicable || row.na != "peers_mean" {
			continue
		}
		var sum, of int64
		for _, peer := range t.peers(month, u) {
			if points := scores[cell{month, key.indicator, peer.id}].points; points != nil {
				sum, of = sum+*points, of+1
			}
		}
		if of > 0 {
			mean := halfUp(quotient(sum, of))
			s.points = &mean
		} else if row.fact == "return" && len(t.counts[key]) == 0 {
			// Nobody sent it: it is missing, and not what does not apply here.
			s.state = notReported
		}
		means[key] = s
	}
	maps.Copy(scores, means)
	return scores
}

func (t *town) unit(month int, id string) unit {
	i := slices.IndexFunc(t.units[month], func(u unit) bool { return u.id == id })
	return t.units[month][i]
}
