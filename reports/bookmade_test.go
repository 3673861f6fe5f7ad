package reports

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"tongbao"
)

// hostile are names that a delivery may bring and that must stay text.
var hostile = []string{
	`=cmd|' /C calc'!A0`, "@SUM(1+1)", "+86 138", "-1+1", "</script><script>alert(1)</script>", "'quoted", `a"b&c<d>`,
	"🏘️ 社区 👩‍👩‍👧", "\u202eابجد حي", "𠮷野家社区", "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十",
}

var madeMonth = tongbao.NewMonth(2026, 10)

// madeTables is the bulletin of a made-up town: totals and scores follow the
// rules exactly (with integers of their own), everything else is filled by
// kind. Names are hostile first.
func madeTables(communities, grids int, seed uint64) tables {
	random := rand.New(rand.NewPCG(seed, 4))
	made := madeRows{"heading": {{"rubric_name": "考核细则 & 试行", "cutoff_date": "2026-11-04", "first_name": hostile[0], "fund_available": "1234567.80"}}}
	made["line_unit"], made["line_points"] = nil, nil
	weights := []int64{15, 15, 10, 15, 10, 10, 5, 10, 10}
	for n := range communities {
		name := fmt.Sprintf("第%d社区", n+1)
		if n < len(hostile) {
			name = hostile[n]
		}
		unit := map[string]string{"grid_id": fmt.Sprint(1000 + n), "name": name, "place": fmt.Sprint(n + 1), "is_tied": "false", "is_provisional": "false", "is_comparable": "true",
			"bonus": "0.20", "deduction": "0.00", "last_place": "3", "place_change": fmt.Sprint(n%5 - 2), "total_change": fmt.Sprintf("%.2f", float64(n%7)-3), "last_streak": "0", "reason": "物管 +0.62"}
		sum, scored := int64(0), int64(0)
		for i, line := range lines {
			cents := madeLine(made, random, unit, line, weights[i])
			if n%6 == 5 && line == "culture" { // not reported
				unit["is_provisional"] = "true"
				continue
			}
			unit[line] = fmt.Sprintf("%d.%02d", cents/100, cents%100)
			sum += weights[i] * cents
			scored += weights[i]
		}
		cents := (2*sum + scored) / (2 * scored)
		unit["total"] = fmt.Sprintf("%d.%02d", cents/100, cents%100)
		made["community"] = append(made["community"], unit)
		for m := range 12 {
			of := madeMonth - tongbao.Month(11-m)
			made["trend"] = append(made["trend"], map[string]string{"of_month": of.First().Format("2006-01-02"), "name": name, "total": fmt.Sprintf("%.2f", 80+20*random.Float64())})
		}
	}
	madeWaterfall(made)
	fillByKind(made, grids, random)
	return made.tables()
}

// madeRows are the made-up tables before they are rows of their columns.
type madeRows map[string][]map[string]string

func (made madeRows) tables() tables {
	all := tables{}
	for name, rows := range made {
		columns := map[string]int{}
		for _, one := range rows {
			for column := range one {
				if _, found := columns[column]; !found {
					columns[column] = len(columns)
				}
			}
		}
		all[name] = []row{}
		for _, one := range rows {
			values := make([]string, len(columns))
			for column, value := range one {
				values[columns[column]] = value
			}
			all[name] = append(all[name], row{columns, values})
		}
	}
	return all
}

// madeLine adds a line's points of a community and returns its score in cents.
func madeLine(made madeRows, random *rand.Rand, unit map[string]string, line string, weight int64) int64 {
	full := []int64{40_000_000, 30_000_000, 30_000_000}
	sum := int64(0)
	for i, most := range full {
		points := random.Int64N(most/2) + most/2
		if random.IntN(2) == 0 { // a half cent, so that rounding is put to the test
			points = points / 10_000 * 10_000
			if i == 0 {
				points += 5_000
			}
		}
		sum += points
		indicator := fmt.Sprintf("%s%d", line[:2], i+1)
		made["long"] = append(made["long"], map[string]string{"level": "2", "name": unit["name"], "line": line, "indicator": indicator,
			"points": big.NewRat(points, 1_000_000).FloatString(6), "full_points": big.NewRat(most, 1_000_000).FloatString(6)})
		made["line_points"] = append(made["line_points"], map[string]string{"line": line, "name": unit["name"], "indicator": indicator, "indicator_name": hostile[i],
			"numerator": "3", "denominator": "4", "points": big.NewRat((points+5_000)/10_000, 100).FloatString(2), "full_points": "30.00", "lost": "1.00", "state": []string{"measured", "pooled", "no_sample"}[i], "n": "4"})
	}
	cents := (sum + 200_000 + 5_000) / 10_000 // 0.20 of bonus
	score := fmt.Sprintf("%d.%02d", cents/100, cents%100)
	made["line_unit"] = append(made["line_unit"], map[string]string{"line": line, "weight": fmt.Sprint(weight), "name": unit["name"], "place": unit["place"], "is_tied": "true",
		"score": score, "score_change": "-0.25", "deduction": "0.00", "bonus": "0.20", "state": "scored", "lost": hostile[0]})
	return cents
}

func madeWaterfall(made madeRows) {
	for _, unit := range made["community"] {
		total, change := rat(unit["total"]), rat(unit["total_change"])
		last := new(big.Rat).Sub(total, change)
		half := new(big.Rat).Add(change, big.NewRat(1, 1))
		for turn, amount := range []*big.Rat{half, big.NewRat(-1, 1)} {
			reached := new(big.Rat).Add(last, half)
			if turn == 1 {
				reached = total
			}
			made["waterfall"] = append(made["waterfall"], map[string]string{"grid_id": unit["grid_id"], "name": unit["name"], "line": "law", "indicator": "ZF1", "indicator_name": hostile[turn],
				"amount": amount.FloatString(2), "reached": reached.FloatString(2), "last_total": last.FloatString(2), "total": unit["total"], "total_change": unit["total_change"]})
		}
	}
}

// fillByKind fills the tables that no rule needs, by the kinds of their
// columns; building grids as many as asked.
func fillByKind(made madeRows, grids int, random *rand.Rand) {
	values := map[kind]func() string{
		words: func() string { return hostile[random.IntN(len(hostile))] }, code: func() string { return "overdue" },
		integer: func() string { return fmt.Sprint(random.IntN(10_000)) }, rank: func() string { return fmt.Sprint(random.IntN(99) + 1) },
		score: func() string { return fmt.Sprintf("%.2f", 100*random.Float64()) }, rate: func() string { return fmt.Sprintf("%.1f", 100*random.Float64()) },
		signed: func() string { return fmt.Sprintf("%.2f", 4*random.Float64()-2) }, moves: func() string { return fmt.Sprint(random.IntN(5) - 2) },
		money: func() string { return fmt.Sprintf("%.2f", 1e6*random.Float64()-1e5) }, date: func() string { return "2026-11-03" }, month: func() string { return "2026-10-01" },
		exact: func() string { return fmt.Sprintf("%.6f", 4*random.Float64()-2) }, exactly: func() string { return fmt.Sprintf("%.6f", 40*random.Float64()) },
	}
	for _, s := range allSheets() {
		for _, section := range s.Sections {
			if made[section.Table] != nil {
				continue
			}
			count := 3
			if section.Table == "building" {
				count = grids
			}
			for range count {
				one := map[string]string{}
				for _, c := range section.Columns {
					if make := values[c.Kind]; make != nil && random.IntN(9) > 0 {
						one[c.Key] = make()
					}
				}
				if section.Own != "" {
					one[section.Own] = made["community"][0]["name"]
				}
				if section.FilterBy != "" {
					one[section.FilterBy] = section.Filter
				}
				made[section.Table] = append(made[section.Table], one)
			}
		}
	}
}

// madeBook writes an edition of the made-up town and returns it with its file.
func madeBook(t testing.TB, made tables, edition Edition) (*bulletin, string) {
	t.Helper()
	opt := Options{Town: "青禾镇&<演示>", Version: 3, Edition: edition}
	if edition == Unit {
		opt.Unit = made["community"][0].get("grid_id")
	}
	m, err := newBulletin(made, madeMonth, opt)
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.book()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	path := t.TempDir() + "/" + string(edition) + ".xlsx"
	if err := file.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return m, path
}
