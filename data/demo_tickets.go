package data

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"tongbao"
)

// ticket is one case with everything that will ever happen to it.
type ticket struct {
	id, platform, channel string
	category              ticketKind
	urgency, severity     string
	building              *building
	site, staff           string
	reported, due, given  time.Time // given: what the platform prints, zero where it prints none
	extended              time.Time
	disposed, called      time.Time
	closed                time.Time
	reinspectDue          time.Time
	reinspected           time.Time
	state, reason         string // the final state, if not open or closed: 作废 挂账 超职责
	stateAt               time.Time
	satisfaction          string
	contacted, resolved   bool
	rework                int
	leader                bool
	repeatOf, helps       string
	caller, phone, card   string
	door, text            string
}

// ticketKind is a row of category.csv as the maker uses it.
type ticketKind struct {
	name, line, kind string
	days             int // working days to settle; as time_limit.csv says for a usual ticket
	weight           int
}

var ticketKinds = []ticketKind{
	{"邻里纠纷", "law", "dispute", 10, 10}, {"家庭纠纷", "law", "dispute", 10, 6}, {"租赁纠纷", "law", "dispute", 10, 4},
	{"治安隐患", "law", "hazard", 5, 8}, {"消防隐患", "safety", "hazard", 5, 12}, {"用电隐患", "safety", "hazard", 5, 7},
	{"电动车违停充电", "safety", "hazard", 5, 12}, {"油烟扰民", "environment", "complaint", 5, 8}, {"噪声扰民", "environment", "complaint", 5, 12},
	{"扬尘污染", "environment", "complaint", 5, 5}, {"垃圾清运", "environment", "complaint", 3, 16}, {"占道经营", "city", "disorder", 0, 14},
	{"乱停乱放", "city", "disorder", 0, 16}, {"乱贴乱画", "city", "disorder", 0, 8}, {"私搭乱建", "city", "disorder", 5, 7},
	{"路灯损坏", "city", "other", 5, 9}, {"道路破损", "city", "other", 5, 8}, {"窨井堵塞", "city", "other", 5, 8},
	{"物业服务", "property", "other", 5, 12}, {"民生救助", "welfare", "other", 5, 4},
}

var ticketTexts = map[string]string{
	"dispute": "反映住户之间因公共空间使用发生矛盾，请求调解", "hazard": "巡查发现安全隐患，需限期整改",
	"complaint": "反映周边环境问题影响生活，请求处理", "disorder": "反映点位存在乱象，要求清理", "other": "反映设施或服务问题，请求处理",
}

// season makes some months busier: summer nights and the year's end.
var season = [12]float64{0.9, 0.7, 0.9, 1.0, 1.05, 1.15, 1.25, 1.2, 1.05, 1.0, 0.95, 1.0}

func (m *maker) newTicket(r *rand.Rand, month tongbao.Month, kinds []int) *ticket {
	b := pick(r, m.town.living(month))
	k := ticketKinds[weighted(r, kinds)]
	days := int(monthEnd(month).Sub(month.First()).Hours() / 24)
	m.next.ticket++
	t := &ticket{
		category: k, building: b, urgency: "一般", severity: "一般",
		reported: month.First().AddDate(0, 0, r.IntN(days)).Add(time.Duration(7*3600+r.IntN(13*3600)) * time.Second),
		platform: "12345",
	}
	// The last and first second of a month are good rows that careless month
	// windows lose.
	switch m.next.ticket % 97 {
	case 0:
		t.reported = monthEnd(month).Add(-time.Second)
	case 1:
		t.reported = month.First()
	}
	if chance(r, 0.45) {
		t.platform = "platform"
	}
	// 18 digits, of which a spreadsheet keeps 15.
	t.id = fmt.Sprintf("%02d%02d%02d%012d", month.Year()%100, month.Calendar(), t.reported.Day(), 100_000_000_000+m.next.ticket)
	t.channel = pick(r, []string{"12345", "12345", "微信", "有事好商量", "凉亭议事厅"})
	if t.platform == "platform" {
		t.channel = pick(r, []string{"苏格通", "巡查", "巡查", "集成平台"})
	}
	if k.kind == "hazard" && chance(r, 0.2) {
		t.severity = "重大"
	}
	t.leader = chance(r, 0.02)
	t.staff = m.town.holder(b, t.reported)
	if chance(r, 0.05) {
		t.staff = "" // falls to the post held on the day
	}
	m.people(r, t)
	m.settle(r, t)
	return t
}

// people gives a ticket its caller: data that must never be seen again.
func (m *maker) people(r *rand.Rand, t *ticket) {
	t.caller = personName(r.IntN(4000))
	t.phone = fmt.Sprintf("1%d%09d", 3+r.IntN(7), r.IntN(1_000_000_000))
	t.card = fmt.Sprintf("32118119%02d%02d%02d%03d%d", 50+r.IntN(50), 1+r.IntN(12), 1+r.IntN(28), r.IntN(1000), r.IntN(10))
	t.door = fmt.Sprintf("%s%s%d-%d室", t.building.community.name, t.building.name, 1+r.IntN(4), 101+r.IntN(1700))
	t.text = ticketTexts[t.category.kind]
	switch r.IntN(25) {
	case 0:
		t.text += "，联系电话" + t.phone
		m.truth.Personal = append(m.truth.Personal, t.phone)
	case 1:
		t.text += "，身份证" + t.card
		m.truth.Personal = append(m.truth.Personal, t.card)
	case 2:
		door := fmt.Sprintf("%d-%d室", 1+r.IntN(4), 2101+r.IntN(700))
		t.text += "，住" + door
		m.truth.Personal = append(m.truth.Personal, door)
	}
	if r.IntN(40) == 0 && len(m.truth.Personal) < 5000 {
		m.truth.Personal = append(m.truth.Personal, t.phone, t.card, t.door)
	}
	if m.next.ticket%50 == 7 {
		t.site = fmt.Sprintf("%s%s北侧", t.building.community.name, t.building.name)
	} else if t.category.kind == "disorder" {
		t.site = fmt.Sprintf("%s%s", t.building.community.name, pick(r, []string{"南门", "北门", "农贸市场", "学校路口"}))
	}
}

// settle decides how a ticket goes.
func (m *maker) settle(r *rand.Rand, t *ticket) {
	days := t.category.days
	if days == 0 {
		days = 3 // disorder: the platform gives the day, ours is a clock of hours
	}
	t.due = m.cal.due(t.reported, days)
	t.given = t.due
	if t.category.days > 0 && chance(r, 0.06) {
		t.given = time.Time{} // ours must be computed
	}
	quality := t.building.community.quality + 0.012*(r.Float64()-0.5)
	switch {
	case chance(r, 0.02):
		t.state, t.reason = "作废", "重复登记"
	case chance(r, 0.012):
		t.state, t.reason = "挂账", "需专项资金"
	case chance(r, 0.012):
		t.state, t.reason = "超职责", "属上级部门职责"
	}
	window := t.due.Sub(t.reported)
	switch {
	case t.state != "":
		t.stateAt = t.reported.Add(20 * time.Hour)
	case chance(r, sameDay(t.category.line)*quality) && t.reported.Hour() < 20:
		t.disposed = t.reported.Add(time.Duration(30+r.IntN(90)) * time.Minute)
	case chance(r, quality):
		t.disposed = t.reported.Add(time.Duration(float64(window) * (0.2 + 0.75*r.Float64())))
	case chance(r, 0.75):
		t.disposed = t.due.Add(time.Duration(1+r.IntN(15*24)) * time.Hour)
	}
	t.disposed = t.disposed.Truncate(time.Second)
	if t.state == "" && chance(r, 0.04+0.5*(1-quality)) {
		t.extended = m.cal.due(t.due, 3)
		t.due = t.extended
	}
	t.contacted = chance(r, 0.97)
	if !t.disposed.IsZero() {
		t.called = t.disposed.Add(time.Duration(2+r.IntN(30)) * time.Hour)
		t.closed = t.called.Add(time.Hour)
		t.resolved = chance(r, quality)
		t.satisfaction = []string{"满意", "基本满意", "一般", "不满意", ""}[weighted(r, []int{int(quality * 80), 8, 4, int((1-quality)*60) + 2, 6})]
		if chance(r, (1-quality)*0.8) {
			t.rework = 1 + r.IntN(2)
		}
	}
	if t.category.kind == "hazard" && t.category.line == "safety" && !t.disposed.IsZero() {
		t.reinspectDue = m.cal.due(t.disposed, 5)
		if chance(r, quality) {
			t.reinspected = t.disposed.Add(time.Duration(24+r.IntN(48)) * time.Hour)
		}
	}
	if chance(r, 0.04) {
		t.helps = pick(r, []string{"城管,物管", "环保,城管", "政法,民政"})
	}
}

// sameDay is how often a line's tickets are settled within hours.
func sameDay(line string) float64 {
	if line == "environment" {
		return 0.98
	}
	return 0.3
}

// last returns the latest moment of the ticket before now.
func (t *ticket) last(now time.Time) time.Time {
	latest := t.reported
	for _, at := range []time.Time{t.stateAt, t.disposed, t.called, t.closed, t.reinspected} {
		if at.After(latest) && at.Before(now) {
			latest = at
		}
	}
	return latest
}

// done reports that nothing will happen to the ticket after now.
func (t *ticket) done(now time.Time) bool {
	if t.state != "" {
		return t.stateAt.Before(now)
	}
	return !t.closed.IsZero() && t.closed.Before(now) && (t.reinspected.IsZero() || t.reinspected.Before(now))
}

// cells are the columns of the hotline's export as the ticket stood at now.
func (t *ticket) cells(now time.Time, place string) []string {
	at := func(moment time.Time) string {
		if moment.IsZero() || !moment.Before(now) {
			return ""
		}
		return stamp(moment)
	}
	state, reason := "处置中", ""
	if t.state != "" && t.stateAt.Before(now) {
		state, reason = t.state, t.reason
	} else if at(t.closed) != "" {
		state = "已结案"
	}
	isCalled := at(t.called) != ""
	satisfaction, resolved, rework := "", "", "0"
	if isCalled {
		satisfaction, resolved = t.satisfaction, yes(t.resolved)
	}
	if at(t.closed) != "" {
		rework = strconv.Itoa(t.rework)
	}
	return []string{
		t.id, t.channel, t.category.name, t.urgency, t.severity, place, t.site, t.staff, t.caller, t.phone, t.card, t.door, t.text,
		stamp(t.reported), stamp(t.reported.Add(10 * time.Minute)), stamp(t.reported.Add(20 * time.Minute)), stamp(t.reported.Add(30 * time.Minute)),
		stamp(t.reported.Add(50 * time.Minute)), stamp(t.reported.Add(55 * time.Minute)), stamp(t.given), stamp(t.extended), at(t.disposed), at(t.called), at(t.closed),
		state, reason, yes(t.contacted), resolved, satisfaction, rework, yes(!t.extended.IsZero()), yes(t.leader), t.repeatOf, t.helps, stamp(t.last(now)),
	}
}

// countTicket adds a ticket to the truth of every month that it touches up to
// the town's last.
func (m *maker) countTicket(t *ticket, delivered time.Time) {
	m.truth.key(map[string]string{"12345": "tickets_12345", "platform": "tickets_platform"}[t.platform], t.id)
	if t.state != "" && t.stateAt.Before(delivered) {
		return
	}
	settled := func(before time.Time) bool { return !t.disposed.IsZero() && t.disposed.Before(before) }
	for month := tongbao.MonthOf(t.reported); month <= m.Until; month++ {
		end := monthEnd(month)
		isDue := tongbao.MonthOf(t.due) == month
		isClosed := !t.closed.IsZero() && tongbao.MonthOf(t.closed) == month
		isOverdue := t.due.Before(end) && !settled(end)
		isReported := tongbao.MonthOf(t.reported) == month
		if isReported || isDue || isClosed || isOverdue {
			m.truth.count(&m.town, month, t.building.id, func(u *UnitTruth) {
				u.Reported += one(isReported)
				u.Due += one(isDue)
				u.Settled += one(isDue && settled(end))
				u.OnTime += one(isDue && settled(end) && !t.disposed.After(t.due))
				u.Closed += one(isClosed)
				u.OverdueOpen += one(isOverdue)
			})
		}
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
