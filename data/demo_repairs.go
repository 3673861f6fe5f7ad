package data

import (
	"fmt"
	"math/rand/v2"
	"time"

	"tongbao"
)

// repair is one repair request with everything that will happen to it.
type repair struct {
	id                                       string
	building                                 *building
	door, part, kind                         string
	isCommon, isUrgent, isVoid               bool
	reported, arrived, due, finished, called time.Time
	voided, warranty                         time.Time
	satisfaction, project                    string
	budget                                   int64 // fen
}

type fundEntry struct {
	id, kind, repair, note string
	day                    time.Time
	amount                 int64 // fen
}

// leaks come with rain.
var leakSeason = [12]int{6, 6, 8, 10, 12, 22, 26, 18, 12, 8, 6, 6}

func (m *maker) newRepair(r *rand.Rand, month tongbao.Month) *repair {
	m.next.repair++
	b := pick(r, m.town.living(month))
	days := int(monthEnd(month).Sub(month.First()).Hours() / 24)
	x := &repair{
		id: fmt.Sprintf("BX%s%05d", month.First().Format("200601"), m.next.repair), building: b,
		reported: month.First().AddDate(0, 0, r.IntN(days)).Add(time.Duration(7*3600+r.IntN(13*3600)) * time.Second),
		door:     fmt.Sprintf("%d-%d", 1+r.IntN(4), 101+100*r.IntN(17)+r.IntN(4)),
		isUrgent: chance(r, 0.15), project: "平安家园基础设施改造一期",
	}
	kinds := []string{"渗漏", "雨棚", "围栏", "单元门", "道路", "广场", "地下管网", "水电"}
	x.kind = kinds[weighted(r, []int{leakSeason[month.Calendar()-1], 2, 2, 4, 2, 1, 2, 4})]
	x.part = "公共部位"
	switch x.kind {
	case "渗漏":
		x.part = pick(r, []string{"屋面", "外墙", "卫生间"})
	case "水电":
		x.part = "户内"
	}
	return x
}

func (m *maker) goRepair(r *rand.Rand, x *repair) {
	quality := x.building.community.quality
	x.isCommon = x.kind != "渗漏" && x.kind != "水电"
	if x.isCommon {
		x.door = ""
	}
	x.warranty = x.reported.AddDate(0, r.IntN(60)-24, 0)
	x.budget = int64(300+r.IntN(9000)) * 100
	x.due = m.cal.due(x.reported, 15)
	if x.isUrgent {
		x.due = m.cal.due(x.reported, 3)
		x.arrived = x.reported.Add(time.Duration(5+r.IntN(22)) * time.Minute)
		if !chance(r, quality) {
			x.arrived = x.reported.Add(time.Duration(35+r.IntN(200)) * time.Minute)
		}
	} else {
		x.arrived = m.cal.due(x.reported, 1).Add(-time.Duration(7+r.IntN(8)) * time.Hour)
		if !chance(r, quality) {
			x.arrived = m.cal.due(x.reported, 3).Add(-10 * time.Hour)
		}
	}
	switch {
	case chance(r, 0.03):
		x.isVoid, x.voided = true, x.reported.Add(30*time.Hour)
	case chance(r, quality-0.04):
		x.finished = x.arrived.Add(time.Duration(float64(x.due.Sub(x.arrived)) * (0.3 + 0.65*r.Float64()))).Truncate(time.Second)
	case chance(r, 0.8):
		x.finished = x.due.Add(time.Duration(1+r.IntN(20)) * 24 * time.Hour)
	}
	if !x.finished.IsZero() && chance(r, 0.92) {
		x.called = x.finished.Add(time.Duration(20+r.IntN(40)) * time.Hour)
		x.satisfaction = []string{"满意", "基本满意", "一般", "不满意"}[weighted(r, []int{int(quality * 90), 7, 3, int((1-quality)*80) + 1})]
	}
}

func (x *repair) done(now time.Time) bool {
	if x.isVoid {
		return true
	}
	return !x.finished.IsZero() && x.finished.Before(now) && (x.called.IsZero() || x.called.Before(now))
}

var repairHeader = []any{
	"报修单号", "所属网格", "房号", "是否公共部位", "维修部位", "维修类型", "紧急程度", "报修人", "联系电话", "报修时间", "受理时间", "到场时间",
	"查勘时间", "审批时间", "派工时间", "开工时间", "完工期限", "完工时间", "验收时间", "结算时间", "回访时间", "作废时间", "状态", "满意度",
	"质保到期", "预算金额", "审批金额", "结算金额", "已付金额", "项目", "更新时间",
}

func (x *repair) cells(f *sheetFile, now time.Time, caller, phone string) []any {
	at := func(moment time.Time) any {
		if moment.IsZero() || !moment.Before(now) {
			return nil
		}
		return stamp(moment)
	}
	state, satisfaction, latest := "处理中", "", x.reported
	isFinished := at(x.finished) != nil
	if x.isVoid {
		state = "已作废"
	} else if isFinished {
		state = "已完工"
	}
	for _, moment := range []time.Time{x.arrived, x.finished, x.called, x.voided} {
		if at(moment) != nil && moment.After(latest) {
			latest = moment
		}
	}
	if at(x.called) != nil {
		satisfaction = x.satisfaction
	}
	var settled, paid any
	if isFinished {
		settled, paid = yuan(x.budget*9/10), yuan(x.budget*9/10)
	}
	urgency := "一般"
	if x.isUrgent {
		urgency = "急修"
	}
	return []any{
		x.id, x.building.community.name + x.building.name, x.door, yes(x.isCommon), x.part, x.kind, urgency, caller, phone,
		f.trueDate(x.reported), stamp(x.reported.Add(20 * time.Minute)), at(x.arrived), at(x.arrived), at(x.arrived), at(x.arrived), at(x.arrived),
		stamp(x.due), at(x.finished), at(x.finished), at(x.finished), at(x.called), at(x.voided), state, satisfaction,
		x.warranty.Format("2006年1月2日"), yuan(x.budget), yuan(x.budget), settled, paid, x.project, stamp(latest),
	}
}

// yuan writes fen as a number with two places, as cells hold money.
func yuan(fen int64) any { return float64(fen) / 100 }

// writeRepairs delivers the repair register and the ledger of the pool.
func (m *maker) writeRepairs(month tongbao.Month) error {
	r := m.rng("repairs", month)
	count := max(4, 28*len(m.town.buildings)/147)
	var fresh []*repair
	for range count {
		x := m.newRepair(r, month)
		if len(m.fixed) > 0 && x.kind == "渗漏" && chance(r, 0.08) {
			// The same home and part leaks again within the year.
			old := pick(r, m.fixed)
			if old.finished.Before(x.reported) && old.building == m.town.at(old.building.id, month) {
				x.building, x.door, x.part = old.building, old.door, old.part
			}
		}
		m.goRepair(r, x)
		fresh = append(fresh, x)
		m.truth.key("repairs", x.id)
		if !x.isVoid {
			m.truth.count(&m.town, month, x.building.id, func(u *UnitTruth) { u.Repairs++ })
			if at := tongbao.MonthOf(x.finished); !x.finished.IsZero() && at <= m.Until {
				m.truth.count(&m.town, at, x.building.id, func(u *UnitTruth) { u.RepairsFinished++ })
			}
		}
	}
	now := closingDay(month, "repairs")
	f, err := m.newSheet("维修台账_"+now.Format("20060102")+".xlsx", "repairs", "台账",
		[][]any{{"房屋维修台账（" + month.String() + "）"}, repairHeader}, [][2]string{{"A1", "AE1"}})
	if err != nil {
		return err
	}
	delivered := append(m.going[:len(m.going):len(m.going)], fresh...)
	m.going = nil
	for _, x := range delivered {
		if err := f.data(x.cells(f, now, personName(r.IntN(4000)), fmt.Sprintf("139%08d", r.IntN(100_000_000)))); err != nil {
			return err
		}
		if !x.done(now) {
			m.going = append(m.going, x)
		}
		if x.kind == "渗漏" && !x.finished.IsZero() && x.finished.Before(now) {
			m.fixed = append(m.fixed, x)
		}
	}
	if month%2 == 1 {
		cells := fresh[0].cells(f, now, "", "")
		cells[0], cells[25] = "BADBX"+month.String(), "一千二百元"
		if err := f.bad(cells, "预算金额", "bad_number"); err != nil {
			return err
		}
	}
	if err := f.note([]any{"注：金额单位为元"}); err != nil {
		return err
	}
	if err := f.close(); err != nil {
		return err
	}
	return m.writeFund(month, now, delivered)
}

// writeFund delivers the whole ledger to date.
func (m *maker) writeFund(month tongbao.Month, now time.Time, delivered []*repair) error {
	book := func(kind, repair, note string, day time.Time, amount int64) {
		m.next.fund++
		id := fmt.Sprintf("PZ%06d", m.next.fund)
		m.fund = append(m.fund, fundEntry{id, kind, repair, note, day, amount})
		m.truth.key("repair_fund", id)
	}
	if month.Calendar() == time.January || len(m.fund) == 0 {
		book("拨入", "", "财政拨入维修基金", month.First().AddDate(0, 0, 4), 100_000_000)
	}
	for _, x := range delivered {
		if tongbao.MonthOf(x.reported) == month && !x.isVoid {
			book("承诺", x.id, "维修预算", x.reported.AddDate(0, 0, 1), x.budget)
		}
		if !x.finished.IsZero() && tongbao.MonthOf(x.finished) == month {
			book("支付", x.id, "维修结算", x.finished, x.budget*9/10)
		}
	}
	if month%5 == 0 {
		book("追偿", "", "向施工单位追偿", month.First().AddDate(0, 0, 20), 860_000)
	}
	f, err := m.newSheet("维修基金台账_"+now.Format("20060102")+".xlsx", "repair_fund", "流水",
		[][]any{{"维修基金池流水"}, {"凭证号", "日期", "类别", "金额", "报修单号", "项目", "摘要"}}, [][2]string{{"A1", "G1"}})
	if err != nil {
		return err
	}
	var sum int64
	for _, e := range m.fund {
		sum += e.amount
		if err := f.data([]any{e.id, e.day.Format("2006-01-02"), e.kind, yuan(e.amount), e.repair, "维修基金", e.note}); err != nil {
			return err
		}
	}
	if err := f.note([]any{"合计", nil, nil, yuan(sum)}); err != nil {
		return err
	}
	return f.close()
}
