package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// chart is one chart of the page: its options as the library's JSON, drawn by
// bulletin.js. Kind names what the script adds (labels, axes): functions live
// there, options carry data only.
type chart struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	Options json.RawMessage `json:"options"`
	Tips    [][]string      `json:"tips"` // what a mark says, by series and place, with numerator and denominator
	Title   string          `json:"-"`
	Note    string          `json:"-"` // how to read it
	Alt     string          `json:"-"` // the figures in words, for those who do not see it
	IsWide  bool            `json:"-"`
}

// drawing is what every go-echarts chart can do.
type drawing interface {
	Validate()
	JSON() map[string]any
}

// sketch is a chart before its words.
type sketch struct {
	drawn drawing
	tips  [][]string
	alt   string
}

// charts lists the charts of the edition. A new chart is one entry here and
// its words in templates/locale.
func (m *bulletin) charts() ([]chart, error) {
	var list []chart
	for _, c := range []struct {
		id, kind string
		isWide   bool
		in       []Edition
		draw     func() sketch
	}{
		{"trend", "trend", true, everyone, m.trendChart}, {"spread", "spread", true, []Edition{Leaders, Taskforce, Statisticians, Public}, m.spreadChart},
		{"change", "change", false, office, m.changeChart}, {"ticket_month", "months", false, office, m.monthsChart},
		{"ticket_line", "stack", false, office, m.ticketChart}, {"ticket_channel", "bar", false, office, m.channelChart},
		{"repair", "bullet", false, office, m.repairChart}, {"grade", "bar", false, office, m.gradeChart},
		{"fund", "fund", true, office, m.fundChart},
	} {
		if !slices.Contains(c.in, m.Options.Edition) {
			continue
		}
		s := c.draw()
		if s.alt == "" {
			continue // nothing to draw
		}
		s.drawn.Validate()
		options, err := json.Marshal(s.drawn.JSON())
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", c.id, err)
		}
		list = append(list, chart{c.id, c.kind, options, s.tips, m.words.Charts[c.id], m.note(c.id), m.words.Charts[c.id] + m.words.Text["colon"] + s.alt, c.isWide})
	}
	return list, nil
}

// note says how a chart is read.
func (m *bulletin) note(id string) string {
	if !m.own().isNone() {
		return "" // one community: nothing to tell apart
	}
	return m.words.Notes["chart."+id]
}

// number is a value for drawing; the chart shows nothing for a missing one.
func number(value string) any {
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return f
	}
	return "-"
}

// listed joins the figures of a chart for those who hear it.
func (m *bulletin) listed(items []string) string {
	return strings.Join(items, m.words.Text["semicolon"])
}

func (m *bulletin) trendChart() sketch {
	line := charts.NewLine()
	var months, shown, alt []string
	totals := map[string]row{}
	for _, one := range m.tables["trend"] {
		if !slices.Contains(months, one.get("of_month")) {
			months = append(months, one.get("of_month"))
			shown = append(shown, m.words.monthOf(one.get("of_month")))
		}
		totals[one.get("of_month")+one.get("grid_id")] = one
	}
	line.SetXAxis(shown)
	var tips [][]string
	for _, unit := range m.tables["community"] {
		if own := m.own(); !own.isNone() && own.get("grid_id") != unit.get("grid_id") {
			continue
		}
		var items []opts.LineData
		var said []string
		for i, month := range months {
			one := totals[month+unit.get("grid_id")]
			items = append(items, opts.LineData{Value: number(one.get("total"))})
			said = append(said, fmt.Sprintf("%s\n%s %s", unit.get("name"), shown[i], one.get("total")))
		}
		line.AddSeries(unit.get("name"), items)
		tips = append(tips, said)
		alt = append(alt, unit.get("name")+" "+unit.get("total"))
	}
	return sketch{line, tips, m.listed(alt)}
}

// spreadChart puts every community on each of the nine lines.
func (m *bulletin) spreadChart() sketch {
	dots := charts.NewScatter()
	var names, alt []string
	for _, line := range lines {
		names = append(names, m.words.Columns[line])
	}
	dots.SetXAxis(names)
	var tips [][]string
	for _, unit := range m.tables["community"] {
		var items []opts.ScatterData
		var said []string
		for i, line := range lines {
			items = append(items, opts.ScatterData{Value: number(unit.get(line))})
			said = append(said, fmt.Sprintf("%s\n%s %s", unit.get("name"), names[i], show(unit.get(line), score, m.words, unit)))
			alt = append(alt, unit.get("name")+" "+names[i]+" "+show(unit.get(line), score, m.words, unit))
		}
		dots.AddSeries(unit.get("name"), items)
		tips = append(tips, said)
	}
	return sketch{dots, tips, m.listed(alt)}
}

// changeChart is the change of every total that may be compared, risen first.
func (m *bulletin) changeChart() sketch {
	var rows []row
	for _, one := range m.tables["community"] {
		if one.get("is_comparable") == "true" && one.get("total_change") != "" {
			rows = append(rows, one)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmpFloat(b.get("total_change"), a.get("total_change")) })
	return m.bars(rows, func(one row) string { return one.get("name") }, series{m.words.Columns["total_change"], "total_change", signed, func(one row) string {
		return fmt.Sprintf("%s\n%s\n%s", one.get("name"), sign(one.get("total_change")), m.reason(m.top(one.get("grid_id"))))
	}})
}

func cmpFloat(a, b string) int {
	switch x, y := number64(a), number64(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// series is a column that becomes bars; Tip says more than the value, nil the
// value itself.
type series struct {
	Name, Key string
	Kind      kind
	Tip       func(row) string
}

// bars makes a bar chart of columns of rows.
func (m *bulletin) bars(rows []row, label func(row) string, list ...series) sketch {
	bar := charts.NewBar()
	var names, alt []string
	for _, one := range rows {
		names = append(names, label(one))
		said := label(one)
		for _, s := range list {
			said += " " + s.Name + " " + show(one.get(s.Key), s.Kind, m.words, one)
		}
		alt = append(alt, said)
	}
	bar.SetXAxis(names)
	var tips [][]string
	for _, s := range list {
		var items []opts.BarData
		var said []string
		for _, one := range rows {
			items = append(items, opts.BarData{Value: number(one.get(s.Key))})
			tip := label(one) + "\n" + s.Name + " " + show(one.get(s.Key), s.Kind, m.words, one)
			if s.Tip != nil {
				tip = s.Tip(one)
			}
			said = append(said, tip)
		}
		bar.AddSeries(s.Name, items)
		tips = append(tips, said)
	}
	return sketch{bar, tips, m.listed(alt)}
}

// named is the label of a row in this language.
func (m *bulletin) named(one row) string { return m.words.data(one.get("name")) }

// shared says x of y and the published rate beside it.
func (m *bulletin) shared(part, whole, rate string) func(row) string {
	return func(one row) string {
		return fmt.Sprintf("%s\n%s / %s %s / %s\n%s%%", m.named(one), m.words.Columns[part], m.words.Columns[whole], one.get(part), one.get(whole), one.get(rate))
	}
}

func (m *bulletin) monthsChart() sketch {
	return m.bars(m.tables["trend_ticket"], func(one row) string { return m.words.monthOf(one.get("of_month")) },
		series{m.words.Columns["reported"], "reported", integer, func(one row) string {
			return fmt.Sprintf("%s\n%s %s\n%s %s / %s %s%%", m.words.monthOf(one.get("of_month")), m.words.Columns["reported"], one.get("reported"), m.words.Columns["on_time"], one.get("on_time"), one.get("due"), one.get("on_time_rate"))
		}},
		series{m.words.Columns["on_time_rate"], "on_time_rate", rate, nil})
}

// ticketChart has the lines with the most tickets due first; what was not on
// time is drawn as the rest of the bar.
func (m *bulletin) ticketChart() sketch {
	rows := m.mostDue("ticket_line")
	tip := m.shared("on_time", "due", "on_time_rate")
	return m.bars(rows, m.named, series{m.words.Columns["on_time"], "on_time", integer, tip}, series{m.words.Columns["due"], "due", integer, tip})
}

// mostDue are the rows of a table, those with the most due first.
func (m *bulletin) mostDue(table string) []row {
	rows := slices.Clone(m.tables[table])
	slices.SortStableFunc(rows, func(a, b row) int { return cmpFloat(b.get("due"), a.get("due")) })
	return rows
}

func (m *bulletin) channelChart() sketch {
	return m.bars(m.tables["ticket_channel"], m.named, series{m.words.Columns["reported"], "reported", integer, nil})
}

func (m *bulletin) repairChart() sketch {
	tip := m.shared("finished", "due", "finished_rate")
	return m.bars(m.mostDue("repair_kind"), m.named, series{m.words.Columns["finished"], "finished", integer, tip}, series{m.words.Columns["due"], "due", integer, tip})
}

func (m *bulletin) gradeChart() sketch {
	return m.bars(m.tables["grade"], func(one row) string { return m.words.data(one.get("grade")) }, series{m.words.Columns["units"], "units", integer, nil})
}

// fundChart is the account of the repair pool as steps.
func (m *bulletin) fundChart() sketch {
	return m.bars(m.tables["fund"], func(one row) string { return m.words.code(one.get("item")) }, series{m.words.Columns["amount"], "amount", money, nil})
}
