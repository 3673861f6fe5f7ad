package etl

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMergeByHand takes made-up deliveries in, in no order, one or several at a
// time, and holds core and the counts of each load against a merge that is
// written out here. Of several that wait the newest is taken in first.
func TestMergeByHand(t *testing.T) {
	w := newTown(t, plainSource+"  - {from: 更新, to: updated_at}\n")
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	type row struct {
		key, text, updated, delivered string
		number                        int
	}
	latest := func(a, b row) int {
		return cmp.Or(strings.Compare(cmp.Or(a.updated, a.delivered), cmp.Or(b.updated, b.delivered)),
			strings.Compare(a.delivered, b.delivered), cmp.Compare(a.number, b.number))
	}
	held, first := map[string]row{}, map[string]string{}
	take := func(day int) (file, counts string) {
		delivered := time.Date(2026, 10, day+1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		file = fmt.Sprintf("工单_202610%02d.csv", day+1)
		text, bad, best := fmt.Sprintf("编号,正文,更新,第%d日\n", day+1), 0, map[string]row{}
		rows := 1 + random.IntN(9)
		for number := range rows {
			r := row{fmt.Sprint(random.IntN(6)), string("甲乙"[3*random.IntN(2):][:3]), "", delivered, number}
			if random.IntN(2) == 0 {
				r.updated = fmt.Sprintf("2026-09-%02d", 1+random.IntN(5))
			}
			if random.IntN(6) == 0 {
				text, bad = text+r.key+","+r.text+",昨天,\n", bad+1
				continue
			}
			text += r.key + "," + r.text + "," + r.updated + ",\n"
			if before, isThere := best[r.key]; !isThere || latest(r, before) > 0 {
				best[r.key] = r
			}
		}
		loaded := 0
		for key, r := range best {
			before, isHeld := held[key]
			if !isHeld || latest(r, before) > 0 {
				held[key] = r
				if !isHeld || r.text != before.text {
					loaded++
				}
			}
			if first[key] == "" || delivered < first[key] {
				first[key] = delivered
			}
		}
		w.put(file, text)
		return file, fmt.Sprintf("%d %d %d %d", rows, loaded, rows-bad-loaded, bad)
	}
	for days := random.Perm(24); len(days) > 0; {
		waiting := days[:min(len(days), 1+random.IntN(4))]
		days = days[len(waiting):]
		slices.SortFunc(waiting, func(a, b int) int { return b - a })
		want := map[string]string{}
		for _, day := range waiting {
			file, counts := take(day)
			want[file] = counts
		}
		w.pull()
		for file, counts := range want {
			w.want("select concat_ws(' ', rows_in, rows_loaded, rows_duplicate, rows_quarantined) from core.load where file = '"+file+"'", counts)
		}
		var rows []string
		for key, r := range held {
			rows = append(rows, fmt.Sprintf("%s %s 工单_%s.csv %d %s", key, r.text, strings.ReplaceAll(r.delivered, "-", ""), r.number+2, first[key]))
		}
		slices.Sort(rows)
		w.want("select coalesce(string_agg(concat_ws(' ', source_key, summary, file, row_no, first_delivered_at::date), '; ' order by source_key), '') from core.ticket",
			strings.Join(rows, "; "))
		if t.Failed() {
			t.FailNow()
		}
	}
}

// TestReplacedRowTouchesItsOldMonth: a corrected moment moves a row to another
// month; the one that it was counted in until now must be computed again too.
func TestReplacedRowTouchesItsOldMonth(t *testing.T) {
	w := newTown(t, plainSource+"  - {from: 上报, to: reported_at}\n")
	w.put("工单_20261001.csv", "编号,正文,上报\n1,甲,2026-08-03\n2,乙,2026-09-03\n3,丙,2026-10-01\n")
	w.pull()
	w.put("工单_20261003.csv", "编号,正文,上报\n2,乙,2026-10-02\n3,丙,2026-10-01\n")
	w.pull()
	w.want("select string_agg(strftime(earliest_month, '%Y-%m'), ' ' order by delivered_at) from core.load", "2026-08 2026-09")
	// Only the last of them came late: the month that core has stays as it is.
	w.put("工单_20261002.csv", "编号,正文,上报\n1,甲,2026-08-03\n2,乙,2026-07-02\n")
	w.pull()
	w.want("select strftime(earliest_month, '%Y-%m') from core.load where file = '工单_20261002.csv'", "2026-08")
	// What came earlier than core knew may not be late in the month that core has.
	w.put("工单_20261006.csv", "编号,正文,上报\n4,丁,2026-09-10\n")
	w.pull()
	w.put("工单_20261005.csv", "编号,正文,上报\n4,丁,2026-10-01\n")
	w.pull()
	w.want("select strftime(earliest_month, '%Y-%m') from core.load where file = '工单_20261005.csv'", "2026-09")
}

// TestCoreQueryGivesEachRowOnce: a query of a workspace's own that doubles or
// drops rows would make core another thing than what the loads say.
func TestCoreQueryGivesEachRowOnce(t *testing.T) {
	for name, query := range map[string]string{
		"doubled": "select ticket.* from landed.ticket as ticket cross join range(2)",
		"dropped": "select ticket.* from landed.ticket as ticket where ticket_id <> '2'",
	} {
		w := newTown(t, plainSource)
		w.in.Core["ticket"] = query
		w.put("工单_20261101.csv", "编号,正文\n1,甲\n2,乙\n")
		if _, err := Pull(context.Background(), w.db, w.in); err == nil || !strings.Contains(err.Error(), "queries/core/ticket.sql must give each row once") {
			t.Errorf("%s: got %v", name, err)
		}
		w.want("select (select count(*) from core.ticket) + (select count(*) from core.load)", "0")
	}
}
