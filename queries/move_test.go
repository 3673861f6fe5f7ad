package queries_test

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"tongbao/queries"
	"tongbao/warehouse"
)

const moveRubrics = 4

// TestMoveAddsUpOnRandomMonths holds, for every unit of made-up towns under
// made-up rubrics that change in mid-year, that the parts of bulletin.move are
// the change of its published total to the last digit, that those of a line
// are weight × change of its score, and that no rounding is more than a cent.
func TestMoveAddsUpOnRandomMonths(t *testing.T) {
	all, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := *firstSeed; seed < *firstSeed+moveRubrics; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			db := moveTown(t, all, seed)
			unitsAddUp(t, db, seen)
			linesAddUp(t, db, seen)
			causesHold(t, db, seen)
		})
	}
	t.Log(seen)
	for _, reached := range strings.Fields("rate volume events missing rubric rounding mix line veto limit comparable incomparable") {
		if seen[reached] == 0 {
			t.Errorf("%q was never reached", reached)
		}
	}
	if seen["units"] < 3000 {
		t.Errorf("%d changes of a unit's total, want 3,000", seen["units"])
	}
}

// moveTown scores the months of a random rubric and splits their changes.
func moveTown(t *testing.T, all []warehouse.Query, seed uint64) *warehouse.DB {
	t.Helper()
	ctx := context.Background()
	db, err := warehouse.Open(ctx, "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.MakeTables(ctx, all); err != nil {
		t.Fatal(err)
	}
	m := randomMaker{Rand: rand.New(rand.NewPCG(seed, 0)), seed: seed, tables: map[string][][]any{}}
	m.make()
	m.load(t, db)
	var used []warehouse.Query
	for _, q := range all {
		if q.Layer == "score" || q.Layer == "ranking" || strings.HasPrefix(q.Table(), "bulletin.move") {
			used = append(used, q)
		}
	}
	for n := range randomMonths {
		if err := db.BuildMonth(ctx, used, monthAt(n), ""); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// unitsAddUp asks for every two months of a unit that both have a total.
func unitsAddUp(t *testing.T, db *warehouse.DB, seen map[string]int) {
	for _, row := range ask(t, db, `
		select this.month, this.grid_id, (this.total - before.total)::text as change,
			coalesce(sum(move.amount), 0)::text as parts, count(move.amount) as rows,
			coalesce(max(move.total_change), max(this.total - before.total))::text as said,
			ranking.is_comparable, coalesce(max(ranking.total_change), max(this.total - before.total))::text as ranked,
			coalesce(max(abs(move.amount)) filter (move.cause = 'rounding'), 0) <= 0.01 as is_small
		from score.total as this
		inner join score.total as before
			on this.grid_id = before.grid_id and this.level = before.level
			and before.month = this.month - interval 1 month and before.total is not null
		inner join ranking.total as ranking
			on this.grid_id = ranking.grid_id and this.level = ranking.level and this.month = ranking.month
		left join bulletin.move as move
			on this.grid_id = move.grid_id and this.level = move.level and this.month = move.month
		where this.total is not null
		group by all`) {
		seen["units"]++
		seen[map[string]string{"true": "comparable", "false": "incomparable"}[row[6]]]++
		change := fraction(t, row[2])
		for _, other := range []string{row[3], row[5], row[7]} {
			if change.Cmp(fraction(t, other)) != 0 {
				t.Errorf("%s of %s: total changed by %s, parts say %s (said %s, ranked %s)", row[1], row[0], row[2], row[3], row[5], row[7])
				break
			}
		}
		if row[8] != "true" {
			t.Errorf("%s of %s: a rounding of more than a cent", row[1], row[0])
		}
	}
}

// linesAddUp asks where both months have the same lines and weights.
func linesAddUp(t *testing.T, db *warehouse.DB, seen map[string]int) {
	for _, row := range ask(t, db, `
		select this.month, this.grid_id, this.line,
			(this.weight * (this.score - before.score))::text as weighted, total.weight_scored::text as weight,
			coalesce(sum(move.amount), 0)::text as parts
		from score.line as this
		inner join score.line as before
			on this.grid_id = before.grid_id and this.level = before.level and this.line = before.line
			and before.month = this.month - interval 1 month and before.state = 'scored' and before.weight = this.weight
		inner join score.total as total
			on this.grid_id = total.grid_id and this.level = total.level and this.month = total.month
		inner join score.total as total_before
			on this.grid_id = total_before.grid_id and this.level = total_before.level and total_before.month = before.month
			and total_before.weight_scored = total.weight_scored
		left join bulletin.move as move
			on this.grid_id = move.grid_id and this.level = move.level and this.month = move.month and this.line = move.line
		where this.state = 'scored'
			-- Equal sums of weight could hide another set of lines.
			and not exists (from bulletin.move_line as line where line.month = this.month and line.level = this.level
				and line.grid_id = this.grid_id and (not line.is_scored_twice or line.rubric <> 0))
		group by all`) {
		seen["line"]++
		// Cut to 10⁻⁶: exact where the weights are 100 together.
		exact := new(big.Rat).Quo(fraction(t, row[3]), fraction(t, row[4]))
		off := exact.Sub(exact, fraction(t, row[5]))
		if off.Abs(off).Cmp(big.NewRat(1, 1_000_000)) >= 0 || row[4] == "100" && off.Sign() != 0 {
			t.Errorf("%s of %s, line %s: weight × change ÷ %s is not the sum of its parts %s", row[1], row[0], row[2], row[4], row[5])
		}
	}
}

// causesHold looks for parts whose cause the data deny.
func causesHold(t *testing.T, db *warehouse.DB, seen map[string]int) {
	for _, row := range ask(t, db, `select cause, count(*) from bulletin.move group by cause
		union all select 'mix', count(*) from bulletin.move_mix where volume <> 0
		union all select 'veto', count(*) from bulletin.move_limit where indicator <> ''
		union all select 'limit', count(*) from bulletin.move_limit where indicator = ''`) {
		seen[row[0]] += int(number(row[1]))
	}
	for _, denied := range []struct{ what, query string }{
		{"rubric in a month whose rubric is last month's", fmt.Sprintf(
			`from bulletin.move where cause = 'rubric' and month <> date '%s'`, day(monthAt(change)))},
		{"a row moved its line though its points stayed", `select move.* from bulletin.move_row as move
			inner join bulletin.move_pair as pair using (month, level, grid_id, indicator)
			where pair.points = pair.last_points and pair.shared_worth = pair.last_shared_worth
				and move.cause not in ('rate', 'volume')`},
		{"a rate or volume of a row that was not measured in both months", `select move.* from bulletin.move_row as move
			inner join bulletin.move_pair as pair using (month, level, grid_id, indicator)
			where move.cause in ('rate', 'volume') and (pair.state <> pair.last_state or pair.state not in ('measured', 'pooled'))`},
		{"missing, but measured in both months", `select move.* from bulletin.move_row as move
			inner join bulletin.move_pair as pair using (month, level, grid_id, indicator)
			where move.cause = 'missing' and pair.state = 'measured' and pair.last_state = 'measured'`},
	} {
		if rows := ask(t, db, denied.query); len(rows) > 0 {
			t.Errorf("%s: %d rows, such as %v", denied.what, len(rows), rows[0])
		}
	}
}

func fraction(t *testing.T, text string) *big.Rat {
	t.Helper()
	f, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return f
}
