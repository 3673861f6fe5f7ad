package queries_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"tongbao"
	"tongbao/warehouse"
)

// crew is what the scorer knows of the grid members.
type crew struct {
	rows    map[int][]rubricRow
	members map[int][]string // on duty at the month's end
	counts  map[cell]count
}

func readCrew(t *testing.T, db *warehouse.DB) crew {
	t.Helper()
	c := crew{map[int][]rubricRow{}, map[int][]string{}, map[cell]count{}}
	for _, r := range ask(t, db, "select info.month, seed.indicator, seed.points, seed.min_cases, seed.clause from seed.rubric as seed"+inForce+"where seed.is_staff order by seed.position") {
		month := monthNo(t, r[0])
		c.rows[month] = append(c.rows[month], rubricRow{id: r[1], points: number(r[2]), minCases: numberOrNil(r[3])})
	}
	for _, r := range ask(t, db, `select distinct info.month, seed.staff_id from seed.assignment as seed inner join core.month_info as info
		on seed.valid_from < info.month_end and (seed.valid_to is null or seed.valid_to >= info.month_end - interval 1 day)
		where seed.role = '网格员'`) {
		c.members[monthNo(t, r[0])] = append(c.members[monthNo(t, r[0])], r[1])
	}
	for _, r := range ask(t, db, "select month, indicator, staff_id, sum(numerator), sum(denominator) from indicator.staff_value group by all") {
		c.counts[cell{monthNo(t, r[0]), r[1], r[2]}] = count{numerator: number(r[3]), denominator: number(r[4])}
	}
	return c
}

// score says every grid member's points, total and place. A dimension with
// fewer cases than it wants is not scored; what is, counts on a base of 100.
func (c crew) score(said answer, minCoverage int64) {
	last := map[string]standing{}
	for _, month := range slices.Sorted(maps.Keys(c.rows)) {
		at := tongbao.Month(month).String()
		totals, ranked, now := map[string]int64{}, []int64{}, map[string]standing{}
		for _, member := range c.members[month] {
			var got, base, whole int64
			for _, row := range c.rows[month] {
				of, few := c.counts[cell{month, row.id, member}], max(orZero(row.minCases), 1)
				whole += row.points
				text := "null " + noSample
				if of.denominator >= few {
					points := min(halfUp(mul(rat(row.points), quotient(of.numerator, of.denominator))), row.points)
					got, base = got+points, base+row.points
					text = fmt.Sprint(points, " ", measured)
				}
				said["staff clause "+at+" "+member+" "+row.id] = text
			}
			key, text := "staff total "+at+" "+member, "null no_data"
			if base > 0 {
				total := halfUp(mul(rat(10_000), quotient(got, base)))
				text = cents(total) + " low_coverage"
				if share(base, whole) >= minCoverage {
					text = cents(total) + " null"
					totals[member] = total
					ranked = append(ranked, total)
				}
			}
			said[key] = text
		}
		for member, total := range totals {
			s := standAmong(total, ranked)
			if before, was := last[member]; was && reflect.DeepEqual(c.rows[month], c.rows[month-1]) {
				s.follow(total, total, before, true)
			}
			now[member] = s
			said["staff place "+at+" "+member] = fmt.Sprint(s.place, " ", s.isTied, " of ", s.units, " last ", orNull(s.lastPlace), " change ", orNull(s.placeChange))
		}
		last = now
	}
}

// readCrewAnswers reads what the SQL says of them.
func readCrewAnswers(t *testing.T, db *warehouse.DB, said answer) {
	t.Helper()
	for _, query := range []string{
		`select concat_ws(' ', 'staff clause', strftime(month, '%Y-%m'), staff_id, indicator),
			concat(coalesce(points::text, 'null'), ' ', state) from score.staff_points`,
		`select concat_ws(' ', 'staff total', strftime(month, '%Y-%m'), staff_id),
			concat(coalesce(total::text, 'null'), ' ', coalesce(reason, 'null')) from score.staff_total`,
		`select concat_ws(' ', 'staff place', strftime(month, '%Y-%m'), staff_id),
			concat(place, ' ', is_tied, ' of ', units, ' last ', coalesce(last_place::text, 'null'), ' change ', coalesce(place_change::text, 'null'))
			from ranking.staff where place is not null`,
	} {
		for _, r := range ask(t, db, query) {
			said[r[0]] = r[1]
		}
	}
}
