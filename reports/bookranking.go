package reports

import (
	"errors"
	"slices"

	"github.com/xuri/excelize/v2"
)

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
	head, headHeight := at+1, 30.0
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
		headHeight = max(headHeight, 12*float64(linesOf(title, g.widths[i+1]))+4)
		errs = append(errs, g.put(i+1, head, title, look))
	}
	g.height(head, headHeight)
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
