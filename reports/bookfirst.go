package reports

import (
	"errors"
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"
)

// Columns of the first page: A4 landscape, so that each community is one row
// with all that is asked of it, on paper and on the wall.
const (
	firstPlace = iota + 1
	firstName
	firstTotal
	firstMoves
	firstChange
	firstTrend
	firstLine // the first of nine
)

const (
	firstReason = firstLine + 9
	firstWide   = firstReason

	firstRowHeight = 21
	maxOnFirst     = 10 // communities that leave room for the rest of the page
)

// writeFirst writes the first page: what happened, who leads and lags, why,
// what to decide, and where the rest stands.
func (b *book) writeFirst(name string) error {
	g := b.grid(name)
	g.isPlain = true
	for col, width := range map[int]float64{firstPlace: 7, firstName: 12, firstTotal: 12, firstMoves: 8, firstChange: 8, firstTrend: 15, firstReason: 31} {
		g.widths[col] = width
	}
	g.widths[firstTotal] = max(12, displayWidth(b.words.Text["provisional"])+8)
	for i := range lines {
		g.widths[firstLine+i] = max(7.4, headWidth(b.words.Columns[lines[i]])*0.95)
	}
	at, err := g.firstHead()
	if err != nil {
		return err
	}
	if at, err = g.firstRanking(at); err != nil {
		return err
	}
	chartAt, mover := at, b.mover()
	if b.figures.move.end == 0 {
		mover = row{}
	}
	if !mover.isNone() {
		if err := g.put(1, at, b.moveTitle(mover), sectionStyle); err != nil {
			return err
		}
	}
	if b.hasColumn("coordination", "subject") || !mover.isNone() {
		if at, err = g.firstDecisions(at, !mover.isNone()); err != nil {
			return err
		}
	}
	if at, err = g.firstFoot(at); err != nil {
		return err
	}
	if err := g.write(); err != nil {
		return err
	}
	// After the rows: a chart takes its size from them.
	if err := g.firstTrends(); err != nil {
		return err
	}
	if !mover.isNone() {
		if err := g.drawAt(1, firstLine+1, chartAt+1, firstDecisionRows, b.moveTitle(mover), b.waterfall()); err != nil {
			return err
		}
	}
	// Of many communities, what moved and what to decide are a second page.
	pages := 1
	if len(b.communities()) > maxOnFirst && chartAt < at {
		pages = 0
		if err := b.file.InsertPageBreak(name, cellName(1, chartAt)); err != nil {
			return err
		}
	}
	return errors.Join(g.paper(true, pages), b.file.SetSheetView(name, 0, &excelize.ViewOptions{ZoomScale: zoom(90), ShowGridLines: &isNo}))
}

func zoom(percent float64) *float64 { return &percent }

// firstHead writes title and sentences and returns the next free row.
func (g *grid) firstHead() (int, error) {
	right := metaStyle
	right.Align = "right"
	edition := g.words.Editions[string(g.Options.Edition)]
	if own := g.own(); !own.isNone() {
		edition += " · " + own.get("name")
	}
	errs := []error{
		g.span(firstPlace, firstLine, 1, g.text("office")+" · "+g.text("issue")+" · "+edition, metaStyle),
		g.span(firstLine+1, firstWide, 1, g.state()+" · "+g.text("rubric"), right),
		g.span(firstPlace, firstWide, 2, g.text("title"), titleStyle),
	}
	g.height(1, 16)
	g.height(2, 34)
	g.height(3, 6)
	at := 4
	for _, sentence := range g.summary() {
		errs = append(errs, g.put(firstPlace, at, "■", bulletStyle), g.span(firstName, firstWide, at, richText(sentence), textStyle))
		g.height(at, 15*float64(linesOf(plain(sentence), 150))+3)
		at++
	}
	g.height(at, 8)
	return at + 1, errors.Join(errs...)
}

// richText sets figures in bold.
func richText(parts []part) []excelize.RichTextRun {
	var runs []excelize.RichTextRun
	for _, p := range parts {
		runs = append(runs, excelize.RichTextRun{Text: p.Text, Font: &excelize.Font{Family: bookSans, Size: bodySize, Bold: p.Figure, Color: inkColor}})
	}
	return runs
}

// firstRanking writes the communities, a row each.
func (g *grid) firstRanking(at int) (int, error) {
	errs := []error{g.put(1, at, g.words.Text["ranking"], sectionStyle), g.put(firstMoves, at, g.words.Text["ranking_book_note"], metaStyle)}
	g.height(at, 20)
	columns := []column{{Key: "place", Kind: rank}, {Key: "name"}, {Key: "total", Kind: score}, {Key: "place_change", Kind: moves}, {Key: "total_change", Kind: signed}, {}}
	for _, line := range lines {
		columns = append(columns, column{Key: line, Kind: score, Heat: true})
	}
	reasons, _ := g.rankRows()
	if g.hasColumn("community", "reason") {
		columns = append(columns, column{Key: "reason"})
	}
	head := at + 1
	for i, c := range columns {
		title, look := g.words.Columns[c.Key], headStyle
		switch {
		case c.Heat:
			title += "\n" + g.weight(c.Key)
			look.Align = "center"
		case i+1 == firstTrend:
			title, look.Align = g.words.Text["twelve_months"], "center"
		case isNumber(c.Kind):
			look.Align = "right"
		}
		if c.Key == "reason" || c.Key == "name" {
			look.Indent = 1
		}
		errs = append(errs, g.put(i+1, head, title, look))
	}
	g.height(head, 30)
	g.ranked = head + 1
	rows := g.communities()
	for n, one := range rows {
		g.height(head+1+n, firstRowHeight)
		for i, c := range columns {
			value, look, err := g.value(c, one)
			switch {
			case i+1 == firstTrend:
				value, look, err = nil, bodyStyle, nil
			case c.Key == "reason":
				for _, r := range reasons {
					if r.Name == one.get("name") {
						value = r.Reason
					}
				}
			}
			switch {
			case (c.Kind == moves || c.Kind == signed || c.Heat) && one.get(c.Key) == "":
				look.Shrink, look.Wrap = true, false
			}
			switch {
			case c.Heat:
				look.Align, look.Rule, look.RuleStyle = "center", "#ffffff", 2
				if one.get(c.Key) != "" {
					look.Format = "0.0"
				}
			case c.Key == "place" || c.Key == "total":
				look.Bold = true
			case c.Key == "reason":
				look.Indent, look.Size = 1, noteSize+0.5
			case c.Key == "name":
				look.Indent = 1
			}
			errs = append(errs, err, g.put(i+1, head+1+n, value, look))
		}
	}
	end := head + len(rows)
	errs = append(errs, g.firstRange(&end, len(rows)), g.firstMarks(head+1, end))
	g.height(end+1, 8)
	return end + 2, errors.Join(errs...)
}

// firstRange writes, below the one row of a unit's edition, between what the
// others of its kind lie.
func (g *grid) firstRange(end *int, rows int) error {
	own := g.own()
	if own.isNone() || rows == 0 {
		return nil
	}
	var errs []error
	for _, key := range []string{"greatest", "middle", "least"} {
		*end++
		g.height(*end, firstRowHeight)
		name := g.cellStyleOf(words).muted()
		name.Indent = 1
		errs = append(errs, g.put(firstName, *end, g.words.Columns[key], name))
		for _, one := range g.tables["unit_range"] {
			at := slices.Index(lines, one.get("line"))
			if one.get("level") != "2" || one.get("grid_id") != own.get("grid_id") || one.get("indicator") != "" || at < 0 && one.get("line") != "" {
				continue
			}
			value, look, err := g.value(column{Key: key, Kind: score}, newRow(map[string]string{key: one.get(key)}))
			col := firstTotal
			if look = look.muted(); at >= 0 {
				col = firstLine + at
				look.Align, look.Rule, look.RuleStyle, look.Format = "center", "#ffffff", 2, "0.0"
			}
			errs = append(errs, err, g.put(col, *end, value, look))
		}
	}
	return errors.Join(errs...)
}

// firstMarks adds bars, shades and colours.
func (g *grid) firstMarks(from, end int) error {
	errs := []error{
		g.bars(g.name, area(firstTotal, from, firstTotal, end), "100"),
		g.heatSteps(g.name, area(firstLine, from, firstLine+8, end)),
		g.colourChanges(g.name, area(firstMoves, from, firstChange, end)),
	}
	return errors.Join(errs...)
}

// firstTrends draws twelve months in a cell of each community. They are charts
// and not sparklines, which not every office prints.
func (g *grid) firstTrends() error {
	p := g.figures.trend
	if p.end == 0 {
		return nil
	}
	for n := range p.end - p.from + 1 {
		drawn := g.smallTrend(n)
		drawn.Dimension = excelize.ChartDimension{Width: uint(g.widths[firstTrend]*8) - 12, Height: uint(pixels(firstRowHeight)) - 4}
		drawn.Format = excelize.GraphicOptions{AltText: g.words.Charts["trend"], OffsetX: 8, OffsetY: 2}
		drawn.Fill = excelize.Fill{Type: "pattern"}
		drawn.Border = excelize.LineOptions{Type: excelize.LineNone}
		if err := g.file.AddChart(g.name, cellName(firstTrend, g.ranked+n), drawn); err != nil {
			return err
		}
	}
	return nil
}

// firstDecisionRows is the room for decisions and, beside them, the waterfall.
const firstDecisionRows = 9

// firstDecisions writes what the meeting has to decide; at the right when the
// waterfall stands at the left.
func (g *grid) firstDecisions(at int, isBeside bool) (int, error) {
	from := firstPlace
	if isBeside {
		from = firstLine + 3
	}
	g.height(at, 20)
	var errs []error
	decisions := g.decisions()
	if !g.hasColumn("coordination", "subject") {
		g.plainRows(at+1, at+firstDecisionRows)
		return at + firstDecisionRows + 2, nil
	}
	title := g.words.Text["decide"]
	if !g.own().isNone() {
		title = g.words.Text["decide_own"]
	}
	errs = append(errs, g.put(from, at, title, sectionStyle))
	if len(decisions) == 0 {
		decisions = [][]part{{{Text: g.words.Text["decide_none"]}}}
	}
	width := 0.0
	for col := from; col <= firstWide; col++ {
		width += g.widths[col]
	}
	for i := range firstDecisionRows {
		g.height(at+1+i, 20)
		if i < len(decisions) {
			g.height(at+1+i, max(20, 15*float64(linesOf(plain(decisions[i]), (width-g.widths[from])*1.2))+4))
			errs = append(errs, g.put(from, at+1+i, fmt.Sprintf("%d.", i+1), numberStyle), g.span(from+1, firstWide, at+1+i, richText(decisions[i]), textStyle))
		}
	}
	end := at + firstDecisionRows
	if !isBeside {
		end = at + len(decisions)
	}
	g.height(end+1, 8)
	return end + 2, errors.Join(errs...)
}

// firstFoot writes what the figures rest on and the links to the sheets.
func (g *grid) firstFoot(at int) (int, error) {
	foot := noteStyle
	errs := []error{g.span(firstPlace, firstWide, at, g.text("foot"), foot)}
	g.height(at, 13*float64(linesOf(g.text("foot"), 190))+4)
	at++
	names := []string{g.sheetName("charts")}
	for _, s := range g.Sheets {
		names = append(names, g.sheetName(s.ID))
	}
	names = append(names, g.sheetName("figures"))
	places := [][2]int{{1, 2}, {3, 3}, {4, 5}, {6, 6}, {7, 8}, {9, 10}, {11, 12}, {13, 14}, {15, 16}}
	for i, name := range names {
		place, row := places[i%len(places)], at+i/len(places)
		g.height(row, 15)
		errs = append(errs, g.link(place[0], row, name, name, linkStyle))
	}
	return at + len(names)/len(places) + 1, errors.Join(errs...)
}
