package web

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// apiAnswer is every answer of the API that has rows.
type apiAnswer struct {
	Of        string             `json:"of"`      // the published month whose version was asked; it holds the months before it too
	Version   string             `json:"version"` // v1, v2 …
	Columns   []warehouse.Column `json:"columns"`
	Rows      []apiRow           `json:"rows"`
	Truncated string             `json:"truncated,omitempty"` // "rows" or "bytes"
}

// apiRow is one object in the order of the columns.
type apiRow struct {
	columns []warehouse.Column
	cells   []sql.NullString
}

// safeDigits is how many digits of a number every reader of JSON keeps; longer
// ones are texts, and the column's type says that they are numbers.
const safeDigits = 15

func (r apiRow) MarshalJSON() ([]byte, error) {
	var object bytes.Buffer
	object.WriteByte('{')
	for i, cell := range r.cells {
		if i > 0 {
			object.WriteByte(',')
		}
		key, err := json.Marshal(r.columns[i].Name)
		if err != nil {
			return nil, err
		}
		value, err := jsonValue(cell, r.columns[i].Type)
		if err != nil {
			return nil, err
		}
		object.Write(key)
		object.WriteByte(':')
		object.Write(value)
	}
	object.WriteByte('}')
	return object.Bytes(), nil
}

func jsonValue(cell sql.NullString, kind string) ([]byte, error) {
	digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(cell.String), " ")
	switch {
	case !cell.Valid:
		return []byte("null"), nil
	case kind == "BOOLEAN":
		return []byte(cell.String), nil
	case isNumeric(kind) && len(digits) <= safeDigits && json.Valid([]byte(cell.String)):
		return []byte(cell.String), nil
	}
	return json.Marshal(cell.String)
}

// apiIndex lists what the API has.
func (s *Server) apiIndex(v *visit) error {
	type entry struct{ Path, Title string }
	list := []entry{}
	for _, query := range s.titled("api") {
		list = append(list, entry{"/api/v1/" + query.Name, query.Header["title"]})
	}
	list = append(list, entry{"/api/v1/tables", "tables and columns that may be asked with SQL"}, entry{"/api/v1/query", "POST a SELECT"})
	return v.sendJSON(map[string]any{"version": 1, "paths": list})
}

// apiRead answers GET /api/v1/<name> with the query of that name.
// month=2026-09 is the month of the rows, the newest published one if absent;
// of=2026-09 asks that month's own version instead of the newest; the name of a
// column with a value keeps the rows that have it.
func (s *Server) apiRead(v *visit) error {
	name := v.r.PathValue("name")
	all := s.titled("api")
	at := slices.IndexFunc(all, func(q warehouse.Query) bool { return q.Name == name })
	if at < 0 {
		return apiRefuse(http.StatusNotFound, "not_found", "there is no "+v.r.URL.Path+"; /api/v1 lists what there is")
	}
	chosen := v.r.URL.Query()
	of, err := v.apiPublished(chosen.Get("of"))
	if err != nil {
		return err
	}
	month := of.Month
	if text := chosen.Get("month"); text != "" {
		if month, err = tongbao.ParseMonth(text); err != nil {
			return apiRefuse(http.StatusBadRequest, "bad_request", "month: want a month as 2026-10")
		}
	}
	question := warehouse.Question{SQL: all[at].SQL, Sources: of.Sources, Limits: warehouse.FileLimits, Params: []warehouse.Param{{Name: "month", Value: month.String(), Type: warehouse.DateParam}}}
	answer, err := v.apiAsk(question, of)
	if err != nil {
		return err
	}
	chosen.Del("of")
	chosen.Del("month")
	if err := answer.choose(chosen); err != nil {
		return err
	}
	return v.sendJSON(answer)
}

// choose keeps the rows that have one of the values of each column named.
func (a *apiAnswer) choose(values map[string][]string) error {
	for name, wanted := range values {
		column := slices.IndexFunc(a.Columns, func(c warehouse.Column) bool { return c.Name == name })
		if column < 0 {
			return apiRefuse(http.StatusBadRequest, "bad_request", "there is no column "+name+" to choose by")
		}
		a.Rows = slices.DeleteFunc(a.Rows, func(r apiRow) bool { return !slices.Contains(wanted, r.cells[column].String) })
	}
	return nil
}

// apiTables answers GET /api/v1/tables with the dictionary.
func (s *Server) apiTables(v *visit) error {
	of, err := v.apiPublished(v.r.URL.Query().Get("of"))
	if err != nil {
		return err
	}
	type table struct {
		Name    string             `json:"name"`
		Meaning string             `json:"meaning,omitempty"`
		Grain   string             `json:"grain,omitempty"`
		Columns []warehouse.Column `json:"columns"`
	}
	list := []table{}
	for _, source := range of.Sources {
		for _, relation := range source.Relations {
			list = append(list, table{relation.Name, v.words.text["table."+relation.Name], relation.Grain, relation.Columns})
		}
	}
	return v.sendJSON(map[string]any{"of": of.Month.String(), "version": of.Version, "tables": list})
}

// apiQuery answers POST /api/v1/query: {"sql": "…", "params": {"month": "2026-10"}, "of": "2026-10"}.
func (s *Server) apiQuery(v *visit) error {
	var request struct {
		SQL    string            `json:"sql"`
		Params map[string]string `json:"params"`
		Of     string            `json:"of"`
	}
	decoder := json.NewDecoder(v.r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return apiRefuse(http.StatusBadRequest, "bad_request", `want a JSON object with "sql", and perhaps "params" and "of": `+err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return apiRefuse(http.StatusBadRequest, "bad_request", "want one JSON object and nothing after it")
	}
	of, err := v.apiPublished(request.Of)
	if err != nil {
		return err
	}
	question := warehouse.Question{SQL: request.SQL, Sources: of.Sources, Limits: warehouse.PageLimits}
	for name, value := range request.Params {
		question.Params = append(question.Params, warehouse.NewParam(name, value))
	}
	answer, err := v.apiAsk(question, of)
	if err != nil {
		return err
	}
	return v.sendJSON(answer)
}

func (v *visit) apiAsk(question warehouse.Question, of warehouse.Published) (apiAnswer, error) {
	// As for an export: an answer may take longer than a page.
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(2 * question.Limits.Time))
	var rows warehouse.Rows
	summary, err := v.Desk.Ask(v.r.Context(), v.asker(), question, &rows, nil)
	if err != nil {
		return apiAnswer{}, err
	}
	answer := apiAnswer{Of: of.Month.String(), Version: of.Version, Columns: []warehouse.Column{}, Rows: []apiRow{}, Truncated: summary.Truncated}
	for i, name := range rows.Columns {
		answer.Columns = append(answer.Columns, warehouse.Column{Name: name, Type: rows.Types[i]})
	}
	for _, cells := range rows.Cells {
		answer.Rows = append(answer.Rows, apiRow{answer.Columns, cells})
	}
	return answer, nil
}

func (v *visit) apiPublished(text string) (warehouse.Published, error) {
	month := tongbao.Month(0)
	var err error
	if text != "" {
		if month, err = tongbao.ParseMonth(text); err != nil {
			return warehouse.Published{}, apiRefuse(http.StatusBadRequest, "bad_request", "of: want a published month as 2026-10")
		}
	}
	if v.Readers == nil {
		return warehouse.Published{}, apiRefuse(http.StatusNotFound, "not_found", "nothing is published yet")
	}
	of, err := v.Readers.Published(v.r.Context(), register.AudienceOf(v.account.Role), month)
	if err != nil {
		v.Log.Debug("nothing to ask", "error", err)
		return of, apiRefuse(http.StatusNotFound, "not_found", "the month is not published")
	}
	return of, nil
}

// apiNotFound answers what the API does not have.
func (s *Server) apiNotFound(*visit) error {
	return apiRefuse(http.StatusNotFound, "not_found", "/api/v1 lists what there is")
}
