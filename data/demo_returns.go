package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tongbao"
)

// returnItem is an item that a line returns for each community.
type returnItem struct {
	line, id, name string
	base           int     // how much is due in a month
	power          float64 // done ≈ due × quality^power
}

var returnItems = []returnItem{
	{"党群", "DQ1", "组织生活按期开展", 6, 0.5}, {"党群", "DQ2", "党员参会", 120, 0.8}, {"党群", "DQ3", "党费收缴", 130, 0.2}, {"党群", "DQ4", "志愿服务", 130, 1.2},
	{"政法", "ZF3", "三官一律进网格", 8, 1}, {"经济", "JJ1", "招商任务（累计，万元）", 500, 0.6}, {"经济", "JJ6", "新增个体工商户", 10, 1},
	{"安监", "AJ1", "检查计划", 40, 0.6}, {"民政", "MZ2", "低保特困复核", 25, 0.5}, {"民政", "MZ3", "新增申请办理", 9, 0.8},
	{"文化", "WH1", "文明测评", 150, 1.5}, {"文化", "WH3", "文体活动", 4, 0.5}, {"文化", "WH6", "群众满意度", 0, 1}, {"文化", "WH7", "督查整改", 6, 0.7},
	{"物管", "WG8", "物业费收缴（元）", 320_000, 1.5},
}

// writeReturns delivers one workbook of each line that has returns. Three months
// before the last welfare never delivers; in the last month culture forgets a
// community.
func (m *maker) writeReturns(month tongbao.Month) error {
	r := m.rng("returns", month)
	var lines []string
	for _, item := range returnItems {
		if !slices.Contains(lines, item.line) {
			lines = append(lines, item.line)
		}
	}
	for n, line := range lines {
		if line == "民政" && month == m.Until.Add(-3) && m.Months > 5 {
			continue
		}
		day := monthEnd(month).AddDate(0, 0, 1)
		if int(month)%7 == n {
			day = day.AddDate(0, 0, 9) // after the cut-off
		}
		name := fmt.Sprintf("条线报表_%s_%s_%s.xlsx", line, month, day.Format("20060102"))
		f, err := m.newSheet(name, "returns", "报表", [][]any{
			{fmt.Sprintf("%s条线月度报表（%s）", line, month)}, {"社区", "项目编号", "项目名称", "完成数", "应完成数", "得分值", "备注"},
		}, [][2]string{{"A1", "G1"}})
		if err != nil {
			return err
		}
		for i, c := range m.town.communities {
			for _, item := range returnItems {
				if item.line != line || line == "文化" && month == m.Until && i == 6 {
					continue
				}
				place := c.name
				if i%3 == 1 {
					place = c.oldName
				}
				if err := f.data(m.returnCells(r, item, c, place, month)); err != nil {
					return err
				}
				m.truth.key("returns", month.String()+c.id+item.id)
			}
		}
		if month%4 == 2 && line == "党群" {
			if err := f.bad([]any{"外苑社区", "DQ2", "党员参会", 10, 10, nil, nil}, "社区", "unknown_grid"); err != nil {
				return err
			}
			if err := f.bad([]any{m.town.communities[0].name, "DQ99", "在线时长", 10, 10, nil, nil}, "项目编号", "bad_value"); err != nil {
				return err
			}
		}
		if err := f.note([]any{"填报人：李某某", nil, nil, "单位（盖章）"}); err != nil {
			return err
		}
		if err := f.close(); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) returnCells(r *rand.Rand, item returnItem, c *community, place string, month tongbao.Month) []any {
	due := float64(item.base) * (0.9 + 0.2*r.Float64())
	if item.id == "JJ1" {
		due = float64(item.base) * float64(month.Calendar()) // cumulative plan to date
	}
	rate := math.Pow(c.quality, item.power*4) * (0.97 + 0.06*r.Float64())
	switch item.id {
	case "WH6":
		score := math.Round((78+20*math.Pow(c.quality, 3)+4*(r.Float64()-0.5))*100) / 100
		return []any{place, item.id, item.name, nil, nil, score, nil}
	case "WG8", "JJ1":
		total := math.Round(due*100) / 100
		return []any{place, item.id, item.name, math.Round(total*math.Min(rate+0.05, 1.1)*100) / 100, total, nil, nil}
	}
	whole := math.Max(1, math.Round(due))
	done := math.Round(whole * math.Min(rate+0.04, 1.15))
	if item.id != "JJ6" {
		done = math.Min(done, whole)
	}
	return []any{place, item.id, item.name, int(done), int(whole), nil, nil}
}

// eventKind is what the taskforce may find in a month.
type eventKind struct {
	line, indicator, word, reason string
	rate                          float64 // expected per community and month, at middling quality
	onBuilding                    bool
}

var eventKinds = []eventKind{
	{"党群", "DQ6", "采用", "信息被上级采用", 0.9, false}, {"党群", "DQ7", "未完成", "重点任务逾期未完成", 0.08, false}, {"党群", "DQ7", "推诿", "推诿拒不办理", 0.01, false},
	{"政法", "ZF2", "迟报", "重大事项迟报", 0.12, false}, {"政法", "ZF2", "漏报", "重大事项漏报", 0.05, false},
	{"经济", "JJ4", "迟报", "统计报表迟报（天）", 0.3, false}, {"经济", "JJ4", "差错", "统计报表差错", 0.5, false},
	{"安监", "AJ6", "差错", "事故报表差错", 0.2, false}, {"安监", "AJ7", "一般", "一般安全事故", 0.012, true},
	{"环保", "HB7", "一般", "月检发现脏乱点位", 2.5, true}, {"环保", "HB7", "私搭乱建", "月检发现私搭乱建", 0.18, true},
	{"民政", "MZ5", "错漏", "补贴发放错漏", 0.15, false},
}

// writeEvents delivers the taskforce's workbook of events, and every third
// month a list of exclusions. In the 24 months one matter is concealed and
// straw burns once.
func (m *maker) writeEvents(month tongbao.Month) error {
	r := m.rng("events", month)
	day := monthEnd(month).AddDate(0, 0, 1)
	f, err := m.newSheet(fmt.Sprintf("考核事件_%s_%s.xlsx", month, day.Format("20060102")), "events", "事件", [][]any{
		{fmt.Sprintf("%s考核事件登记", month)}, {"事件编号", "日期", "被考核单位", "条线", "指标编号", "点位", "次数", "程度", "事由", "依据"},
	}, [][2]string{{"A1", "J1"}})
	if err != nil {
		return err
	}
	add := func(c *community, kind eventKind, count int) error {
		m.next.event++
		id := fmt.Sprintf("SJ%s%05d", month.First().Format("200601"), m.next.event)
		place, site := c.name, ""
		if kind.onBuilding {
			b := m.town.at(pick(r, c.buildings).id, month)
			place, site = c.name+b.name, b.name+"周边"
		}
		at := month.First().AddDate(0, 0, r.IntN(28))
		m.truth.key("events", id)
		return f.data([]any{id, at.Format("2006-1-2"), place, kind.line, kind.indicator, site, count, kind.word, kind.reason, "考核专班现场记录"})
	}
	for _, c := range m.town.communities {
		for _, kind := range eventKinds {
			expected := kind.rate * (1 - c.quality) * 20
			if kind.indicator == "DQ6" {
				expected = kind.rate * c.quality
			}
			for range poisson(r, expected) {
				if err := add(c, kind, 1); err != nil {
					return err
				}
			}
		}
	}
	switch month {
	case m.Until.Add(-9):
		err = add(m.town.communities[5], eventKind{"政法", "ZF4", "瞒报", "瞒报重大事项", 0, false}, 1)
	case m.Until.Add(-12):
		err = add(m.town.communities[3], eventKind{"环保", "HB3", "焚烧", "露天焚烧秸秆", 0, true}, 1)
	case m.Until.Add(-17):
		err = add(m.town.communities[6], eventKind{"安监", "AJ7", "死亡", "亡人事故", 0, true}, 1)
	}
	if err != nil {
		return err
	}
	if month%3 == 1 {
		if err := f.bad([]any{"BADSJ" + month.String(), day.AddDate(0, 0, -20).Format("2006-1-2"), m.town.communities[0].name, "环保", "HB7", "", 1, "特别严重", "程度不在细则", ""}, "程度", "bad_value"); err != nil {
			return err
		}
	}
	if err := f.close(); err != nil {
		return err
	}
	return m.writeExclusions(month, day)
}

// writeExclusions takes a ticket that is not yet settled out of one indicator.
func (m *maker) writeExclusions(month tongbao.Month, day time.Time) error {
	if month%3 != 0 || len(m.open) == 0 {
		return nil
	}
	f, err := m.newSheet(fmt.Sprintf("剔除清单_%s_%s.xlsx", month, day.Format("20060102")), "exclusions", "剔除", [][]any{
		{month.String() + "工单剔除清单"}, {"工单编号", "来源平台", "适用指标", "剔除原因", "依据", "认定人", "认定时间", "批准人"},
	}, [][2]string{{"A1", "H1"}})
	if err != nil {
		return err
	}
	for _, t := range m.open[:min(2, len(m.open))] {
		platform := map[string]string{"12345": "12345热线", "platform": "集成平台"}[t.platform]
		if err := f.data([]any{t.id, platform, "CG4", "不合理诉求", "现场核查记录", "专班甲", stamp(day.Add(-30 * time.Hour)), "专班组长"}); err != nil {
			return err
		}
		m.truth.key("exclusions", t.platform+t.id)
	}
	return f.close()
}

func poisson(r *rand.Rand, mean float64) int {
	limit, product, n := math.Exp(-mean), r.Float64(), 0
	for product > limit {
		product *= r.Float64()
		n++
	}
	return n
}
