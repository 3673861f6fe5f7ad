package reports

import (
	"errors"
	"fmt"

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

	firstRowHeight   = 21
	firstReasonWidth = 31.0 // where the page has so much room
	maxOnFirst       = 10   // communities that leave room for the rest of the page
)

// writeFirst writes the first page: what happened, who leads and lags, why,
// what to decide, and where the rest stands.
func (b *book) writeFirst(name string) error {
	g := b.grid(name)
	g.isPlain = true
	for col, width := range map[int]float64{firstPlace: 7, firstName: 12, firstTotal: 12, firstMoves: 8, firstChange: 8, firstTrend: 15} {
		g.widths[col] = width
	}
	g.widths[firstTotal] = max(12, displayWidth(b.words.Text["provisional"])+8)
	for i := range lines {
		g.widths[firstLine+i] = max(7.4, headWidth(b.words.Columns[lines[i]], false)*0.95)
	}
	left := legibleWidth
	for _, width := range g.widths {
		left -= width
	}
	g.widths[firstReason] = min(firstReasonWidth, left)
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
