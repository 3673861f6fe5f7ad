package data

import (
	"fmt"
	"strconv"
	"time"

	"tongbao"
)

// riskHomes are the elders' homes of a building by class of risk.
var riskHomes = []struct {
	class string
	homes int
}{{"高风险", 1}, {"重点", 2}, {"一般", 4}}

// writeActivities delivers the month's plan before it begins and the record
// of what was done after it ends.
func (m *maker) writeActivities(month tongbao.Month) error {
	r := m.rng("activities", month)
	planned, err := m.newCSV(fmt.Sprintf("工作计划_%s_%s.csv", month, month.First().AddDate(0, 0, -3).Format("20060102")), "plans", "bom", false,
		[]string{"月份", "网格", "网格员编号", "类别", "分类", "应完成数"})
	if err != nil {
		return err
	}
	done, err := m.newCSV(fmt.Sprintf("网格活动_%s_%s.csv", month, monthEnd(month).AddDate(0, 0, 1).Format("20060102")), "activities", "bom", false,
		[]string{"记录编号", "类别", "分类", "对象", "时间", "网格员编号", "网格", "是否有效", "核查数", "属实数"})
	if err != nil {
		return err
	}
	days := int(monthEnd(month).Sub(month.First()).Hours() / 24)
	plan := func(place, staff, kind, class string, required int) error {
		m.truth.key("plans", month.String()+place+staff+kind+class)
		return planned.row([]string{month.String(), place, staff, kind, class, strconv.Itoa(required)})
	}
	record := func(kind, class, object, staff, place string, isValid bool, checked, right int) error {
		m.next.activity++
		at := month.First().AddDate(0, 0, r.IntN(days)).Add(time.Duration(8*3600+r.IntN(9*3600)) * time.Second)
		id := fmt.Sprintf("HD%s%07d", month.First().Format("200601"), m.next.activity)
		m.truth.key("activities", id)
		return done.row([]string{id, kind, class, object, stamp(at), staff, place, yes(isValid), strconv.Itoa(checked), strconv.Itoa(right)})
	}
	for _, b := range m.town.living(month) {
		quality := b.community.quality
		place := b.community.name + b.name
		staff := m.town.holder(b, monthEnd(month).Add(-time.Hour))
		count := 0
		if err := plan(place, staff, "巡查", "日常", 8); err != nil {
			return err
		}
		for range 8 + r.IntN(3) - one(!chance(r, quality)) {
			if err := record("巡查", "日常", "", staff, place, chance(r, quality), 0, 0); err != nil {
				return err
			}
			count++
		}
		for _, risk := range riskHomes {
			if err := plan(place, staff, "老人探访", risk.class, risk.homes); err != nil {
				return err
			}
			for home := range risk.homes {
				for range one(chance(r, quality+0.01)) * (1 + r.IntN(3)) {
					if err := record("老人探访", risk.class, fmt.Sprintf("%d-%d", home+1, 301), staff, place, true, 0, 0); err != nil {
						return err
					}
					count++
				}
			}
		}
		if err := plan(place, staff, "任务", "", 3); err != nil {
			return err
		}
		for range 3 - one(!chance(r, quality)) {
			if err := record("任务", "", "", staff, place, true, 0, 0); err != nil {
				return err
			}
			count++
		}
		for range 3 {
			checked := 4 + r.IntN(5)
			if err := record("信息采集", "", "", staff, place, true, checked, checked-one(!chance(r, quality-0.05))); err != nil {
				return err
			}
			count++
		}
		for range 2 + r.IntN(4) {
			if err := record("问题上报", "", "", staff, place, chance(r, quality), 0, 0); err != nil {
				return err
			}
			count++
		}
		m.truth.count(&m.town, month, b.id, func(u *UnitTruth) { u.Activities += count })
	}
	for _, c := range m.town.communities {
		if err := plan(c.name, "", "企业走访", "", 20); err != nil {
			return err
		}
		for firm := range 20 {
			if chance(r, c.quality) {
				if err := record("企业走访", "", fmt.Sprintf("企业%02d", firm+1), m.town.people[r.IntN(len(m.town.people))], c.name, true, 0, 0); err != nil {
					return err
				}
			}
		}
	}
	bad := []string{fmt.Sprintf("BADHD%s", month), "巡逻", "日常", "", stamp(month.First().Add(50 * time.Hour)), "W0001", m.town.communities[0].name, "是", "0", "0"}
	if err := done.bad(bad, "类别", "bad_value"); err != nil {
		return err
	}
	if err := planned.close(); err != nil {
		return err
	}
	return done.close()
}
