package reports

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"tongbao/templates"
)

// locale is the words of one language: templates/locale/<name>.json.
type locale struct {
	Text        map[string]string `json:"text"`
	Sentences   []sentence        `json:"sentences"`
	Decide      map[string]string `json:"decide"`
	DecideUntil string            `json:"decide_until"`
	Sheets      map[string]string `json:"sheets"`
	Sections    map[string]string `json:"sections"`
	Columns     map[string]string `json:"columns"`
	Codes       map[string]string `json:"codes"`
	Charts      map[string]string `json:"charts"`
}

// sentence is said only when the figure that When names is there and not 0.
type sentence struct {
	Text string `json:"text"`
	When string `json:"when"`
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
	var words []string
	for _, one := range strings.Fields(value) {
		if word, found := l.Codes[one]; found {
			words = append(words, word)
		} else {
			words = append(words, one)
		}
	}
	return strings.Join(words, "、")
}
