package etl

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// trait is what all cells of a column have in common. It is learned while a
// delivery is looked through anyway, so that the engine need not ask every cell
// again: trimming and testing for unusual moments were most of typing.
type trait struct {
	hasBlanks  bool // around some text, or a quoted cell is empty
	hasUnusual bool // some text is not a moment as in 2026-01-31 08:00:00, or its day alone
	hasOffset  bool // some text may end in an offset from UTC
	hasOther   bool // some text is not of 1 to 18 digits
}

// edges are the bytes with which blanks begin or end; a cell without them at
// its edges needs no closer look.
var edges = func() (is [256]bool) {
	for _, r := range blankRunes {
		text := []byte(string(r))
		is[text[0]], is[text[len(text)-1]] = true, true
	}
	return is
}()

// anything is the trait of a column that nobody looked through.
var anything = trait{hasBlanks: true, hasUnusual: true, hasOffset: true, hasOther: true}

// see takes a cell without its quotes.
func (t *trait) see(cell []byte) {
	if len(cell) == 0 {
		return
	}
	if edges[cell[0]] || edges[cell[len(cell)-1]] {
		trimmed := bytes.TrimFunc(cell, isBlank)
		t.hasBlanks = t.hasBlanks || len(trimmed) < len(cell)
		cell = trimmed
	}
	seeText(t, cell)
}

// seeText takes a cell without blanks around it, as it is typed.
func seeText(t *trait, cell []byte) {
	t.hasUnusual = t.hasUnusual || len(cell) > 0 && !isUsualMoment(cell)
	t.hasOffset = t.hasOffset || t.hasUnusual && mayHaveOffset(cell)
	t.hasOther = t.hasOther || len(cell) > 0 && !isDigits(cell)
}

func isDigits(cell []byte) bool {
	for i := range len(cell) {
		if cell[i] < '0' || cell[i] > '9' {
			return false
		}
	}
	return len(cell) <= 18
}

// mayHaveOffset says whether a text may end as 08:00Z, +0800, +08:00 or +08.
func mayHaveOffset(cell []byte) bool {
	n := len(cell)
	return n > 16 && (cell[n-1] == 'Z' || isSign(cell[n-6]) || isSign(cell[n-5]) || isSign(cell[n-3]))
}

func isSign(b byte) bool { return b == '+' || b == '-' }

func isBlank(r rune) bool { return strings.ContainsRune(blankRunes, r) }

// isUsualMoment says whether the engine's cast alone decides what a text means.
func isUsualMoment(cell []byte) bool {
	switch len(cell) {
	case len("0000-00-00"):
		return yearMonth.has(cell) && monthDay.has(cell[2:])
	case len("0000-00-00 00:00:00"):
		return yearMonth.has(cell) && dayMinute.has(cell[8:]) && clockTime.has(cell[11:])
	}
	return false
}

// eight is how eight bytes of a moment look: a digit where it has a 0, else the
// sign. They are compared at once, because most cells of a town are moments.
type eight struct{ text, room uint64 }

var yearMonth, monthDay, dayMinute, clockTime = eightOf("0000-00-"), eightOf("00-00-00"), eightOf("00 00:00"), eightOf("00:00:00")

func eightOf(text string) eight {
	form := eight{text: binary.LittleEndian.Uint64([]byte(text))}
	for i := range 8 {
		room := uint64(0x7f) // from which on 1 more reaches a byte's upper bit
		if text[i] == '0' {
			room -= 9
		}
		form.room |= room << (8 * i)
	}
	return form
}

func (form eight) has(cell []byte) bool {
	differs := binary.LittleEndian.Uint64(cell) ^ form.text // a digit from '0' by 0 to 9
	return (differs|(differs+form.room))&0x8080808080808080 == 0
}

// seeLine takes the cells of a record that is on one line; there are as many
// traits as cells.
func seeLine(traits []trait, line []byte, delimiter byte) {
	for i := range traits {
		cell, after, isLast := line, []byte(nil), true
		if len(line) > 0 && line[0] == '"' {
			end := closingQuote(line)
			cell, after = line[1:end], line[end+1:]
			traits[i].hasBlanks = traits[i].hasBlanks || len(cell) == 0
			isLast = len(after) == 0
			after = bytes.TrimPrefix(after, []byte{delimiter})
		} else if at := bytes.IndexByte(line, delimiter); at >= 0 {
			cell, after, isLast = line[:at], line[at+1:], false
		}
		traits[i].see(cell)
		if line = after; isLast {
			return
		}
	}
}

// closingQuote returns where the quote that opens a line's first cell closes.
func closingQuote(line []byte) int {
	for at := 1; ; at++ {
		if line[at] == '"' {
			if at+1 == len(line) || line[at+1] != '"' {
				return at
			}
			at++
		}
	}
}
