package reports

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// chart is one chart of the page: its options as the library's JSON, drawn by
// bulletin.js. Kind names what the script adds (labels, axes): functions live
// there, options carry data only.
type chart struct {
	ID      string
	Kind    string
	Height  int // px
	Options json.RawMessage
	Alt     string // the figures in words, for those who do not see it
}

// drawing is what every go-echarts chart can do.
type drawing interface {
	Validate()
	JSON() map[string]any
}

// charts lists the charts of the page. A new chart is one entry here and its
// words in templates/locale.
func (m *bulletin) charts() ([]chart, error) {
	var list []chart
	for _, c := range []struct {
		id, kind string
		height   int
		draw     func() (drawing, string)
	}{
		{"total", "ranking", 340, m.totalChart}, {"heat", "heat", 340, m.heatChart}, {"trend", "trend", 430, m.trendChart},
		{"ticket_line", "stack", 320, m.ticketChart}, {"ticket_channel", "bar", 320, m.channelChart},
		{"repair", "pair", 320, m.repairChart}, {"fund", "money", 320, m.fundChart},
	} {
		drawn, alt := c.draw()
		drawn.Validate()
		options, err := json.Marshal(drawn.JSON())
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", c.id, err)
		}
		list = append(list, chart{c.id, c.kind, c.height, options, m.words.Charts[c.id] + "：" + alt})
	}
	return list, nil
}

// number is a value for drawing; the chart shows nothing for a missing one.
func number(value string) any {
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return f
	}
	return "-"
}

func (m *bulletin) totalChart() (drawing, string) {
	bar := charts.NewBar()
	var names []string
	var items []opts.BarData
	alt := ""
	rows := m.tables["community"]
	for i := len(rows) - 1; i >= 0; i-- {
		names = append(names, rows[i]["name"])
		items = append(items, opts.BarData{Name: rows[i]["name"], Value: number(rows[i]["total"])})
		alt += rows[i]["name"] + " " + rows[i]["total"] + "；"
	}
	bar.SetXAxis(names).AddSeries(m.words.Columns["total"], items)
	return bar, alt
}

func (m *bulletin) heatChart() (drawing, string) {
	heat := charts.NewHeatMap()
	var names, titles []string
	var items []opts.HeatMapData
	rows := m.tables["community"]
	for _, line := range lines {
		titles = append(titles, m.words.Columns[line])
	}
	for y := len(rows) - 1; y >= 0; y-- {
		names = append(names, rows[y]["name"])
		for x, line := range lines {
			items = append(items, opts.HeatMapData{Value: [3]any{x, len(rows) - 1 - y, number(rows[y][line])}})
		}
	}
	heat.AddSeries(m.words.Charts["heat"], items)
	heat.SetGlobalOptions(charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: titles}), charts.WithYAxisOpts(opts.YAxis{Type: "category", Data: names}))
	return heat, m.words.Text["heat_note"]
}

func (m *bulletin) trendChart() (drawing, string) {
	line := charts.NewLine()
	var months, order []string
	series := map[string][]opts.LineData{}
	seen := map[string]bool{}
	for _, one := range m.tables["trend"] {
		if month := one["of_month"][:7]; !seen[month] {
			seen[month] = true
			months = append(months, month)
		}
	}
	for _, one := range m.tables["community"] {
		order = append(order, one["name"])
	}
	for _, month := range months {
		values := map[string]any{}
		for _, one := range m.tables["trend"] {
			if one["of_month"][:7] == month {
				values[one["name"]] = number(one["total"])
			}
		}
		for _, name := range order {
			value, found := values[name]
			if !found {
				value = "-"
			}
			series[name] = append(series[name], opts.LineData{Value: value})
		}
	}
	line.SetXAxis(months)
	for _, name := range order {
		line.AddSeries(name, series[name])
	}
	return line, m.words.Sections["trend"]
}

// bars makes a bar chart of columns of a table.
func (m *bulletin) bars(table string, label func(row) string, series ...func(row) (string, any)) (*charts.Bar, string) {
	bar := charts.NewBar()
	var names []string
	alt := ""
	for _, one := range m.tables[table] {
		names = append(names, label(one))
		alt += label(one)
		for _, s := range series {
			name, value := s(one)
			alt += fmt.Sprintf(" %s %v", name, value)
		}
		alt += "；"
	}
	bar.SetXAxis(names)
	for _, s := range series {
		var items []opts.BarData
		name := ""
		for _, one := range m.tables[table] {
			var value any
			name, value = s(one)
			items = append(items, opts.BarData{Value: value})
		}
		bar.AddSeries(name, items)
	}
	return bar, alt
}

func (m *bulletin) ticketChart() (drawing, string) {
	return m.bars("ticket_line", named,
		func(one row) (string, any) { return m.words.Charts["on_time"], number(one["on_time"]) },
		// Two counts of one row; the difference is drawn, not published.
		func(one row) (string, any) {
			due, _ := strconv.Atoi(one["due"])
			onTime, _ := strconv.Atoi(one["on_time"])
			return m.words.Charts["late"], due - onTime
		})
}

func (m *bulletin) channelChart() (drawing, string) {
	return m.bars("ticket_channel", named, func(one row) (string, any) { return m.words.Charts["reported"], number(one["reported"]) })
}

func (m *bulletin) repairChart() (drawing, string) {
	return m.bars("repair_kind", named,
		func(one row) (string, any) { return m.words.Charts["due"], number(one["due"]) },
		func(one row) (string, any) { return m.words.Charts["finished"], number(one["finished"]) })
}

func (m *bulletin) fundChart() (drawing, string) {
	return m.bars("fund", func(one row) string { return m.words.code(one["item"]) },
		func(one row) (string, any) { return m.words.Columns["amount"], number(one["amount"]) })
}

func named(one row) string { return one["name"] }
