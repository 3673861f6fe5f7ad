package queries_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tongbao/warehouse"
)

// reward is a rule of prizes, progress or talks; the amount is in fen.
type reward struct {
	rule             string
	from, to, amount int64
}

type grade struct {
	name    string
	atLeast int64
}

func (town *town) readRewards(t *testing.T, db *warehouse.DB) {
	t.Helper()
	for _, r := range ask(t, db, "select info.month, seed.rule, seed.place_from, seed.place_to, (seed.amount * 100)::bigint from seed.reward as seed"+inForce) {
		month := monthNo(t, r[0])
		town.rewards[month] = append(town.rewards[month], reward{r[1], number(r[2]), number(r[3]), number(r[4])})
	}
	for _, r := range ask(t, db, "select info.month, seed.name, seed.threshold from seed.grade as seed"+inForce+"order by seed.threshold desc") {
		month := monthNo(t, r[0])
		town.grades[month] = append(town.grades[month], grade{r[1], number(r[2])})
	}
}

// grade is the best that a total reaches, null for none.
func (town *town) grade(month int, total int64) string {
	for _, g := range town.grades[month] {
		if total*10_000 >= g.atLeast {
			return g.name
		}
	}
	return "null"
}

// award gives communities their prizes, progress and talks. talks counts the
// months running in which a community had one.
func (town *town) award(said answer, seen map[string]int, at string, now, last standings) {
	var ranked []unit
	for _, u := range town.units[now.month] {
		if u.level == 2 && now.totals[u.id].reason == "" {
			ranked = append(ranked, u)
		}
	}
	slices.SortFunc(ranked, func(a, b unit) int {
		return int(now.totals[a.id].standing.place - now.totals[b.id].standing.place)
	})
	say := func(u unit, rule string, fen int64, reason string) {
		said["reward "+at+" "+u.id+" "+rule] = cents(fen) + " " + reason
		seen["reward "+rule]++
	}
	for start := 0; start < len(ranked); {
		// Tied units fill as many places as they are.
		s := now.totals[ranked[start].id]
		end := start
		for end < len(ranked) && now.totals[ranked[end].id].standing.place == s.standing.place {
			end++
		}
		tied := ranked[start:end]
		slices.SortFunc(tied, func(a, b unit) int { return strings.Compare(a.id, b.id) })
		var pot int64
		for place := int64(start + 1); place <= int64(end); place++ {
			for _, r := range town.rewards[now.month] {
				if r.rule == "prize" && place >= r.from && place <= r.to {
					pot += r.amount
				}
			}
		}
		for i, u := range tied {
			s := now.totals[u.id]
			for _, r := range town.rewards[now.month] {
				isAmongLast := int64(len(ranked)-end) < r.to
				switch {
				case r.rule == "progress" && pot == 0 && s.placeChange != nil && *s.placeChange >= r.from && *s.placeChange <= r.to:
					say(u, "progress", r.amount, fmt.Sprint(*s.placeChange))
				case r.rule == "talk" && isAmongLast && s.standing.place > 1 && s.total < 9000:
					now.talks[u.id] = last.talks[u.id] + 1
					word := map[bool]string{false: "talk", true: "committee"}[now.talks[u.id] > 1]
					say(u, word, 0, fmt.Sprint(now.talks[u.id]))
				}
			}
			if pot > 0 {
				n := int64(len(tied))
				fen := pot/n + int64(count01(int64(i) < pot%n))
				say(u, "prize", fen, map[bool]string{true: "shared", false: "null"}[n > 1])
			}
		}
		start = end
	}
}
