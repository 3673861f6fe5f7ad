package queries_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"tongbao"
	"tongbao/warehouse"
)

// ask returns a query's answer as text, "" for null.
func ask(t *testing.T, db *warehouse.DB, query string) [][]string {
	t.Helper()
	rows, err := db.Rows(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]string
	for _, cells := range rows.Cells {
		var row []string
		for _, c := range cells {
			row = append(row, c.String)
		}
		texts = append(texts, row)
	}
	return texts
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && text != "" {
		panic(fmt.Sprintf("the warehouse printed %q where a whole number was wanted", text))
	}
	return n
}

func numberOrNil(text string) *int64 {
	if text == "" {
		return nil
	}
	n := number(text)
	return &n
}

// monthNo reads the month of a date.
func monthNo(t *testing.T, text string) int {
	t.Helper()
	month, err := tongbao.ParseMonth(text[:7])
	if err != nil {
		t.Fatal(err)
	}
	return int(month)
}

// inForce joins the months that are scored to the rows in force in them.
const inForce = ` inner join core.month_info as info
	on seed.valid_from <= info.month and (seed.valid_to is null or seed.valid_to >= info.month) `

// readTown reads what the scorer may know: rubric, units, counts, deliveries;
// nothing of score and ranking.
func readTown(t *testing.T, db *warehouse.DB) *town {
	t.Helper()
	town := &town{
		versions: map[int]version{}, weights: map[int]map[string]int64{}, rows: map[int][]rubricRow{},
		units: map[int][]unit{}, parents: map[int]map[string]string{}, delivered: map[int]map[string]bool{},
		counts: map[cell][]count{}, peersOf: map[peerKey][]unit{},
		rewards: map[int][]reward{}, grades: map[int][]grade{},
	}
	for _, r := range ask(t, db, "select month, rounding = 'half_even', min_cases, pool_cases, min_coverage, repair_satisfaction from core.month_info") {
		month := monthNo(t, r[0])
		town.versions[month] = version{r[1] == "true", number(r[2]), number(r[3]), number(r[4]), r[5]}
		town.weights[month], town.parents[month], town.delivered[month] = map[string]int64{}, map[string]string{}, map[string]bool{}
	}
	for _, r := range ask(t, db, "select info.month, seed.line, seed.weight from seed.line_weight as seed"+inForce) {
		town.weights[monthNo(t, r[0])][r[1]] = number(r[2])
	}
	for _, r := range ask(t, db, "select month, grid_id, level, parent_id, peer_group from core.month_unit order by all") {
		month, u := monthNo(t, r[0]), unit{r[1], r[4], number(r[2])}
		town.parents[month][u.id] = r[3]
		if u.level >= 2 {
			town.units[month] = append(town.units[month], u)
			key := peerKey{month, u.group, u.level}
			town.peersOf[key] = append(town.peersOf[key], u)
		}
	}
	town.readRows(t, db)
	town.readRewards(t, db)
	for _, r := range ask(t, db, "select month, indicator, grid_id, part, day, numerator, denominator from indicator.value") {
		town.add(monthNo(t, r[0]), r[1], r[2], count{r[3], r[4], number(r[5]), number(r[6])})
	}
	// Tickets and repairs come as whole tables: one that was delivered after
	// the month's end covers it. The others are delivered month by month.
	for _, r := range ask(t, db, `select info.month, load.target from core.month_info as info inner join core.load as load
		on case when load.target in ('ticket', 'repair') then load.delivered_at >= info.month_end else load.month = info.month end`) {
		town.delivered[monthNo(t, r[0])][r[1]] = true
	}
	return town
}

func (town *town) readRows(t *testing.T, db *warehouse.DB) {
	t.Helper()
	steps := map[string][]rubricStep{}
	for _, r := range ask(t, db, "select indicator, valid_from, part, threshold, points, cap from seed.rubric_step order by indicator, valid_from, step") {
		steps[r[0]+r[1]] = append(steps[r[0]+r[1]], rubricStep{r[2], number(r[3]), number(r[4]), numberOrNil(r[5])})
	}
	for _, r := range ask(t, db, `select info.month, seed.indicator, seed.line, seed.rule, seed.fact, seed.na, seed.veto_scope,
			seed.points, seed.target, seed.k, seed.per, seed.veto_level, seed.cap, seed.floor, seed.min_cases,
			seed.is_community, seed.is_area, seed.is_building, seed.valid_from
		from seed.rubric as seed`+inForce+"where seed.line <> 'staff' order by seed.position") {
		row := rubricRow{
			id: r[1], line: r[2], rule: r[3], fact: r[4], na: r[5], vetoScope: r[6],
			points: number(r[7]), target: number(r[8]), k: number(r[9]), per: number(r[10]), vetoLevel: number(r[11]),
			cap: numberOrNil(r[12]), floor: numberOrNil(r[13]), minCases: numberOrNil(r[14]), steps: steps[r[1]+r[18]],
		}
		for i, has := range r[15:18] {
			if has == "true" {
				row.levels = append(row.levels, int64(i+2))
			}
		}
		month := monthNo(t, r[0])
		town.rows[month] = append(town.rows[month], row)
	}
}
