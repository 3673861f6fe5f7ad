package queries_test

import (
	"maps"
	"reflect"
	"slices"
)

// standing is where a score stands among the peers'; the changes are nil where
// the month before does not compare.
type standing struct {
	place                               int64
	isTied                              bool
	units                               int
	lastPlace, placeChange, scoreChange *int64
	streak                              int64 // months in a row at the last place
}

// rolling is the mean of the last three months' totals.
type rolling struct {
	score  int64
	months int64
	grade  string // of the month itself
	standing
}

// standings holds a month's lines by unit and line, and totals by unit.
type standings struct {
	month  int
	lines  map[string]lineScore
	totals map[string]totalScore
	talks  map[string]int64 // months running with a talk, of communities
}

// stand scores lines and totals of a month and places them.
func (t *town) stand(month int, rows map[cell]rowScore, earlier []standings) standings {
	now := standings{month, map[string]lineScore{}, map[string]totalScore{}, map[string]int64{}}
	for _, u := range t.units[month] {
		lines := map[string]lineScore{}
		for line := range t.weights[month] {
			if t.hasLine(month, line, u.level) {
				lines[line] = t.scoreLine(month, line, u, rows)
				now.lines[u.id+" "+line] = lines[line]
			}
		}
		now.totals[u.id] = t.scoreTotal(month, u, lines)
	}
	var last standings
	if len(earlier) > 0 {
		last = earlier[len(earlier)-1]
	}
	for _, u := range t.units[month] {
		isSame := t.comparesToLast(month, u)
		for line := range t.weights[month] {
			if s := now.lines[u.id+" "+line]; s.state == scored {
				var among []int64
				for _, peer := range t.peers(month, u) {
					if other := now.lines[peer.id+" "+line]; other.state == scored {
						among = append(among, other.score)
					}
				}
				s.standing = standAmong(s.score, among)
				if before := last.lines[u.id+" "+line]; before.state == scored {
					s.follow(s.score, before.score, before.standing, isSame)
				}
				now.lines[u.id+" "+line] = s
			}
		}
		if s := now.totals[u.id]; s.reason == "" {
			var among []int64
			for _, peer := range t.peers(month, u) {
				if other := now.totals[peer.id]; other.reason == "" {
					among = append(among, other.total)
				}
			}
			s.standing = standAmong(s.total, among)
			before, existed := last.totals[u.id]
			if existed && before.reason == "" {
				s.follow(s.total, before.total, before.standing, isSame && slices.Equal(s.lines, before.lines))
			}
			if s.streak > 0 {
				s.streak += before.streak
			}
			now.totals[u.id] = s
		}
	}
	t.roll(month, now, earlier)
	return now
}

// standAmong gives the competition place (1, 2, 2, 4) of a score among scores,
// and whether it is the last.
func standAmong(score int64, among []int64) standing {
	s := standing{place: 1, units: len(among)}
	same, below := 0, 0
	for _, other := range among {
		switch {
		case other > score:
			s.place++
		case other == score:
			same++
		default:
			below++
		}
	}
	s.isTied = same > 1
	if below == 0 && s.place > 1 {
		s.streak = 1
	}
	return s
}

// follow compares with the month before.
func (s *standing) follow(score, scoreBefore int64, before standing, isComparable bool) {
	s.lastPlace = &before.place
	if isComparable {
		placeChange, scoreChange := before.place-s.place, score-scoreBefore
		s.placeChange, s.scoreChange = &placeChange, &scoreChange
	}
}

// comparesToLast says whether clauses, what the rubric says for all of them,
// weights and the set of units are those of the month before.
func (t *town) comparesToLast(month int, u unit) bool {
	return t.versions[month] == t.versions[month-1] && reflect.DeepEqual(t.rows[month], t.rows[month-1]) && maps.Equal(t.weights[month], t.weights[month-1]) &&
		slices.Equal(t.peers(month, u), t.peers(month-1, u))
}

// roll places building grids on the mean of the last three months that have a
// place, half up.
func (t *town) roll(month int, now standings, earlier []standings) {
	recent := append(slices.Clone(earlier[max(0, len(earlier)-2):]), now)
	for _, u := range t.units[month] {
		s := now.totals[u.id]
		if u.level != 4 || s.reason != "" {
			continue
		}
		var sum, months int64
		for _, of := range recent {
			if before, existed := of.totals[u.id]; existed && before.reason == "" {
				sum, months = sum+before.total, months+1
			}
		}
		s.rolling = &rolling{score: halfUp(quotient(sum, months)), months: months, grade: t.grade(month, s.total)}
		now.totals[u.id] = s
	}
	for _, u := range t.units[month] {
		if r := now.totals[u.id].rolling; r != nil {
			var among []int64
			for _, peer := range t.peers(month, u) {
				if other := now.totals[peer.id].rolling; other != nil {
					among = append(among, other.score)
				}
			}
			r.standing = standAmong(r.score, among)
		}
	}
}
