package reports

import (
	"errors"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// A4 and its margins, in points and inches.
const (
	a4Short, a4Long = 595.0, 842.0
	sideMargin      = 0.35
	topMargin       = 0.6
	footMargin      = 0.75
	pointsPerChar   = 6.0 // of a column's width, with the widest usual digit
)

// print sets panes and paper: all columns on a page's width, heads on every
// page, a table that does not fit below another one on its own page. Pages 0
// is as many as the rows need.
func (g *grid) print(tables []table, columns, pages int) error {
	isLandscape, page := g.page(columns)
	if err := g.paper(isLandscape, pages); err != nil {
		return err
	}
	if err := g.breaks(tables, page); err != nil {
		return err
	}
	last := tables[len(tables)-1]
	titles, frozen, frozenColumns := [2]int{1, 1}, 2, 0
	if last.end-last.head > 20 {
		titles = [2]int{last.head, last.head}
	}
	if len(tables) == 1 {
		frozen, frozenColumns = last.head, min(2, columns)
	}
	return errors.Join(
		g.file.SetPanes(g.name, &excelize.Panes{Freeze: true, XSplit: frozenColumns, YSplit: frozen, TopLeftCell: cellName(frozenColumns+1, frozen+1), ActivePane: pane(frozenColumns)}),
		g.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("%s!$%d:$%d", quoteSheet(g.name), titles[0], titles[1]), Scope: g.name}),
	)
}

// page says how the paper lies for so many columns, and how many points of
// rows it then takes.
func (g *grid) page(columns int) (isLandscape bool, points float64) {
	width := 0.0
	for col := 1; col <= columns; col++ {
		width += g.widths[col] * pointsPerChar
	}
	wide, tall := a4Short, a4Long
	if isLandscape = width > (a4Short-72*2*sideMargin)*1.25; isLandscape {
		wide, tall = a4Long, a4Short
	}
	scale := min(1, (wide-72*2*sideMargin)/width)
	return isLandscape, (tall - 72*(topMargin+footMargin)) / scale * 0.96
}

func pane(frozenColumns int) string {
	if frozenColumns > 0 {
		return "bottomRight"
	}
	return "bottomLeft"
}

// breaks begins a new page before a table that would be cut but fits on one.
func (g *grid) breaks(tables []table, page float64) error {
	used := 0.0
	for at := 1; at < tables[0].title; at++ {
		used += g.heightOf(at)
	}
	for i, t := range tables {
		need := 0.0
		for at := t.title; at <= t.end+1; at++ {
			need += g.heightOf(at)
		}
		// A long table may begin below another one if a fair piece of it fits.
		if i > 0 && used+min(need, page*0.4) > page || i > 0 && used+need > page && need <= page {
			if err := g.file.InsertPageBreak(g.name, cellName(1, t.title)); err != nil {
				return err
			}
			used = 0
		}
		for used += need; used > page; used -= page {
		}
	}
	return nil
}

func (g *grid) heightOf(at int) float64 {
	if at <= len(g.rows) && g.rows[at-1].height > 0 {
		return g.rows[at-1].height
	}
	return 15
}

// paper sets A4, the page's width, header and footer. Pages 0 is as many as
// the rows need.
func (b *book) setPaper(sheet string, isLandscape bool, pages int) error {
	orientation := "portrait"
	if isLandscape {
		orientation = "landscape"
	}
	fitWidth, size, isFit, isCentred := 1, 9, true, true
	left, top, foot, header := sideMargin, topMargin, footMargin, 0.3
	small := fmt.Sprintf("&8&K%s", strings.TrimPrefix(mutedColor, "#"))
	text := func(part string) string { return strings.ReplaceAll(clip(part, 60), "&", "&&") }
	return errors.Join(
		b.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &isFit}),
		b.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Orientation: &orientation, Size: &size, FitToWidth: &fitWidth, FitToHeight: &pages}),
		b.file.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &left, Right: &left, Top: &top, Bottom: &foot, Header: &header, Footer: &header, Horizontally: &isCentred}),
		b.file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{
			OddHeader: "&L" + small + text(b.text("title")) + "&R" + small + text(sheet),
			OddFooter: "&L" + small + text(b.text("office")+" · "+b.state()) + "&R" + small + b.words.Text["page"]}),
		b.hideLines(sheet),
	)
}

func (g *grid) paper(isLandscape bool, pages int) error {
	return g.setPaper(g.name, isLandscape, pages)
}

// hideLines hides the spreadsheet's own lines: ink is for data.
func (b *book) hideLines(sheet string) error {
	isShown := false
	return b.file.SetSheetView(sheet, 0, &excelize.ViewOptions{ShowGridLines: &isShown})
}

// clip shortens a text: a header holds 255 characters in all.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
