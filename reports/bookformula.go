package reports

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// weightRow is the weights of a section that has a total and its lines, else
// nil.
func (g *grid) weightRow(s section) map[string]int64 {
	weights := map[string]int64{}
	hasTotal := false
	for _, c := range s.Columns {
		hasTotal = hasTotal || c.Key == "total"
		if weight, err := strconv.ParseInt(g.weight(c.Key), 10, 64); err == nil && slices.Contains(lines, c.Key) {
			weights[c.Key] = weight
		}
	}
	if !hasTotal || len(weights) < 2 {
		return nil
	}
	return weights
}

// writeWeights writes the weights above the heads, where the totals' formulas
// read them.
func (g *grid) writeWeights(s section, weights map[string]int64, at int) error {
	if err := g.put(2, at, g.words.Text["weight"], weightStyle); err != nil {
		return err
	}
	first, last := lineColumns(s)
	for i, c := range s.Columns {
		if weight, isLine := weights[c.Key]; isLine {
			if err := g.put(i+1, at, weight, weightStyle); err != nil {
				return err
			}
		}
	}
	return g.file.SetDefinedName(&excelize.DefinedName{Name: "weights_" + s.ID, RefersTo: fixed(g.name, first, at, last, at)})
}

// lineColumns are the first and last column of the lines, which stand side by
// side.
func lineColumns(s section) (first, last int) {
	for i, c := range s.Columns {
		if slices.Contains(lines, c.Key) {
			if first == 0 {
				first = i + 1
			}
			last = i + 1
		}
	}
	return first, last
}

// totalFormula is Σ weight × line score ÷ Σ weight of the scored lines, in
// whole cents so that the last rounding is exact in every spreadsheet: the
// inner one wipes what binary numbers add. Where a rule beyond the sum decided
// (a cap, another rounding), the number stands alone.
func (g *grid) totalFormula(t table, at int, one row, weights map[string]int64) string {
	sum, scored := new(big.Rat), int64(0)
	for line, weight := range weights {
		if value, isNumber := new(big.Rat).SetString(one.get(line)); isNumber {
			sum.Add(sum, value.Mul(value, big.NewRat(weight, 1)))
			scored += weight
		}
	}
	published, isNumber := new(big.Rat).SetString(one.get("total"))
	if scored == 0 || !isNumber || roundHalfUp(sum.Quo(sum, big.NewRat(scored, 1)), 2).Cmp(published) != 0 {
		return ""
	}
	first, last := lineColumns(t.section)
	cells := area(first, at, last, at)
	name := "weights_" + t.section.ID
	return fmt.Sprintf("ROUND(ROUND(SUMPRODUCT(%s,%s)*100,0)/SUMPRODUCT(%s,--ISNUMBER(%s)),0)/100", name, cells, name, cells)
}

// roundHalfUp rounds a number that is not negative.
func roundHalfUp(value *big.Rat, places int64) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil)
	scaled := new(big.Rat).Mul(value, new(big.Rat).SetInt(scale))
	scaled.Add(scaled, big.NewRat(1, 2))
	whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	return new(big.Rat).SetFrac(whole, scale)
}

func rat(value string) *big.Rat {
	number, isNumber := new(big.Rat).SetString(value)
	if !isNumber {
		return new(big.Rat)
	}
	return number
}
