package reports

import (
	"errors"
	"fmt"
	"math/big"
)

// check is the sum behind the scores of a line: the exact points of
// bulletin.long, a row a community, and the score as a formula on them.
type check struct {
	line       string
	indicators []string
	points     map[string]map[string]string // by community's name, then indicator
	full       map[string]*big.Rat
	rows       []row // of bulletin.line_unit
}

// lineCheck collects a line's sums; nil where the edition has no points.
func (b *book) lineCheck(s sheet) *check {
	c := check{points: map[string]map[string]string{}, full: map[string]*big.Rat{}}
	for _, section := range s.Sections {
		switch section.ID {
		case "line_points":
			c.line = section.Filter
		case "line_unit":
			c.rows = b.rows(section)
		}
	}
	if c.line == "" || len(c.rows) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, one := range b.tables["long"] {
		if one.get("level") != "2" || one.get("line") != c.line || one.get("full_points") == "" {
			continue
		}
		if indicator := one.get("indicator"); !seen[indicator] {
			seen[indicator] = true
			c.indicators = append(c.indicators, indicator)
		}
		name := one.get("name")
		if c.points[name] == nil {
			c.points[name], c.full[name] = map[string]string{}, new(big.Rat)
		}
		if value := one.get("points"); value != "" { // measured
			c.points[name][one.get("indicator")] = value
			c.full[name].Add(c.full[name], rat(one.get("full_points")))
		}
	}
	if len(c.indicators) == 0 {
		return nil
	}
	return &c
}

// heads are those of the sums' columns.
func (c *check) heads(words *locale) []string {
	heads := append([]string{words.Columns["place"], words.Columns["name"]}, c.indicators...)
	for _, key := range []string{"full_points", "deduction", "bonus", "cap", "score"} {
		heads = append(heads, words.Columns[key])
	}
	return heads
}

// exactWidth holds two digits and six places.
const exactWidth = 11.0

// writeCheck writes the sums of a line from a row on.
func (g *grid) writeCheck(c *check, at int) (table, error) {
	t := table{sheet: g.name, title: at, head: at + 1, from: at + 2, end: at + 1 + len(c.rows), columns: len(c.indicators) + 7}
	g.height(at, 22)
	g.height(t.head, rowHeight+2)
	errs := []error{g.put(1, at, g.words.Sections["line_check"], sectionStyle), g.put(4, at, g.words.Text["line_check_note"], metaStyle)}
	for i, head := range c.heads(g.words) {
		look := headStyle
		look.Align = "right"
		if i == 1 {
			look.Align, look.Indent = "left", 1
		}
		errs = append(errs, g.put(i+1, t.head, head, look))
	}
	for n, unit := range c.rows {
		errs = append(errs, g.writeCheckRow(t, t.from+n, c, unit))
	}
	return t, errors.Join(errs...)
}

func (g *grid) writeCheckRow(t table, at int, c *check, unit row) error {
	exact := g.cellStyleOf(score).with("0.00####")
	name := g.cellStyleOf(words)
	name.Indent = 1
	place, look, err := g.value(column{Key: "place", Kind: rank}, unit)
	errs := []error{err, g.put(1, at, place, look), g.put(2, at, unit.get("name"), name)}
	g.height(at, rowHeight)
	sum := new(big.Rat)
	points := c.points[unit.get("name")]
	for i, indicator := range c.indicators {
		value, isMeasured := points[indicator]
		sum.Add(sum, rat(value))
		if isMeasured {
			errs = append(errs, g.put(i+3, at, float(rat(value)), exact))
		} else {
			errs = append(errs, g.put(i+3, at, "—", exact.muted().with("@")))
		}
	}
	last := len(c.indicators) + 2
	full := c.full[unit.get("name")]
	if full == nil {
		full = new(big.Rat)
	}
	errs = append(errs, g.put(last+1, at, float(full), exact))
	for i, key := range []string{"deduction", "bonus", "cap"} {
		value, look, err := g.value(column{Key: key, Kind: score}, newRow(map[string]string{key: unit.get(key)}))
		errs = append(errs, err, g.put(last+2+i, at, value, look))
	}
	value, look, err := g.value(column{Key: "score", Kind: score, Heat: true}, unit)
	if unit.get("score") == "" {
		value = g.words.code(unit.get("state"))
	}
	look.Bold = true
	return errors.Join(append(errs, err, g.putFormula(last+5, at, checkFormula(at, last, sum, full, unit), value, look))...)
}

// checkFormula is the score on the cells of a row: points on a base of 100,
// less deductions, not below 0, plus bonus, at most 105 and the cap. Where
// something beyond these cells decided, the number stands alone.
func checkFormula(at, last int, sum, full *big.Rat, unit row) string {
	published, isNumber := new(big.Rat).SetString(unit.get("score"))
	if !isNumber || full.Sign() == 0 {
		return ""
	}
	exact := roundHalfUp(new(big.Rat).Quo(new(big.Rat).Mul(sum, big.NewRat(100, 1)), full), 6)
	if exact.Sub(exact, rat(unit.get("deduction"))); exact.Sign() < 0 {
		exact.SetInt64(0)
	}
	exact.Add(exact, rat(unit.get("bonus")))
	for _, most := range []string{"105", unit.get("cap")} {
		if most != "" && exact.Cmp(rat(most)) > 0 {
			exact = rat(most)
		}
	}
	if roundHalfUp(exact, 2).Cmp(published) != 0 {
		return ""
	}
	return fmt.Sprintf("ROUND(ROUND(100*MIN(MAX(ROUND(SUM(%s)*100/%s,6)-%s,0)+%s,105,%s),4),0)/100",
		area(3, at, last, at), cellName(last+1, at), cellName(last+2, at), cellName(last+3, at), cellName(last+4, at))
}
