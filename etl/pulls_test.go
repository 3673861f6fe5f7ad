package etl

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// TestPullsLoseNothing lets a table live while it is pulled, and lets the
// pulls meet cut lines, loads that die, lost sidecars, overlaps, late and
// corrected rows, backfills, full fetches and rebuilds, in every order. After
// each pull that succeeds core is the server's table, and no key is there twice.
func TestPullsLoseNothing(t *testing.T) {
	address := startPostgres(t)
	proxy := startCutter(t, strings.Split(strings.Split(address, "@")[1], "/")[0])
	t.Setenv("TONGBAO_TEST_PG", proxy.through(t, address))
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	// make soak asks for more; here a few lives must do.
	if checks := flag.Lookup("rapid.checks"); checks != nil && checks.Value.String() == checks.DefValue {
		checks.Value.Set("3")
		defer checks.Value.Set(checks.DefValue)
	}
	count := map[string]int{}
	for _, isSnapshot := range []bool{false, true} {
		t.Run(fmt.Sprintf("snapshot %t", isSnapshot), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { newLife(t, r, conn, proxy, isSnapshot, count).run() })
		})
	}
	t.Logf("%v", count)
	for _, what := range []string{"pull", "cut", "died", "backfill", "full", "rebuild"} {
		if count[what] == 0 {
			t.Errorf("no life met %q", what)
		}
	}
}

// life is one history of a table and the town that pulls it.
type life struct {
	t          *testing.T
	r          *rapid.T
	conn       *pgx.Conn
	proxy      *cutter
	w          *served
	isSnapshot bool
	now        time.Time
	last       int // id
	rows       map[int]int
	count      map[string]int
}

func newLife(t *testing.T, r *rapid.T, conn *pgx.Conn, proxy *cutter, isSnapshot bool, count map[string]int) *life {
	l := &life{t: t, r: r, conn: conn, proxy: proxy, isSnapshot: isSnapshot, rows: map[int]int{}, count: count,
		now: time.Date(2024, 10, 1, 8, 0, 0, 0, time.UTC)}
	l.exec("drop table if exists repair")
	l.exec(repairTable)
	definition := repairsFrom(fromRepairTable)
	if isSnapshot {
		definition = repairsFrom("  {kind: postgres, url_env: TONGBAO_TEST_PG, table: repair}", "snapshot: true", "shrink: 100")
	}
	l.w = newServed(t, definition)
	proxy.budget.Store(0)
	return l
}

func (l *life) exec(statement string) {
	if _, err := l.conn.Exec(context.Background(), statement); err != nil {
		l.t.Fatalf("%s: %v", statement, err)
	}
}

func (l *life) run() {
	actions := map[string]func(*rapid.T){
		"time passes": func(r *rapid.T) {
			l.now = l.now.Add(time.Duration(rapid.IntRange(1, 7200).Draw(r, "seconds")) * time.Second)
		},
		"rows":       func(r *rapid.T) { l.insert(rapid.IntRange(1, 30).Draw(r, "rows"), 0) },
		"late rows":  func(r *rapid.T) { l.insert(1, rapid.IntRange(1, 590).Draw(r, "late")) },
		"correction": func(r *rapid.T) { l.correct(r, "updated_at = "+l.at(0)) },
		"pull":       func(r *rapid.T) { l.pull(r, Choice{}, true) },
		"cut":        l.cut,
		"death":      l.die,
		"full": func(r *rapid.T) {
			l.count["full"]++
			l.pull(r, Choice{Sources: []string{"repairs_db"}, Full: true}, true)
		},
		"rebuild": l.rebuild,
		"": func(r *rapid.T) {
			if got := ask(l.t, l.w.db, "select count(*) - count(distinct source_key) from core.repair"); got != "0" {
				r.Fatalf("%s keys are there twice", got)
			}
		},
	}
	if l.isSnapshot {
		actions["deletion"] = l.remove
	} else {
		actions["backfill"] = l.backfill
	}
	l.r.Repeat(actions)
	l.pull(l.r, Choice{}, true)
}

func (l *life) at(late int) string {
	return "'" + l.now.Add(-time.Duration(late)*time.Second).Format("2006-01-02 15:04:05+00") + "'"
}

func (l *life) insert(n, late int) {
	for range n {
		l.last++
		l.rows[l.last] = l.last
		l.exec(fmt.Sprintf("insert into repair values (%d, '一号楼', 'open', '2024-10-01', null, %d, null, %s)", l.last, l.last, l.at(late)))
	}
}

func (l *life) someRow(r *rapid.T) int {
	if len(l.rows) == 0 {
		r.Skip("no rows")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(l.rows))).Draw(r, "id")
}

func (l *life) correct(r *rapid.T, more string) {
	id := l.someRow(r)
	l.rows[id] += 1000
	l.exec(fmt.Sprintf("update repair set budget = %d, %s where id = %d", l.rows[id], more, id))
}

func (l *life) remove(r *rapid.T) {
	id := l.someRow(r)
	delete(l.rows, id)
	l.exec(fmt.Sprintf("delete from repair where id = %d", id))
}

// pull must succeed; isWhole: core must then be the server's table.
func (l *life) pull(r *rapid.T, choice Choice, isWhole bool) {
	if l.isSnapshot && len(l.rows) == 0 {
		return // refused; TestPostgres/snapshot has it
	}
	l.w.in.Choice = choice
	report, err := l.w.tryPull()
	if err != nil {
		r.Fatal(err)
	}
	l.count["pull"]++
	for _, load := range report.Loads {
		if load.In != load.Loaded+load.Duplicate || load.Quarantined != 0 {
			r.Fatalf("rows do not add up: %+v", load)
		}
	}
	if isWhole {
		l.compare(r)
	}
}

func (l *life) compare(r *rapid.T) {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(l.rows)) {
		lines = append(lines, fmt.Sprintf("%d|%d.00", id, l.rows[id]))
	}
	if got, want := ask(l.t, l.w.db, "select source_key, budget from core.repair order by source_key::bigint"), strings.Join(lines, "\n"); got != want {
		r.Fatalf("core is not the server's table: got\n%s\nwant\n%s", got, want)
	}
}

// cut breaks the line somewhere; what came through whole is as good as any.
func (l *life) cut(r *rapid.T) {
	l.proxy.budget.Store(rapid.Int64Range(1, 8000).Draw(r, "bytes"))
	defer l.proxy.budget.Store(0)
	l.w.in.Choice = Choice{}
	if _, err := l.w.tryPull(); err != nil {
		l.count["cut"]++
	} else if !l.isSnapshot || len(l.rows) > 0 {
		l.compare(r)
	}
}

// die lets the load fail after its delivery landed, and sometimes takes the
// sidecar, as a kill between the two does.
func (l *life) die(r *rapid.T) {
	good := l.w.in.Core["repair"]
	defer func() { l.w.in.Core["repair"] = good }()
	l.w.in.Core["repair"] = "select error('no power') as source"
	l.w.in.Choice = Choice{}
	if _, err := l.w.tryPull(); err == nil {
		return // nothing new, so nothing to load
	}
	l.count["died"]++
	if !rapid.Bool().Draw(r, "the sidecar is lost") {
		return
	}
	pending, err := l.w.in.pending(context.Background(), l.w.db)
	if err != nil {
		r.Fatal(err)
	}
	if len(pending) > 0 {
		l.count["lost sidecar"]++
		if err := os.Remove(rawPath(l.w.in.Raw, pending[len(pending)-1]) + sidecarSuffix); err != nil {
			r.Fatal(err)
		}
	}
}

func (l *life) backfill(r *rapid.T) {
	from := l.now.Add(8*time.Hour - time.Duration(rapid.IntRange(0, 7200).Draw(r, "from"))*time.Second)
	choice := Choice{Sources: []string{"repairs_db"}, From: from}
	if rapid.Bool().Draw(r, "is bounded") {
		choice.To = from.Add(time.Hour)
	}
	before, _ := Watermark(context.Background(), l.w.db, "repairs_db")
	pending, _ := l.w.in.pending(context.Background(), l.w.db)
	l.pull(r, choice, false)
	l.count["backfill"]++
	if after, _ := Watermark(context.Background(), l.w.db, "repairs_db"); after != before && len(pending) == 0 {
		r.Fatalf("a backfill moved the watermark from %s to %s", before, after)
	}
}

// rebuild throws the database away; raw/ must bring it back, what was landed
// and not loaded included.
func (l *life) rebuild(r *rapid.T) {
	l.count["rebuild"]++
	db := l.w.fresh(l.t)
	if _, err := Rebuild(context.Background(), db, l.w.in); err != nil {
		r.Fatal(err)
	}
	pending, err := l.w.in.pending(context.Background(), l.w.db)
	if err != nil {
		r.Fatal(err)
	}
	query := "select source_key, budget, updated_at, first_delivered_at from core.repair order by all"
	if got, want := ask(l.t, db, query), ask(l.t, l.w.db, query); got != want && len(pending) == 0 {
		r.Fatalf("rebuilt\n%s\nwant\n%s", got, want)
	}
	l.w.db.Close()
	l.w.db = db
	if left, _ := filepath.Glob(filepath.Join(l.w.in.Raw, "*", "*.tmp")); len(left) > 0 {
		r.Fatalf("half-written files are left: %q", left)
	}
}
