package queries_test

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tongbao"
	"tongbao/queries"
	"tongbao/warehouse"
)

var firstSeed = flag.Uint64("seed", 1, "seed of the first of the random rubrics")

// A random rubric is tried on towns of their own, each a peer group, for more
// than a year; towns × months × rubrics is more than 1,000.
const (
	randomRubrics = 9
	randomTowns   = 8
	randomMonths  = 14
)

// TestScorerAgreesOnRandomMonths holds the SQL of score and ranking against
// the second scorer on made-up counts of made-up towns under made-up rubrics.
func TestScorerAgreesOnRandomMonths(t *testing.T) {
	all, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := *firstSeed; seed < *firstSeed+randomRubrics; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { tryRubric(t, all, seed, seen) })
	}
	t.Log(seen)
	for _, word := range strings.Fields(`ratio inverse target bands day_bands deduct completion density share coefficient manual
		line_deduct bonus veto`) {
		if seen["rule "+word] == 0 {
			t.Errorf("no rule %s was reached", word)
		}
	}
	for _, reached := range []string{
		"state measured", "state pooled", "state no_sample", "state not_reported", "state not_applicable", "peers_mean",
		"line scored", "line not_reported", "line not_applicable", "line deduction", "line bonus", "line veto", "completion bonus",
		"total ", "total low_coverage", "total no_data", "total provisional", "total veto", "tie", "half up", "half even", "cap", "change", "streak",
	} {
		if seen[reached] == 0 {
			t.Errorf("%q was never reached", reached)
		}
	}
	if seen["towns and months"] < 1000 {
		t.Errorf("%d towns and months, want 1,000", seen["towns and months"])
	}
}

func tryRubric(t *testing.T, all []warehouse.Query, seed uint64, seen map[string]int) {
	ctx := context.Background()
	db, err := warehouse.Open(ctx, "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.MakeTables(ctx, all); err != nil {
		t.Fatal(err)
	}
	m := randomMaker{Rand: rand.New(rand.NewPCG(seed, 0)), seed: seed, tables: map[string][][]any{}}
	m.make()
	m.load(t, db)
	var scoring []warehouse.Query
	for _, q := range all {
		if q.Layer == "score" || q.Layer == "ranking" {
			scoring = append(scoring, q)
		}
	}
	for n := range randomMonths {
		if err := db.BuildMonth(ctx, scoring, monthAt(n), ""); err != nil {
			t.Fatal(err)
		}
	}
	town := readTown(t, db)
	compare(t, readAnswers(t, db), town.scoreAll(seen))
	seen["towns and months"] += randomTowns * randomMonths
}

func monthAt(n int) tongbao.Month { return tongbao.NewMonth(2026, 1).Add(n) }

func day(m tongbao.Month) string { return m.First().Format("2006-01-02") }

// randomMaker fills the tables that score and ranking read.
type randomMaker struct {
	*rand.Rand
	seed   uint64
	tables map[string][][]any // rows by "table (columns)"
}

func (m *randomMaker) put(table string, values ...any) {
	m.tables[table] = append(m.tables[table], values)
}

func (m *randomMaker) chance(percent int) bool { return m.IntN(100) < percent }

// load copies the rows in through CSV files.
func (m *randomMaker) load(t *testing.T, db *warehouse.DB) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rows.csv")
	for _, table := range slices.Sorted(maps.Keys(m.tables)) {
		var text strings.Builder
		w := csv.NewWriter(&text)
		for _, row := range m.tables[table] {
			var cells []string
			for _, value := range row {
				if value == nil {
					value = "NULL"
				}
				cells = append(cells, fmt.Sprint(value))
			}
			w.Write(cells)
		}
		w.Flush()
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		err := db.Write(context.Background(), func(ctx context.Context, tx *warehouse.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf("copy %s from '%s' (header false, nullstr 'NULL', auto_detect false)", table, file))
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
}

// change is the month from which parts of the rubric are other ones.
const change = 6

func (m *randomMaker) make() {
	rounding := []string{"half_up", "half_even"}
	m.Shuffle(2, func(i, j int) { rounding[i], rounding[j] = rounding[j], rounding[i] })
	for n := range randomMonths {
		month := monthAt(n)
		m.put("core.month_info (month, month_end, rounding, min_cases, pool_cases, min_coverage, repair_satisfaction)",
			day(month), day(month.Next()), rounding[n/change%2], 10, 5, 666_667, "called_back")
		if n%change == 0 {
			m.put("seed.rubric_version (version, valid_from, valid_to, rounding, min_cases, pool_cases, min_coverage, repair_satisfaction)",
				n, day(month), lastDay(min(n+change, randomMonths)), rounding[n/change%2], 10, 5, 666_667, "called_back")
		}
		for _, fact := range []string{"activity", "event"} {
			if m.chance(85) {
				m.put("core.load (load_id, target, month, delivered_at)", fact+day(month), fact, day(month), day(month.Next()))
			}
		}
	}
	for i, fact := range []string{"ticket", "repair"} {
		lacking := max(0, m.IntN(3)-i)
		m.put("core.load (load_id, target, month, delivered_at)", fact, fact, nil, day(monthAt(randomMonths-lacking)))
	}
	rows := m.makeRubric()
	for i := range randomTowns {
		m.makeTown(fmt.Sprintf("t%d", i), rows)
	}
}

// grid is one unit of a random town.
type grid struct {
	id, parent string
	level      int
	until      int // month after its last
}

func (m *randomMaker) makeTown(name string, rows map[int][]randomRow) {
	grids := []grid{{name, "", 1, randomMonths}}
	isEven, areas, buildings := m.chance(60), 1+m.IntN(2), 1+m.IntN(3)
	// Before a town first counts, nobody in it has a case to borrow.
	starts := 0
	if m.chance(30) {
		starts = 3
	}
	for c := range 2 + m.IntN(3) {
		community := fmt.Sprint(name, "c", c)
		grids = append(grids, grid{community, name, 2, randomMonths})
		for a := range areas {
			area := fmt.Sprint(community, "a", a)
			grids = append(grids, grid{area, community, 3, randomMonths})
			if !isEven {
				buildings = 1 + m.IntN(3)
			}
			for b := range buildings {
				until := randomMonths
				if !isEven && b > 0 && m.chance(30) {
					until = 3 + m.IntN(8)
				}
				grids = append(grids, grid{fmt.Sprint(area, "b", b), area, 4, until})
			}
		}
	}
	for n := range randomMonths {
		month, parent := day(monthAt(n)), map[string]string{}
		for _, g := range grids {
			if n >= g.until {
				continue
			}
			parent[g.id] = g.parent
			m.put("core.month_unit (month, grid_id, level, parent_id, name, peer_group)", month, g.id, g.level, g.parent, g.id, name)
			for at, level := g.id, g.level; at != ""; at, level = parent[at], level-1 {
				m.put("core.month_tree (month, grid_id, ancestor_id, level)", month, g.id, at, level)
			}
		}
		// Where everybody counts the same, everybody ties.
		isSame := m.chance(25)
		for _, row := range rows[n] {
			for i, g := range grids {
				if n >= starts && n < g.until && (g.level == row.lowest() || g.level == 2 && row.levels[0] && m.chance(10)) {
					key := uint64(n)<<32 | uint64(row.position)<<16
					if !isSame {
						key |= uint64(i+1) | uint64(name[1])<<48
					}
					m.count(month, row, g.id, rand.New(rand.NewPCG(m.seed, key)))
				}
			}
		}
	}
}
