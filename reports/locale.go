package reports

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"time"

	"tongbao"
	"tongbao/templates"
)

// locale is the words of one language: templates/locale/<name>.json.
type locale struct {
	// How a day, a month and a day not far away are written, in the notation
	// of package time.
	Day         string                `json:"day"`
	Month       string                `json:"month"`
	Near        string                `json:"near"` // a day without its year
	Text        map[string]string     `json:"text"`
	Editions    map[string]string     `json:"editions"`
	Sentences   map[string][]sentence `json:"sentences"` // by edition
	Reasons     map[string]string     `json:"reasons"`   // by cause
	Decide      map[string]string     `json:"decide"`    // by kind of matter
	DecideUntil string                `json:"decide_until"`
	Document    []documentPart        `json:"document"`
	Sheets      map[string]string     `json:"sheets"`
	Sections    map[string]string     `json:"sections"`
	Notes       map[string]string     `json:"notes"` // beside the heading of a section or chart
	Columns     map[string]string     `json:"columns"`
	Codes       map[string]string     `json:"codes"`
	Charts      map[string]string     `json:"charts"`
	// Data translates words of the town's own tables; what it has not stays
	// as it is.
	Data map[string]string `json:"data"`
}

// sentence is said only when the figure that When names is there and not 0.
type sentence struct {
	Text string `json:"text"`
	When string `json:"when"`
}

// documentPart is a part of the document's text. A paragraph with Each says its
// Item for each row of that table with Join between them, or where Join is ""
// in a paragraph of its own.
type documentPart struct {
	Head       string      `json:"head"`
	In         []Edition   `json:"in"`
	Paragraphs []paragraph `json:"paragraphs"`
}

type paragraph struct {
	Text  string `json:"text"`
	When  string `json:"when"`
	Each  string `json:"each"`
	Item  string `json:"item"`
	Join  string `json:"join"`
	Limit int    `json:"limit"`
	End   string `json:"end"`
}

func readLocale(name string) (*locale, error) {
	text, err := fs.ReadFile(templates.FS, "locale/"+name+".json")
	if err != nil {
		return nil, fmt.Errorf("locale %q: %w", name, err)
	}
	var l locale
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("locale %q: %w", name, err)
	}
	return &l, nil
}

// part is a piece of a sentence; figures are emphasised.
type part struct {
	Text   string
	Figure bool
}

// fill puts figures into a pattern with {names}.
func fill(pattern string, figure func(string) string) []part {
	var parts []part
	for pattern != "" {
		before, rest, found := strings.Cut(pattern, "{")
		if before != "" {
			parts = append(parts, part{before, false})
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		parts = append(parts, part{figure(name), true})
		pattern = after
	}
	return parts
}

// plain joins the parts of a sentence.
func plain(parts []part) string {
	var text strings.Builder
	for _, p := range parts {
		text.WriteString(p.Text)
	}
	return text.String()
}

// code is the word for a code, the code itself if the locale has none.
func (l *locale) code(value string) string {
	if word, found := l.Codes[value]; found {
		return word
	}
	// Several codes; what has no code among it is a text, and stays whole.
	var words []string
	isKnown := false
	for _, one := range strings.Fields(value) {
		word, found := l.Codes[one]
		if !found {
			word = l.data(one)
		}
		isKnown = isKnown || word != one
		words = append(words, word)
	}
	if !isKnown {
		return l.data(value)
	}
	return strings.Join(words, l.Text["comma"])
}

// data is a word of the town's own tables in this language, where there is
// one; of a list, each.
func (l *locale) data(value string) string {
	if word, found := l.Data[value]; found {
		return word
	}
	list := strings.FieldsFunc(value, func(r rune) bool { return r == '、' || r == ',' })
	if len(list) < 2 {
		return value
	}
	for i, one := range list {
		word, found := l.Data[strings.TrimSpace(one)]
		if !found {
			return value
		}
		list[i] = word
	}
	return strings.Join(list, l.Text["comma"])
}

// listed writes a list of names with their figures, as the bulletin's queries
// make it, in this language.
func (l *locale) listed(value string) string {
	items := strings.Split(value, "；")
	for i, item := range items {
		name, figures, found := strings.Cut(item, " ")
		if items[i] = l.data(name); found {
			items[i] += " " + strings.NewReplacer("（", l.Text["open"], "）", l.Text["close"]).Replace(figures)
		}
	}
	return strings.Join(items, l.Text["semicolon"])
}

// column is the head of a column; a section may call it by another name.
func (l *locale) column(section, key string) string {
	if word, found := l.Columns[section+"."+key]; found {
		return word
	}
	return l.Columns[key]
}

// day, near and monthOf write a date as the engine prints it (2026-11-04) in
// the locale's way; what is no date stays.
func (l *locale) day(value string) string     { return written(value, l.Day) }
func (l *locale) near(value string) string    { return written(value, l.Near) }
func (l *locale) monthOf(value string) string { return written(value, l.Month) }

func (l *locale) month(of tongbao.Month) string { return of.First().Format(l.Month) }

func written(value, layout string) string {
	day, err := time.Parse(time.DateOnly, value[:min(len(value), len(time.DateOnly))])
	if err != nil {
		return value
	}
	return day.Format(layout)
}

// places writes a decimal to so many places, halves away from zero.
func places(value string, digits int) string {
	number, ok := new(big.Rat).SetString(value)
	if !ok {
		return value
	}
	return number.FloatString(digits)
}
