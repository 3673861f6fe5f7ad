package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"tongbao"
)

// maxShelf bounds what is kept of drawn pages, in bytes.
const maxShelf = 48 << 20

// shelf keeps what was made from published versions. They never change, so
// nothing on it is ever out of date; when it is full it is emptied.
type shelf struct {
	mu    sync.Mutex
	kept  map[string][]byte
	bytes int
}

func newShelf() *shelf { return &shelf{kept: map[string][]byte{}} }

func (s *shelf) get(key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, found := s.kept[key]
	return content, found
}

func (s *shelf) put(key string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+len(content) > maxShelf {
		clear(s.kept)
		s.bytes = 0
	}
	if _, found := s.kept[key]; !found && len(content) < maxShelf/4 {
		s.kept[key] = content
		s.bytes += len(content)
	}
}

// ofMonth is what a page prints of, and the months that there are.
type ofMonth struct {
	Month   string
	Number  int
	MadeAt  time.Time
	Rubric  string
	Months  []string // newest first
	IsFixed bool     // the address names the month
}

// published is the version that the page prints: the current one of the month
// in the address, or the newest.
func (v *visit) published() (*version, error) {
	var month tongbao.Month
	if text := v.r.URL.Query().Get("month"); text != "" {
		var err error
		if month, err = tongbao.ParseMonth(text); err != nil {
			return nil, refuse(http.StatusNotFound, "no_month")
		}
	}
	return v.library.current(v.r.Context(), month)
}

// to is a path of ours that keeps the month of the address.
func (v *visit) to(format string, args ...any) string {
	path := fmt.Sprintf(format, args...)
	if month := v.r.URL.Query().Get("month"); month != "" {
		separator := "?"
		if bytes.ContainsRune([]byte(path), '?') {
			separator = "&"
		}
		path += separator + "month=" + template.URLQueryEscaper(month)
	}
	return path
}

// print answers with a page of a version. What it holds depends on the
// version, the address and what the reader may see, and on nothing else: it is
// drawn once for all who see the same.
func (v *visit) print(of *version, page string, body func() (any, error)) error {
	key := fmt.Sprintf("%s|%s|%s|%s", of.dir, page, v.viewKey(), v.r.URL.RequestURI())
	title, isDrawn := v.drawn.get(key + "|title")
	main, alsoDrawn := v.drawn.get(key)
	if !isDrawn || !alsoDrawn {
		made, err := body()
		if err != nil {
			return err
		}
		parsed, found := v.pages[v.words.name][page]
		if !found {
			return fmt.Errorf("page %s: there is no such template", page)
		}
		var parts [2]bytes.Buffer
		for i, name := range []string{"title", "main"} {
			if err := parsed.ExecuteTemplate(&parts[i], name, screen{Account: v.account, Body: made}); err != nil {
				return fmt.Errorf("page %s: %w", page, err)
			}
		}
		title, main = parts[0].Bytes(), parts[1].Bytes()
		v.drawn.put(key+"|title", title)
		v.drawn.put(key, main)
	}
	return v.printed(of, page, screen{Title: string(title), Main: template.HTML(main)}) // our own templates made it
}

// showFresh answers with a page of a version that also depends on something
// else; it is kept nowhere.
func (v *visit) showFresh(of *version, page string, body any) error {
	return v.printed(of, page, screen{Body: body})
}

func (v *visit) printed(of *version, page string, view screen) error {
	months, err := v.library.all()
	if err != nil {
		return err
	}
	view.Of = &ofMonth{Month: of.Month.String(), Number: of.Number, MadeAt: of.MadeAt, Rubric: of.Rubric, IsFixed: v.r.URL.Query().Get("month") != ""}
	for _, one := range months {
		view.Of.Months = append(view.Of.Months, one.Month.String())
	}
	if err := v.giveForm(); err != nil {
		return err
	}
	text, err := v.layout(page, view)
	if err != nil {
		return err
	}
	return v.send(http.StatusOK, "text/html; charset=utf-8", "private, no-cache", text)
}
