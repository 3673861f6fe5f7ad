package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"tongbao/templates"
)

const defaultLocale = "zh-Hans"

func localeNames() []string { return []string{defaultLocale, "zh-Hant", "en"} }

// words is one language: the portal's own texts, and the words that it shares
// with the bulletin.
type words struct {
	name     string
	text     map[string]string // templates/locale/portal/<name>.json and locale/sql/<name>.json
	Day      string            `json:"day"`
	Month    string            `json:"month"`
	Text     map[string]string `json:"text"`
	Editions map[string]string `json:"editions"`
	Reasons  map[string]string `json:"reasons"`
	Sections map[string]string `json:"sections"`
	Notes    map[string]string `json:"notes"`
	Columns  map[string]string `json:"columns"`
	Codes    map[string]string `json:"codes"`
	Data     map[string]string `json:"data"`
}

func readWords() (map[string]*words, error) {
	all := map[string]*words{}
	for _, name := range localeNames() {
		w := &words{name: name}
		for file, into := range map[string]any{"locale/" + name + ".json": w, "locale/portal/" + name + ".json": &w.text, "locale/sql/" + name + ".json": &w.text} {
			content, err := fs.ReadFile(templates.FS, file)
			if err == nil {
				err = json.Unmarshal(content, into)
			}
			if err != nil {
				return nil, fmt.Errorf("portal: words %s: %w", file, err)
			}
		}
		all[name] = w
	}
	return all, nil
}

// say is the portal's text of a key with {1}, {2} … filled in. A key without a
// text shows itself; a test looks for those.
func (w *words) say(key string, args ...any) string {
	text, found := w.text[key]
	if !found {
		return key
	}
	for i, arg := range args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), fmt.Sprint(arg))
	}
	return text
}

// column is the heading of a column of the bulletin's tables; data a word of
// the town's own. What has no word stays as it is.
func (w *words) column(key string) string { return orSame(w.Columns, key) }

// data also finds the words of a value that has several: "文化 西苑社区".
func (w *words) data(value string) string {
	if word, found := w.Data[value]; found || len(w.Data) == 0 {
		return cmp.Or(word, value)
	}
	parts := strings.Split(value, " ")
	for i, part := range parts {
		parts[i] = orSame(w.Data, part)
	}
	return strings.Join(parts, " ")
}

func orSame(words map[string]string, key string) string {
	if word, found := words[key]; found {
		return word
	}
	return key
}

// day writes a date of the warehouse (2026-11-04) or a moment's day.
func (w *words) day(value string) string   { return writtenDay(value, w.Day) }
func (w *words) month(value string) string { return writtenDay(value, w.Month) }

func writtenDay(value, layout string) string {
	for _, form := range []string{time.DateOnly, "2006-01"} {
		if day, err := time.Parse(form, value[:min(len(value), len(form))]); err == nil {
			return day.Format(layout)
		}
	}
	return value
}

// localeOf is the language that the reader chose, or else what the browser
// asks for first.
func localeOf(r *http.Request) string {
	for _, name := range []string{"tongbao" + localeCookie, "__Host-tongbao" + localeCookie} {
		if cookie, err := r.Cookie(name); err == nil && slices.Contains(localeNames(), cookie.Value) {
			return cookie.Value
		}
	}
	first, _, _ := strings.Cut(strings.ToLower(r.Header.Get("Accept-Language")), ",")
	switch {
	case strings.HasPrefix(first, "zh-tw"), strings.HasPrefix(first, "zh-hk"), strings.HasPrefix(first, "zh-mo"), strings.HasPrefix(first, "zh-hant"):
		return "zh-Hant"
	case strings.HasPrefix(first, "en"):
		return "en"
	}
	return defaultLocale
}
