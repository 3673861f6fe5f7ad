package reports

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// Columns of the sheet of charts.
const (
	chartColumns = 12
	chartColumn  = 8.5 // characters
)

// writeCharts writes one page of charts; their numbers stand in the figures.
func (b *book) writeCharts(name string) error {
	g := b.grid(name)
	for col := 1; col <= chartColumns; col++ {
		g.widths[col] = chartColumn
	}
	g.isPlain = true
	if err := g.head(b.words.Sheets["charts"], chartColumns); err != nil {
		return err
	}
	g.plainRows(3, 66)
	for _, at := range []int{4, 24, 48} {
		g.height(at, 22)
	}
	if err := g.write(); err != nil { // a chart takes its size from the columns below it
		return err
	}
	type place struct {
		title              string
		from, to, at, rows int
		layers             []*excelize.Chart
	}
	half := chartColumns / 2
	var places []place
	if len(b.communities()) > 1 {
		places = append(places, place{b.words.Charts["total"], 1, half, 4, 18, b.rankingBars()})
	}
	if mover := b.mover(); b.figures.move.end > 0 {
		from := 1
		if len(places) > 0 {
			from = half + 1
		}
		places = append(places, place{b.moveTitle(mover), from, chartColumns, 4, 18, b.waterfall()})
	}
	if b.figures.trend.end > 0 {
		places = append(places, place{b.words.Charts["trend"], 1, chartColumns, 24, 22, b.trendLines()})
	}
	if t := b.places["ticket_line"]; t.end > t.head {
		places = append(places, place{b.words.Charts["ticket_due"], 1, half, 48, 17, []*excelize.Chart{b.tableBars(t, "due", "on_time")}})
	}
	if t := b.places["repair_kind"]; t.end > t.head {
		places = append(places, place{b.words.Charts["repair"], half + 1, chartColumns, 48, 17, []*excelize.Chart{b.tableBars(t, "due", "finished")}})
	}
	for _, p := range places {
		err := errors.Join(g.drawAt(p.from, p.to, p.at+1, p.rows, p.title, p.layers),
			b.file.SetCellStr(name, cellName(p.from, p.at), p.title))
		if err != nil {
			return err
		}
		id, err := b.style(sectionStyle)
		if err != nil {
			return err
		}
		if err := b.file.SetCellStyle(name, cellName(p.from, p.at), cellName(p.from, p.at), id); err != nil {
			return err
		}
	}
	return g.paper(false, 1)
}

// drawAt puts a chart over whole columns and rows; what it shows stands beside
// it for those who do not see it.
func (g *grid) drawAt(from, to, at, rows int, alt string, layers []*excelize.Chart) error {
	width := 0
	for col := from; col <= to; col++ {
		width += int(g.widths[col]*8 + 0.5)
	}
	height := 0
	for row := at; row < at+rows; row++ {
		height += pixels(g.heightOf(row))
	}
	first := layers[0]
	first.Dimension = excelize.ChartDimension{Width: uint(width), Height: uint(height)}
	first.Format = excelize.GraphicOptions{AltText: alt, OffsetX: 1, OffsetY: 1}
	first.Fill = excelize.Fill{Type: "pattern"} // none: a chart never covers a word
	first.Border = excelize.LineOptions{Type: excelize.LineNone}
	return g.file.AddChart(g.name, cellName(from, at), first, layers[1:]...)
}

// pixels is a row's height as excelize counts it where it hangs charts.
func pixels(points float64) int { return int(math.Ceil(4 / 3.4 * points)) }

var (
	chartFont = excelize.Font{Family: bookSans, Size: noteSize, Color: inkColor}
	noteFont  = excelize.Font{Family: bookSans, Size: noteSize, Color: mutedColor}
	isNo      = false
	noLegend  = excelize.ChartLegend{Position: "none"}
)

func number0(value float64) *float64 { return &value }
func gap(percent uint) *uint         { return &percent }
func overlap(percent int) *int       { return &percent }

// rankingBars are the totals from nought, the first on top.
func (b *book) rankingBars() []*excelize.Chart {
	p := b.figures.weighted
	total := p.last + 1
	var missing []excelize.ChartDataPoint
	for i, unit := range b.communities() {
		if unit.get("is_provisional") == "true" {
			missing = append(missing, excelize.ChartDataPoint{Index: i, Fill: paint(paleColor)})
		}
	}
	return []*excelize.Chart{{
		Type: excelize.Bar,
		Series: []excelize.ChartSeries{{
			Name: b.linked(total, p.head, total, p.head), Categories: b.linked(1, p.from, 1, p.end), Values: b.linked(total, p.from, total, p.end),
			Fill: paint(blueColor), DataPoint: missing, DataLabel: excelize.ChartDataLabel{Font: chartFont},
		}},
		Legend: noLegend, VaryColors: &isNo, GapWidth: gap(45),
		PlotArea: excelize.ChartPlotArea{ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0.00"}},
		XAxis:    excelize.ChartAxis{ReverseOrder: true, Font: chartFont},
		YAxis:    excelize.ChartAxis{None: true, Minimum: number0(0), Maximum: number0(110)},
	}}
}

// weightedBars stack what each line gives to the total.
func (b *book) weightedBars() []*excelize.Chart {
	p := b.figures.weighted
	var series []excelize.ChartSeries
	for i := range lines {
		color := stackColors[i]
		font := chartFont
		if isDark(color) {
			font.Color = "#ffffff"
		}
		series = append(series, excelize.ChartSeries{
			Name: b.linked(i+2, p.head, i+2, p.head), Categories: b.linked(1, p.from, 1, p.end), Values: b.linked(i+2, p.from, i+2, p.end),
			Fill: paint(color), DataLabel: excelize.ChartDataLabel{Font: font},
		})
	}
	return []*excelize.Chart{{
		Type: excelize.BarStacked, Series: series, GapWidth: gap(40), Overlap: overlap(100),
		Legend:   excelize.ChartLegend{Position: "top", Font: &chartFont},
		PlotArea: excelize.ChartPlotArea{ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0.0"}},
		XAxis:    excelize.ChartAxis{ReverseOrder: true, Font: chartFont},
		YAxis:    excelize.ChartAxis{None: true, Minimum: number0(0), Maximum: number0(100)},
	}}
}

// tableBars draws one or two columns of a section's table from nought, in the
// order of its rows.
func (b *book) tableBars(t table, keys ...string) *excelize.Chart {
	colors := []string{blueColor}
	if len(keys) == 2 {
		colors = []string{paleColor, blueColor}
	}
	format := "0.00"
	var series []excelize.ChartSeries
	for i, key := range keys {
		if t.section.Columns[t.at(key)-1].Kind == integer {
			format = "0"
		}
		series = append(series, excelize.ChartSeries{
			Name: fixed(t.sheet, t.at(key), t.head, t.at(key), t.head), Categories: fixed(t.sheet, t.at("name"), t.from, t.at("name"), t.end),
			Values: fixed(t.sheet, t.at(key), t.from, t.at(key), t.end), Fill: paint(colors[i]), DataLabel: excelize.ChartDataLabel{Font: chartFont},
		})
	}
	legend := noLegend
	if len(keys) > 1 {
		legend = excelize.ChartLegend{Position: "top", Font: &chartFont}
	}
	return &excelize.Chart{
		Type: excelize.Bar, Series: series, Legend: legend, VaryColors: &isNo, GapWidth: gap(45), Overlap: overlap(0),
		PlotArea: excelize.ChartPlotArea{ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: format}},
		XAxis:    excelize.ChartAxis{ReverseOrder: true, Font: chartFont}, YAxis: excelize.ChartAxis{None: true, Minimum: number0(0)},
	}
}

// trendLines are the totals of the months, each line named at its end.
func (b *book) trendLines() []*excelize.Chart {
	p := b.figures.trend
	lowest := b.trendFloor()
	axis := excelize.ChartAxis{Minimum: &lowest, Maximum: number0(100), MajorUnit: 5, MajorGridLines: true, Font: noteFont, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0"}}
	drawn := &excelize.Chart{Type: excelize.Line, Legend: excelize.ChartLegend{Position: "right", Font: &chartFont}, ShowBlanksAs: "gap", XAxis: excelize.ChartAxis{Font: noteFont}, YAxis: axis}
	for i := range b.communities() {
		at := p.from + i
		color := seriesColors[i%len(seriesColors)]
		drawn.Series = append(drawn.Series, excelize.ChartSeries{
			Name: b.linked(1, at, 1, at), Categories: b.linked(2, p.head, p.last, p.head), Values: b.linked(2, at, p.last, at),
			Fill: paint(color), Line: excelize.LineOptions{Width: 1.75, Dash: dashes[i/len(seriesColors)%len(dashes)]},
			Marker: excelize.ChartMarker{Symbol: markers[i%len(markers)], Size: 5, Fill: paint(color)},
		})
	}
	return []*excelize.Chart{drawn}
}

// trendFloor is where the scale of the months begins: five points and below
// the lowest total.
func (b *book) trendFloor() float64 {
	lowest := 95.0
	for _, one := range b.tables["trend"] {
		if value, err := strconv.ParseFloat(one.get("total"), 64); err == nil {
			lowest = min(lowest, math.Floor(value/5)*5)
		}
	}
	return lowest
}

// smallTrend is the line of one community's months, small enough for a cell;
// all on one scale.
func (b *book) smallTrend(n int) *excelize.Chart {
	p, lowest := b.figures.trend, b.trendFloor()-1
	return &excelize.Chart{
		Type: excelize.Line, Legend: noLegend, ShowBlanksAs: "gap",
		XAxis: excelize.ChartAxis{None: true}, YAxis: excelize.ChartAxis{None: true, Minimum: &lowest, Maximum: number0(101)},
		Series: []excelize.ChartSeries{{
			Name: b.linked(1, p.from+n, 1, p.from+n), Categories: b.linked(2, p.head, p.last, p.head), Values: b.linked(2, p.from+n, p.last, p.from+n),
			Fill: paint(blueColor), Line: excelize.LineOptions{Width: 1.25}, Marker: excelize.ChartMarker{Symbol: "none"},
		}},
	}
}

var (
	dashes  = []excelize.LineDashType{excelize.LineDashSolid, excelize.LineDashDash, excelize.LineDashDot}
	markers = []string{"circle", "square", "triangle", "diamond"}
)

// waterfall leads from last month's total to this month's; the bars stand on
// unseen ones.
func (b *book) waterfall() []*excelize.Chart {
	p := b.figures.move
	var series []excelize.ChartSeries
	for i, fill := range []excelize.Fill{{Type: "pattern"}, paint(accentColor), paint(goodColor), paint(inkColor)} {
		series = append(series, excelize.ChartSeries{
			Name: b.linked(i+3, p.head, i+3, p.head), Categories: b.linked(1, p.from, 1, p.end), Values: b.linked(i+3, p.from, i+3, p.end), Fill: fill,
		})
	}
	room := (b.figures.high - b.figures.low) / 20
	return []*excelize.Chart{{
		Type: excelize.BarStacked, Series: series, GapWidth: gap(35), Overlap: overlap(100), Legend: noLegend,
		XAxis: excelize.ChartAxis{ReverseOrder: true, Font: chartFont},
		YAxis: excelize.ChartAxis{None: true, Minimum: number0(b.figures.low - room), Maximum: number0(b.figures.high + room)},
	}}
}

// isDark says whether white text reads better on a colour.
func isDark(color string) bool {
	var r, g, b int
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return false
	}
	return 299*r+587*g+114*b < 140_000
}
