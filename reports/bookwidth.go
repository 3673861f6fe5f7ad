package reports

import (
	"strings"
	"unicode"
)

// Widths of columns in characters; a text wider than the most is wrapped.
const (
	leastWidth = 6.5
	mostWidth  = 44.0
	// A sheet wider than legibleWidth is printed in less than 8 points; before
	// that, texts are wrapped down to narrowWidth.
	legibleWidth = 165.0
	narrowWidth  = 7.0
	wordRoom     = 10.5 // a longer word may be broken
	wideAir      = 2.0  // beside the text of a column, where there is room
	narrowAir    = 0.8
	latinWidth   = 0.88  // of a letter of a Latin word, as a part of a digit's
	excelWidth   = 255.0 // the widest column that a workbook may have
	rowHeight    = 18.0  // points, a line of text with air
	lineHeight   = 14.5  // points, each further line
)

// measure sets the widths that the columns of all sections of a sheet need,
// and of the sums among them, nil for none. Texts are wrapped the narrower the
// more columns there are, so that the print stays legible.
func (g *grid) measure(s sheet, c *check) {
	for _, air := range []float64{wideAir, narrowAir} {
		needs, floors := g.needs(s, c, air)
		for _, col := range g.hidden(s) {
			delete(needs, col)
		}
		for most := mostWidth; most >= narrowWidth; most-- {
			sum := 0.0
			for col, need := range needs {
				g.widths[col] = max(min(need, most), floors[col])
				sum += g.widths[col]
			}
			if sum <= legibleWidth {
				return
			}
		}
	}
}

// hidden are the columns that a sheet of one long list keeps folded away, so
// that the others have room on paper: those that another column says as much
// as, and those without a value in any row. Whoever wants them unhides them.
func (g *grid) hidden(s sheet) []int {
	if len(s.Sections) != 1 || len(s.Sections[0].Columns) <= broadColumns {
		return nil
	}
	rows := g.book.rows(s.Sections[0])
	var hidden []int
	for i, c := range s.Sections[0].Columns {
		isOff := i > 0 && len(rows) > 0
		for _, one := range rows {
			isOff = isOff && (c.Screen || show(one.get(c.Key), c.Kind, g.words, one) == "")
		}
		if isOff {
			hidden = append(hidden, i+1)
		}
	}
	return hidden
}

// needs are the widths in which nothing is wrapped, and below which a number
// would be cut.
func (g *grid) needs(s sheet, c *check, air float64) (needs, floors map[int]float64) {
	needs = map[int]float64{1: displayWidth(g.words.Text["back"])*0.85 + 1.5}
	floors = map[int]float64{}
	isNarrow := air == narrowAir
	if c != nil {
		for i, head := range c.heads(g.words) {
			floors[i+1] = max(displayWidth(head)+air, exactWidth)
			needs[i+1] = floors[i+1]
		}
	}
	for _, section := range s.Sections {
		for i, c := range section.Columns {
			head := g.words.column(section.ID, c.Key)
			width, word := headWidth(head, isNarrow)*0.92, longestWord(head)*0.92
			for _, one := range g.book.rows(section) {
				shown := g.shown(c, one)
				word = max(word, longestWord(shown))
				if isNumber(c.Kind) && one.get(c.Key) == "" { // words in place of a number, which wrap
					width = max(width, headWidth(shown, isNarrow))
					continue
				}
				if isNumber(c.Kind) && isNarrow {
					width = max(width, wordWidth(shown))
					continue
				}
				width = max(width, displayWidth(shown))
			}
			around := air + 2*float64(indent(section, i))
			need := max(width*1.08+around, leastWidth)
			if g.cellStyleOf(c.Kind).Wrap {
				floors[i+1] = max(floors[i+1], min(word*1.08+around, wordRoom))
			} else {
				floors[i+1] = max(floors[i+1], min(need, excelWidth))
			}
			needs[i+1] = max(needs[i+1], need)
		}
	}
	return needs, floors
}

// headWidth is the width of a head, which may wrap once, but not in a word;
// where room is scarce, one of several words may wrap after each.
func headWidth(title string, isNarrow bool) float64 {
	width := displayWidth(title)
	switch {
	case isNarrow && (strings.Contains(title, " ") || !isWide(title)):
		width = 0
	case width > 8:
		width = width/2 + 1
	}
	for word := range strings.FieldsSeq(title) {
		switch {
		case isNarrow && !isWide(word):
			width = max(width, wordWidth(word))
		case strings.Contains(title, " ") || !isWide(word):
			width = max(width, displayWidth(word))
		}
	}
	return width
}

// longestWord is the width of the longest Latin word of a text, 0 for none;
// what has digits is a code or a file's name, which may be broken.
func longestWord(text string) float64 {
	width := 0.0
	for word := range strings.FieldsSeq(text) {
		if !isWide(word) && !strings.ContainsFunc(word, unicode.IsDigit) {
			width = max(width, wordWidth(word))
		}
	}
	return width
}

// wordWidth is the width of a word: Latin letters are narrower than digits.
func wordWidth(word string) float64 {
	if isWide(word) || !strings.ContainsFunc(word, unicode.IsLetter) {
		return displayWidth(word)
	}
	return displayWidth(word) * latinWidth
}

// isWide says whether a text may be broken anywhere.
func isWide(text string) bool { return displayWidth(text) > float64(len([]rune(text))) }

// roomFor is how many characters a column takes on a line.
func roomFor(width float64) float64 {
	if width < 20 { // names break at signs, so a narrow column takes fewer
		return (width - 1.2) / 1.03
	}
	return (width - 1) * 1.06
}

// shown is the text that a cell needs room for.
func (b *book) shown(c column, one row) string {
	text := show(one.get(c.Key), c.Kind, b.words, one)
	if c.Kind == date || c.Kind == month {
		text = one.get(c.Key) // as its format has it
	}
	if c.Key == "total" && one.get("is_provisional") == "true" {
		text = b.words.Text["provisional"] + " " + text
	}
	return text
}

// displayWidth counts Chinese characters as two.
func displayWidth(text string) float64 {
	width := 0.0
	for _, r := range text {
		width++
		if r > 0x2e80 {
			width++
		}
	}
	return width
}

// linesOf says how many lines a text takes in a width of so many characters.
func linesOf(text string, width float64) int {
	lines := 0
	for part := range strings.SplitSeq(text, "\n") {
		lines += max(1, int((displayWidth(part)+width-1)/width))
	}
	return lines
}
