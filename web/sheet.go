package web

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"tongbao/templates"
)

// kind says how a value is shown; the words and signs are the bulletin's.
type kind int

const (
	text    kind = iota // as it is, in the reader's language where there is a word
	coded               // a code that the catalogue names
	integer             // a count
	score               // two places
	rate                // one place, percent
	signed              // two places with a sign
	moves               // a change of place
	rank                // a place
	money               // yuan
	date                // a day
	month               // a month
)

// column is a column of a sheet.
type column struct {
	Key  string
	Kind kind
	Heat bool             // shaded by its value
	Head string           // its heading, "" for the bulletin's
	To   func(row) string // address of a link, "" for none
	Show func(row) string // instead of the value
}

// sheet is one table of a page.
type sheet struct {
	ID, Title, Note string
	IsBroad         bool // wider than a screen
	Heads           []head
	Rows            []sheetRow
}

type head struct {
	Key, Title string
	IsNumber   bool
}

type sheetRow struct {
	IsMine bool
	Cells  []cell
}

type cell struct{ Text, Class, Raw, To string }

// sheet draws rows; columns that the reader does not see, and those without a
// value in any row, are left out. section is the bulletin's name of the table,
// for its words.
func (v *visit) sheet(section string, rows []row, columns ...column) sheet {
	s := sheet{ID: section, Title: orSame(v.words.Sections, section), Note: v.words.Notes[section]}
	var shown []column
	for _, c := range columns {
		hasValue := func(one row) bool { return v.cell(one, c).Text != "" }
		if (v.sees(section, c.Key) || c.Show != nil) && (len(rows) == 0 || slices.ContainsFunc(rows, hasValue)) {
			shown = append(shown, c)
			title := c.Head
			if title == "" {
				title = v.words.Columns[section+"."+c.Key]
			}
			if title == "" {
				title = v.words.column(c.Key)
			}
			s.Heads = append(s.Heads, head{c.Key, title, c.Kind.isNumber()})
		}
	}
	s.IsBroad = len(shown) > 9
	for _, one := range rows {
		drawn := sheetRow{IsMine: v.account.Unit != "" && (one.Get("grid_id") == v.account.Unit || one.Get("community_id") == v.account.Unit)}
		for _, c := range shown {
			drawn.Cells = append(drawn.Cells, v.cell(one, c))
		}
		s.Rows = append(s.Rows, drawn)
	}
	// A list of nothing but the reader's own needs no marks.
	if !slices.ContainsFunc(s.Rows, func(r sheetRow) bool { return !r.IsMine }) {
		for i := range s.Rows {
			s.Rows[i].IsMine = false
		}
	}
	return s
}

func (v *visit) cell(one row, c column) cell {
	value := one.Get(c.Key)
	drawn := cell{Text: v.words.show(value, c.Kind, one), Raw: value}
	if c.Show != nil {
		drawn.Text, drawn.Raw = c.Show(one), ""
	}
	var classes []string
	if c.Kind.isNumber() {
		classes = append(classes, "n")
	}
	if number, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case c.Heat:
			classes = append(classes, "h"+strconv.Itoa(templates.HeatStep(number)))
		case c.Kind == signed || c.Kind == moves:
			classes = append(classes, direction(number))
		}
	}
	if state := one.Get("state"); c.Kind == score && (state == "pooled" || state == "no_sample") {
		classes = append(classes, "small")
	}
	if c.Kind == text && len([]rune(drawn.Text)) > 24 {
		classes = append(classes, "w")
	}
	if c.To != nil && drawn.Text != "" {
		drawn.To = c.To(one)
	}
	drawn.Class = strings.Join(classes, " ")
	return drawn
}

func direction(number float64) string {
	switch {
	case number > 0:
		return "better"
	case number < 0:
		return "worse"
	}
	return "same"
}

func (k kind) isNumber() bool { return k != text && k != coded && k != date && k != month }

// show writes a value as the bulletin does.
func (w *words) show(value string, k kind, one row) string {
	if value == "" {
		switch {
		case k == score && one.Get("is_provisional") == "true":
			return w.Text["not_reported"]
		case (k == moves || k == signed) && one.Get("is_comparable") == "false":
			return w.Text["not_comparable"]
		case k == rank:
			return w.Text["unranked"]
		}
		return ""
	}
	switch k {
	case score:
		return places(value, 2)
	case rate:
		return places(value, 1)
	case text:
		return w.data(value)
	case coded:
		return w.codes(value)
	case rank:
		if one.Get("is_tied") == "true" {
			return value + w.Text["tied"]
		}
	case moves:
		switch {
		case value == "0":
			return w.Text["same"]
		case strings.HasPrefix(value, "-"):
			return "▼" + value[1:]
		}
		return "▲" + value
	case signed:
		return sign(value)
	case integer, money:
		return separate(value)
	case date:
		return w.day(value)
	case month:
		return w.month(value)
	}
	return value
}

// codes names a list of codes.
func (w *words) codes(value string) string {
	if word, found := w.Codes[value]; found {
		return word
	}
	var list []string
	for _, one := range strings.Fields(value) {
		list = append(list, orSame(w.Codes, w.data(one)))
	}
	return strings.Join(list, w.Text["comma"])
}

// places writes a decimal to so many places; what is no number stays.
func places(value string, digits int) string {
	number, ok := new(big.Rat).SetString(value)
	if !ok {
		return value
	}
	return number.FloatString(digits)
}

// sign writes a change with two places; a true minus aligns with the plus.
func sign(value string) string {
	written := places(value, 2)
	switch {
	case strings.Trim(written, "-0.") == "":
		return strings.TrimPrefix(written, "-")
	case strings.HasPrefix(written, "-"):
		return "−" + written[1:]
	}
	return "+" + written
}

// separate puts commas between thousands.
func separate(value string) string {
	sign := ""
	if strings.HasPrefix(value, "-") {
		sign, value = "−", value[1:]
	}
	whole, fraction, found := strings.Cut(value, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if found {
		whole += "." + fraction
	}
	return sign + whole
}
