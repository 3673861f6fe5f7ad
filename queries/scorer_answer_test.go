package queries_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tongbao"
	"tongbao/warehouse"
)

// answer holds what one of the two scorers says, by what it is about.
type answer map[string]string

// scoreAll runs the scorer over every month and says all that it finds. seen
// counts which rules and states it went through.
func (town *town) scoreAll(seen map[string]int) answer {
	said := answer{}
	var earlier []standings
	for _, month := range slices.Sorted(maps.Keys(town.versions)) {
		at := tongbao.Month(month).String()
		rows := town.scoreRows(month)
		for key, s := range rows {
			said["clause "+at+" "+key.unit+" "+key.indicator] = fmt.Sprint(orNull(s.points), " ", s.state)
			row := town.row(month, key.indicator, town.unit(month, key.unit).level)
			seen["rule "+row.rule]++
			seen["state "+s.state]++
			seen["completion bonus"] += count01(s.bonus > 0)
			seen["peers_mean"] += count01(s.state == notApplicable && s.points != nil)
		}
		for _, u := range town.units[month] {
			town.see(seen, month, u)
		}
		now := town.stand(month, rows, earlier)
		for key, s := range now.lines {
			sayLine(said, seen, at+" "+key, s)
		}
		for key, s := range now.totals {
			seen["half up"] += count01(s.isHalf && !town.versions[month].isHalfEven)
			seen["half even"] += count01(s.isHalf && town.versions[month].isHalfEven)
			sayTotal(said, seen, at+" "+key, s)
		}
		last := standings{}
		if len(earlier) > 0 {
			last = earlier[len(earlier)-1]
		}
		town.award(said, seen, at, now, last)
		earlier = append(earlier, now)
	}
	return said
}

// see counts what the rows without points did to a unit.
func (town *town) see(seen map[string]int, month int, u unit) {
	for _, row := range town.rows[month] {
		if !slices.Contains(row.levels, u.level) {
			continue
		}
		switch row.rule {
		case "deduct", "line_deduct", "bonus":
			taken := town.taken(month, row, u)
			seen["rule "+row.rule] += count01(row.rule != "deduct" && taken > 0)
			seen["cap"] += count01(row.cap != nil && taken > 0 && taken == *row.cap)
		case "veto":
			seen["rule veto"] += count01(town.vetoCap(month, row, u) != nil)
		}
	}
}

func sayLine(said answer, seen map[string]int, key string, s lineScore) {
	text := s.state
	if s.state == scored {
		text = cents(s.score) + " " + s.state
		said["line place "+key] = fmt.Sprint(s.standing.place, " ", s.isTied, " of ", s.units,
			" last ", orNull(s.lastPlace), " change ", orNull(s.placeChange), " ", centsOrNull(s.scoreChange))
	}
	said["line "+key] = fmt.Sprint(text, " -", s.deduction, " +", s.bonus, " <=", orNull(s.cap),
		" measured ", share(s.measuredPoints, s.fullPoints), " pooled ", share(s.pooledPoints, s.fullPoints))
	seen["line "+s.state]++
	seen["line deduction"] += count01(s.deduction > 0)
	seen["line bonus"] += count01(s.bonus > 0)
	seen["line veto"] += count01(s.cap != nil)
}

func sayTotal(said answer, seen map[string]int, key string, s totalScore) {
	total := "null"
	if s.weight > 0 {
		total = cents(s.total)
	}
	said["total "+key] = fmt.Sprint(total, " weight ", s.weight, " of ", s.weightExisting, " provisional ", s.isProvisional, " ", s.reason)
	seen["total "+s.reason]++
	seen["total provisional"] += count01(s.isProvisional)
	seen["total veto"] += count01(s.isCapped)
	if s.reason != "" {
		return
	}
	said["place "+key] = fmt.Sprint(s.standing.place, " ", s.isTied, " of ", s.units, " last ", orNull(s.lastPlace),
		" change ", orNull(s.placeChange), " ", centsOrNull(s.scoreChange), " streak ", s.streak)
	seen["tie"] += count01(s.isTied)
	seen["change"] += count01(s.placeChange != nil)
	seen["streak"] += count01(s.streak > 1)
	if s.rolling != nil {
		said["rolling "+key] = fmt.Sprint(cents(s.rolling.score), " over ", s.rolling.months, " ", s.rolling.place, " ", s.rolling.isTied, " of ", s.rolling.units, " ", s.rolling.grade)
	}
}

// readAnswers prints score and ranking in the scorer's words.
func readAnswers(t *testing.T, db *warehouse.DB) answer {
	t.Helper()
	said := answer{}
	for _, query := range []string{
		`select concat_ws(' ', 'clause', strftime(month, '%Y-%m'), grid_id, indicator),
			concat(coalesce(points::text, 'null'), ' ', state) from score.points`,
		`select concat_ws(' ', 'line', strftime(month, '%Y-%m'), grid_id, line),
			concat(score || ' ', state, ' -', deduction, ' +', bonus, ' <=', coalesce(cap::text, 'null'),
				' measured ', measured_share, ' pooled ', pooled_share) from score.line`,
		`select concat_ws(' ', 'total', strftime(month, '%Y-%m'), grid_id),
			concat(coalesce(total::text, 'null'), ' weight ', weight_scored, ' of ', weight_existing, ' provisional ', is_provisional, ' ', reason) from score.total`,
		`select concat_ws(' ', 'line place', strftime(month, '%Y-%m'), grid_id, line),
			concat(place, ' ', is_tied, ' of ', units, ' last ', coalesce(last_place::text, 'null'),
				' change ', coalesce(place_change::text, 'null'), ' ', coalesce(score_change::text, 'null')) from ranking.line where place is not null`,
		`select concat_ws(' ', 'place', strftime(month, '%Y-%m'), grid_id),
			concat(place, ' ', is_tied, ' of ', units, ' last ', coalesce(last_place::text, 'null'),
				' change ', coalesce(place_change::text, 'null'), ' ', coalesce(total_change::text, 'null'), ' streak ', last_streak)
			from ranking.total where place is not null`,
		`select concat_ws(' ', 'rolling', strftime(month, '%Y-%m'), grid_id),
			concat(rolling_total, ' over ', rolling_months, ' ', place, ' ', is_tied, ' of ', units, ' ', coalesce(grade, 'null'))
			from ranking.building where place is not null`,
		`select concat_ws(' ', 'reward', strftime(month, '%Y-%m'), grid_id, rule),
			concat(amount, ' ', coalesce(reason, 'null')) from ranking.reward`,
	} {
		for _, r := range ask(t, db, query) {
			if _, twice := said[r[0]]; twice {
				t.Errorf("%s: the SQL says it twice", r[0])
			}
			said[r[0]] = r[1]
		}
	}
	return said
}

// compare names the first rows in which the two scorers differ.
func compare(t *testing.T, inSQL, inGo answer) {
	t.Helper()
	var wrong []string
	for key, text := range inGo {
		if inSQL[key] != text {
			wrong = append(wrong, fmt.Sprintf("%s: SQL %q, Go %q", key, inSQL[key], text))
		}
	}
	for key, text := range inSQL {
		if _, has := inGo[key]; !has {
			wrong = append(wrong, fmt.Sprintf("%s: SQL %q, Go nothing", key, text))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		t.Errorf("%d of %d answers differ:\n%s", len(wrong), len(inGo), strings.Join(wrong[:min(len(wrong), 20)], "\n"))
	}
}

// cents prints hundredths.
func cents(n int64) string {
	if n < 0 {
		return "-" + cents(-n)
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

func centsOrNull(n *int64) string {
	if n == nil {
		return "null"
	}
	return cents(*n)
}

func count01(is bool) int {
	if is {
		return 1
	}
	return 0
}

func orNull(n *int64) string {
	if n == nil {
		return "null"
	}
	return fmt.Sprint(*n)
}
