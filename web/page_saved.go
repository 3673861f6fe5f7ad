package web

import (
	"errors"
	"net/http"
	"strconv"

	"tongbao/register"
	"tongbao/warehouse"
)

// savedBody lists the queries that are kept: those of people, and those that
// the program brings.
type savedBody struct {
	Saved  []register.SavedQuery
	Titled []titledQuery
}

type titledQuery struct{ Name, Title, SQL string }

func (s *Server) saved(v *visit) error {
	saved, err := s.Register.SavedQueries(v.r.Context())
	if err != nil {
		return err
	}
	body := savedBody{Saved: saved}
	for _, query := range s.titled("saved") {
		body.Titled = append(body.Titled, titledQuery{query.Name, titleOf(query, v.words.name), query.SQL})
	}
	return v.show("saved", body)
}

func (s *Server) savedRemoved(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("saved"), 10, 64)
	if err != nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	if err := s.Register.RemoveQuery(v.r.Context(), v.by(), id); errors.Is(err, register.ErrNoSavedQuery) {
		return refuse(http.StatusNotFound, "not_found")
	} else if err != nil {
		return err
	}
	return v.redirect("/saved")
}

// titled are the queries of one folder that the program brings.
func (s *Server) titled(folder string) []warehouse.Query {
	var of []warehouse.Query
	if s.Readers == nil {
		return nil
	}
	for _, query := range s.Readers.Titled() {
		if query.Layer == folder {
			of = append(of, query)
		}
	}
	return of
}

// titleOf is a query's title in a language.
func titleOf(query warehouse.Query, locale string) string {
	for _, key := range map[string][]string{"zh-Hant": {"title-hant"}, "en": {"title-en"}}[locale] {
		if title := query.Header[key]; title != "" {
			return title
		}
	}
	return query.Header["title"]
}
