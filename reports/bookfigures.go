package reports

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// figures says where the sheet behind the charts has its tables: the row of
// the heads, the rows below it, and the last column.
type figures struct {
	trend, weighted, move place
	low, high             float64 // the scale of the move
}

type place struct{ head, from, end, last int }

// writeFigures writes the numbers that the charts draw, for whoever wants to
// draw them otherwise.
func (b *book) writeFigures(name string) error {
	g := b.grid(name)
	g.widths[1] = 30
	for col := 2; col <= 13; col++ {
		g.widths[col] = 9.5
	}
	at := 4
	for _, write := range []func(int) (place, error){g.writeTrend, g.writeWeighted, g.writeMove} {
		p, err := write(at)
		if err != nil {
			return err
		}
		if p.end > 0 {
			at = p.end + 3
		}
	}
	return errors.Join(g.head(g.words.Sheets["figures"], 13), g.paper(true, 1), g.write())
}

// block writes title and heads of a table of figures.
func (g *grid) block(at int, title string, heads []string) (place, error) {
	g.height(at, 22)
	errs := []error{g.put(1, at, title, sectionStyle)}
	for i, head := range heads {
		look := headStyle
		if i > 0 {
			look.Align = "right"
		}
		errs = append(errs, g.put(i+1, at+1, head, look))
	}
	g.height(at+1, 20)
	return place{head: at + 1, from: at + 2, last: len(heads)}, errors.Join(errs...)
}

// writeTrend writes the totals of the last months, a row a community in the
// order of the ranking.
func (g *grid) writeTrend(at int) (place, error) {
	months, totals := g.trend()
	if len(months) == 0 {
		return place{}, nil
	}
	p, err := g.block(at, g.words.Sections["trend"], append([]string{g.words.Columns["name"]}, months...))
	if err != nil {
		return p, err
	}
	p.end = p.head
	for _, unit := range g.communities() {
		p.end++
		g.height(p.end, rowHeight)
		if err := g.put(1, p.end, unit.get("name"), g.cellStyleOf(words)); err != nil {
			return p, err
		}
		for i, month := range months {
			value, look, err := g.value(column{Key: "total", Kind: score}, totals[unit.get("name")+month])
			if err != nil {
				return p, err
			}
			if err := g.put(i+2, p.end, value, look); err != nil {
				return p, err
			}
		}
	}
	g.figures.trend = p
	return p, g.heat(g.name, area(2, p.from, p.last, p.end))
}

// trend is the months in order and the totals by name and month.
func (b *book) trend() ([]string, map[string]row) {
	var months []string
	totals := map[string]row{}
	for _, one := range b.tables["trend"] {
		month := one.get("of_month")[:7]
		if !slices.Contains(months, month) {
			months = append(months, month)
		}
		totals[one.get("name")+month] = one
	}
	slices.Sort(months)
	return months, totals
}

// writeWeighted writes what each line gives to a total: weight × score ÷ the
// weight of the scored lines.
func (g *grid) writeWeighted(at int) (place, error) {
	heads := []string{g.words.Columns["name"]}
	for _, line := range lines {
		heads = append(heads, g.words.Columns[line])
	}
	p, err := g.block(at, g.words.Charts["weighted"], append(heads, g.words.Columns["total"]))
	if err != nil {
		return p, err
	}
	p.end = p.head
	for _, unit := range g.communities() {
		p.end++
		g.height(p.end, rowHeight)
		if err := g.put(1, p.end, unit.get("name"), g.cellStyleOf(words)); err != nil {
			return p, err
		}
		if err := g.writeParts(p, unit); err != nil {
			return p, err
		}
	}
	p.last-- // the total is not drawn
	g.figures.weighted = p
	return p, nil
}

func (g *grid) writeParts(p place, unit row) error {
	scored := int64(0)
	weights := map[string]int64{}
	for _, line := range lines {
		weight, err := strconv.ParseInt(g.weight(line), 10, 64)
		if unit.get(line) != "" && err == nil {
			weights[line] = weight
			scored += weight
		}
	}
	sum := new(big.Rat)
	for i, line := range lines {
		look := g.cellStyleOf(score)
		part, isNumber := new(big.Rat).SetString(unit.get(line))
		if !isNumber || weights[line] == 0 {
			if err := g.put(i+2, p.end, show("", score, g.words, unit), look.muted().with("@")); err != nil {
				return err
			}
			continue
		}
		part = roundHalfUp(part.Mul(part, big.NewRat(weights[line], scored)), 4)
		sum.Add(sum, part)
		if err := g.put(i+2, p.end, float(part), look); err != nil {
			return err
		}
	}
	value, look, err := g.value(column{Key: "total", Kind: score}, unit)
	if err != nil {
		return err
	}
	formula := ""
	if published, isNumber := new(big.Rat).SetString(unit.get("total")); isNumber && roundHalfUp(sum, 2).Cmp(published) == 0 {
		// The inner rounding wipes what binary numbers add to the sum.
		formula = "ROUND(ROUND(SUM(" + area(2, p.end, p.last-1, p.end) + ")*100,2),0)/100"
	}
	return g.putFormula(p.last, p.end, formula, value, look)
}

// float is the nearest number that a workbook can hold.
func float(value *big.Rat) float64 {
	f, _ := value.Float64()
	return f
}

// writeMove writes the steps from last month's total to this month's of the
// community that moved most, with the helpers that its chart is drawn from.
func (g *grid) writeMove(at int) (place, error) {
	steps := g.steps(g.mover())
	if len(steps) == 0 {
		return place{}, nil
	}
	p, err := g.block(at, g.words.Charts["move"], []string{g.words.Columns["reason"], g.words.Columns["total_change"],
		g.words.Text["bar_from"], g.words.Text["bar_down"], g.words.Text["bar_up"], g.words.Text["bar_total"]})
	if err != nil {
		return p, err
	}
	g.figures.low, g.figures.high = math.Inf(1), math.Inf(-1)
	for _, s := range steps {
		g.figures.low, g.figures.high = min(g.figures.low, float(s.from), float(s.to)), max(g.figures.high, float(s.from), float(s.to))
	}
	p.end = p.head
	for _, s := range steps {
		p.end++
		g.height(p.end, rowHeight)
		if err := g.writeStep(p.end, s); err != nil {
			return p, err
		}
	}
	g.figures.move = p
	return p, g.colourChanges(g.name, area(2, p.from+1, 2, p.end-1))
}

func (g *grid) writeStep(at int, s step) error {
	helper := g.cellStyleOf(score).muted()
	start, down, up, mark := float(s.from), 0.0, 0.0, 0.0
	amount, look := any(float(s.amount)), g.cellStyleOf(signed)
	switch {
	case s.isTotal:
		look = g.cellStyleOf(score)
		mark = math.Round((g.figures.high-g.figures.low)*100) / 10_000
		start = math.Round((float(s.to)-mark/2)*10_000) / 10_000
	case s.amount.Sign() < 0:
		start, down = float(s.to), -float(s.amount)
	default:
		up = float(s.amount)
	}
	return errors.Join(g.put(1, at, clip(s.label, 40)+"  "+s.value, g.cellStyleOf(words)), g.put(2, at, amount, look), g.put(3, at, start, helper),
		g.put(4, at, down, helper), g.put(5, at, up, helper), g.put(6, at, mark, helper))
}

// linked is a cell of the figures as a chart names it.
func (b *book) linked(fromCol, fromRow, toCol, toRow int) string {
	return fixed(b.sheetName("figures"), fromCol, fromRow, toCol, toRow)
}

// paint is a solid colour.
func paint(color string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
}
