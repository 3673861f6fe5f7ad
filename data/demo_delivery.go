package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tongbao"
)

var hotlineHeader = []string{
	"工单编号", "工单来源", "工单类别", "紧急程度", "严重程度", "所属网格", "点位", "承办人编号", "来电人", "联系电话", "身份证号", "详细地址", "问题描述",
	"上报时间", "受理时间", "立案时间", "派遣时间", "签收时间", "首次联系时间", "处置截止时间", "延期截止时间", "处置时间", "回访时间", "结案时间",
	"工单状态", "状态原因", "是否联系", "是否解决", "满意度", "返工次数", "是否延期", "领导交办", "重复工单号", "协办条线", "更新时间",
}

// Columns of hotlineHeader that the faults touch.
const (
	colID, colKind, colPlace, colReported, colDue, colDisposed, colUpdated = 0, 2, 5, 13, 19, 21, 34
)

// writeTickets makes the month's tickets and delivers both platforms twice:
// in mid-month, and after its end with what changed since.
func (m *maker) writeTickets(month tongbao.Month) error {
	r := m.rng("tickets", month)
	kinds := make([]int, len(ticketKinds))
	for i, kind := range ticketKinds {
		kinds[i] = kind.weight
	}
	count := int(280 * season[month.Calendar()-1] * float64(m.Grids) / 147)
	if m.Tickets > 0 {
		count = m.Tickets / m.Months
		if month == m.Until {
			count = m.Tickets - count*(m.Months-1)
		}
	}
	fresh := make([]*ticket, 0, count)
	for range count {
		t := m.newTicket(r, month, kinds)
		if m.Tickets > manyTickets {
			t.platform = "12345"
		}
		fresh = append(fresh, t)
	}
	slices.SortStableFunc(fresh, func(a, b *ticket) int { return a.reported.Compare(b.reported) })
	m.crowdSite(r, fresh, month)

	middle := month.First().AddDate(0, 0, 15)
	var early []*ticket
	for _, t := range fresh {
		if t.reported.Before(middle) {
			early = append(early, t)
		}
	}
	moving := append(slices.Clone(m.open), fresh...)
	for _, delivery := range []struct {
		tickets []*ticket
		isLast  bool
	}{{early, false}, {moving, true}} {
		for _, platform := range []string{"12345", "platform"} {
			now := middle
			if delivery.isLast {
				now = closingDay(month, platform)
			}
			var own []*ticket
			for _, t := range delivery.tickets {
				if t.platform == platform {
					own = append(own, t)
				}
			}
			write := m.writeHotline
			if platform == "platform" {
				write = m.writePlatform
			}
			if err := write(r, month, own, now, delivery.isLast); err != nil {
				return err
			}
		}
	}
	for _, t := range fresh {
		m.countTicket(t, closingDay(month, t.platform))
	}
	m.open = m.open[:0:0]
	for _, t := range moving {
		// A ticket that stays open for half a year is left out of the exports.
		if !t.done(closingDay(month, t.platform)) && t.reported.After(month.First().AddDate(0, -6, 0)) {
			m.open = append(m.open, t)
		}
	}
	return nil
}

// crowdSite makes one site of disorder a thorn every third month: several
// complaints, the last not settled.
func (m *maker) crowdSite(r *rand.Rand, fresh []*ticket, month tongbao.Month) {
	if month%3 != 0 || m.Tickets > manyTickets {
		return
	}
	bad := m.town.communities[len(m.town.communities)-1-int(month)%2]
	n := 0
	for _, t := range fresh {
		if t.category.kind == "disorder" && t.state == "" && n < 7 {
			b := pick(r, bad.buildings)
			for b.to != 0 && month > b.to {
				b = b.successors[0]
			}
			t.building, t.site = b, bad.name+"农贸市场"
			t.staff = m.town.holder(b, t.reported)
			if n++; n >= 6 {
				t.disposed, t.called, t.closed, t.rework, t.satisfaction = time.Time{}, time.Time{}, time.Time{}, 0, ""
			}
		}
	}
}

// place spells a building grid as a platform does in a month: full name, code,
// or the committee's old name.
func (m *maker) place(t *ticket, at int) string {
	switch {
	case t.platform == "12345" && at%5 == 0:
		return t.building.community.oldName + t.building.name
	case t.platform == "platform" && at%4 == 0:
		return t.building.id
	}
	return t.building.community.name + t.building.name
}

func (m *maker) writeHotline(r *rand.Rand, month tongbao.Month, tickets []*ticket, now time.Time, isLast bool) error {
	encoding := "gb18030"
	if m.Tickets > manyTickets {
		encoding = ""
	}
	day := now.Format("20060102")
	var rows [][]string
	for i, t := range tickets {
		cells := t.cells(now, m.place(t, i))
		switch i % 61 {
		case 3:
			cells[colID] = "\r\n\t" + cells[colID] // trimmed, still good
		case 5:
			cells[colReported] = wide(cells[colReported])
		case 7:
			cells[colDue] = looseStamp(t.given)
		}
		if m.Tickets > manyTickets {
			cells[colID] = t.id // the engine's own reader takes regular files
		}
		rows = append(rows, cells)
	}
	f, err := m.newCSV("12345工单_"+day+".csv", "tickets_12345", encoding, true, hotlineHeader)
	if err != nil {
		return err
	}
	for _, cells := range rows {
		if err := f.row(cells); err != nil {
			return err
		}
	}
	if isLast && len(rows) > 0 && m.Tickets <= manyTickets {
		if err := m.badHotline(f, rows[len(rows)-1], month); err != nil {
			return err
		}
	}
	if err := f.close(); err != nil {
		return err
	}
	if !isLast || month%4 != 1 || m.Tickets > manyTickets {
		return nil
	}
	// The same rows in other bytes: reversed, plain line ends, UTF-8.
	again, err := m.newCSV("12345工单_"+now.AddDate(0, 0, 1).Format("20060102")+"_重发.csv", "tickets_12345", "bom", false, hotlineHeader)
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	for _, cells := range rows {
		if err := again.row(cells); err != nil {
			return err
		}
	}
	return again.close()
}

// badHotline plants rows that cannot be taken, a few kinds a month.
func (m *maker) badHotline(f *csvFile, sample []string, month tongbao.Month) error {
	plant := func(n int, column, reason string, change func([]string) []string) error {
		cells := slices.Clone(sample)
		cells[colID] = fmt.Sprintf("BAD%s%02d", month, n)
		cells[colDue], cells[colReported] = "", stamp(month.First().Add(30*time.Hour))
		for i := colReported + 1; i < colDisposed+3; i++ {
			cells[i] = ""
		}
		cells[24] = "处置中"
		return f.bad(change(cells), column, reason)
	}
	set := func(at int, value string) func([]string) []string {
		return func(cells []string) []string { cells[at] = value; return cells }
	}
	for n, fault := range []struct {
		column, reason string
		change         func([]string) []string
	}{
		{"上报时间", "bad_date", set(colReported, "2026-13-45 10:00:00")},
		{"所属网格", "unknown_grid", set(colPlace, "锦苑杜区3幢")},
		{"工单编号", "missing_value", set(colID, " ")},
		{"工单类别", "bad_value", set(colKind, "外星事务")},
		{"处置时间", "impossible_time", set(colDisposed, stamp(month.First().Add(-48*time.Hour)))},
		{"上报时间", "future_time", set(colReported, stamp(monthEnd(month).AddDate(1, 0, 0)))},
		{"", "ragged_row", func(cells []string) []string { return cells[:20] }},
		{"返工次数", "bad_number", set(29, "两次")},
		{"更新时间", "missing_value", set(colUpdated, "")},
		{"是否解决", "bad_value", set(27, "大概")},
	} {
		if n%3 == int(month)%3 {
			if err := plant(n, fault.column, fault.reason, fault.change); err != nil {
				return err
			}
		}
	}
	return nil
}

// writePlatform writes the command centre's workbook: a title merged over all
// columns, a header of three rows, true and written dates mixed, a total.
func (m *maker) writePlatform(r *rand.Rand, month tongbao.Month, tickets []*ticket, now time.Time, isLast bool) error {
	if m.Tickets > manyTickets {
		return nil
	}
	var names []any
	skipped := map[int]bool{8: true, 10: true} // caller and id number are the hotline's
	for i, name := range hotlineHeader {
		if !skipped[i] {
			names = append(names, name)
		}
	}
	names = append(names, "复查截止时间", "复查时间")
	group, half := make([]any, len(names)), make([]any, len(names))
	group[0], group[11], group[22] = "基本信息", "时间", "办理情况"
	half[11], half[17] = "受理环节", "处置环节"
	f, err := m.newSheet("集成平台工单_"+now.Format("20060102")+".xlsx", "tickets_platform", "工单明细",
		[][]any{{"集成管理指挥中心工单明细表（" + month.String() + "）"}, group, half, names},
		[][2]string{{"A1", "AI1"}, {"A2", "K2"}, {"L2", "V2"}, {"L3", "Q3"}, {"R3", "V3"}})
	if err != nil {
		return err
	}
	cellsOf := func(t *ticket, at int) []any {
		var cells []any
		for i, cell := range t.cells(now, m.place(t, at)) {
			if !skipped[i] {
				cells = append(cells, cell)
			}
		}
		past := func(moment time.Time) time.Time {
			if moment.Before(now) {
				return moment
			}
			return time.Time{}
		}
		cells = append(cells, stamp(past(t.reinspectDue)), stamp(past(t.reinspected)))
		if !t.reinspectDue.IsZero() && past(t.disposed) != (time.Time{}) {
			cells[len(cells)-2] = stamp(t.reinspectDue)
		}
		if at%2 == 0 {
			cells[11] = f.trueDate(t.reported)
			cells[19] = f.trueDate(past(t.disposed))
		} else {
			cells[11] = looseStamp(t.reported)
		}
		return cells
	}
	for i, t := range tickets {
		if err := f.data(cellsOf(t, i)); err != nil {
			return err
		}
	}
	if isLast && len(tickets) > 0 {
		if month%2 == 0 {
			cells := cellsOf(tickets[0], 1)
			cells[0] = "2.50912101108115E+17" // an id that was a number once: its last digits are gone
			if err := f.bad(cells, "工单编号", "bad_number"); err != nil {
				return err
			}
		}
		cells := cellsOf(tickets[0], 1)
		cells[0], cells[5] = "BAD"+month.String(), "不存在的小区9幢"
		if err := f.bad(cells, "所属网格", "unknown_grid"); err != nil {
			return err
		}
	}
	if err := f.note([]any{"合计", nil, nil, len(tickets)}); err != nil {
		return err
	}
	return f.close()
}
