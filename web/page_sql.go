package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// Readers says what an audience may ask with SQL.
type Readers interface {
	// Published is a month's current version as the audience may ask it; month 0
	// is the newest.
	Published(ctx context.Context, by register.Audience, month tongbao.Month) (warehouse.Published, error)
	// Titled are the queries that the program brings: Layer "saved" for people,
	// "api" for the JSON API.
	Titled() []warehouse.Query
}

// askBody is the SQL page.
type askBody struct {
	SQL     string
	Title   string // of the saved query that is shown
	Fields  []askField
	Tables  []warehouse.Relation
	Of      warehouse.Published
	OfMonth string // the month whose version was asked for, "" for the newest
	Limits  []askLimit
	Link    string // opens the page with this query, "" if it is too long for an address
	Plan    bool
	Answer  *askAnswer
	Problem *warehouse.QuestionError
	Said    string // key of a text, as "sql.saved"
	History []askedBefore
}

// askField is the form field of a parameter.
type askField struct{ Name, Value string }

// askLimit is a bound of an answer with its value; its words are sql.limit.<Key>.
type askLimit struct {
	Key   string
	Value any
}

// askAnswer is what came back.
type askAnswer struct {
	warehouse.Rows
	warehouse.Summary
	Numeric []bool // by column
}

// askedBefore is an entry of one's own history.
type askedBefore struct {
	At        time.Time
	SQL, Link string
}

// maxLink bounds the address of a shared query; browsers and proxies cut longer ones.
const maxLink = 8000

// askable is what the reader may ask.
func (v *visit) askable() (warehouse.Published, error) {
	month := tongbao.Month(0)
	if text := v.r.Form.Get("of"); text != "" {
		var err error
		if month, err = tongbao.ParseMonth(text); err != nil {
			return warehouse.Published{}, refuse(http.StatusNotFound, "not_found")
		}
	}
	if v.Readers == nil {
		return warehouse.Published{}, errNothing
	}
	of, err := v.Readers.Published(v.r.Context(), register.AudienceOf(v.account.Role), month)
	if err != nil {
		v.Log.Debug("nothing to ask", "error", err)
		return of, errNothing
	}
	return of, nil
}

// sql shows the page with the query of the address, a saved one, or none. It
// runs nothing: an address from elsewhere must not ask in the reader's name.
func (s *Server) sql(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return refuse(http.StatusBadRequest, "bad_form")
	}
	body := askBody{SQL: v.r.Form.Get("sql")}
	if name := v.r.Form.Get("titled"); name != "" {
		for _, query := range s.titled("saved") {
			if query.Name == name {
				body.SQL, body.Title = query.SQL, titleOf(query, v.words.name)
			}
		}
	}
	if id := v.r.Form.Get("saved"); id != "" {
		all, err := s.Register.SavedQueries(v.r.Context())
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(q register.SavedQuery) bool { return strconv.FormatInt(q.ID, 10) == id })
		if at < 0 {
			return refuse(http.StatusNotFound, "not_found")
		}
		body.SQL, body.Title = all[at].SQL, all[at].Title
	}
	of, err := v.askable()
	if err != nil {
		return err
	}
	return v.showSQL(http.StatusOK, body, of)
}

// sqlDone does what the pressed button says with the query of the form.
func (s *Server) sqlDone(v *visit) error {
	of, err := v.askable()
	if err != nil {
		return err
	}
	form := v.r.PostForm
	body := askBody{SQL: strings.ReplaceAll(form.Get("sql"), "\r\n", "\n"), Title: form.Get("title")}
	question := warehouse.Question{SQL: body.SQL, Params: v.params(body.SQL), Sources: of.Sources, Limits: warehouse.PageLimits}
	switch do := form.Get("do"); do {
	case "save":
		_, err := s.Register.SaveQuery(v.r.Context(), v.by(), body.Title, body.SQL)
		if errors.Is(err, register.ErrSavedTitle) || errors.Is(err, register.ErrSavedMany) {
			body.Said = "sql.not_saved"
			return v.showSQL(http.StatusUnprocessableEntity, body, of)
		}
		if err != nil {
			return err
		}
		return v.redirect("/saved")
	case "csv", "xlsx", "parquet":
		err = v.export(do, question, of)
	case "plan":
		question.Form, body.Plan = warehouse.Plan, true
		err = v.ask(question, &body)
	default:
		err = v.ask(question, &body)
	}
	if err == nil && body.Answer == nil {
		return nil // a file was sent
	}
	status := http.StatusOK
	if err != nil {
		if !errors.As(err, &body.Problem) {
			return err
		}
		status = problemStatus(body.Problem)
		if status == http.StatusTooManyRequests {
			v.w.Header().Set("Retry-After", "5")
		}
	}
	return v.showSQL(status, body, of)
}

// problemStatus is the HTTP status of a question without an answer.
func problemStatus(problem *warehouse.QuestionError) int {
	if problem.Kind == warehouse.Busy {
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

func (v *visit) asker() warehouse.Asker {
	door := "page"
	if v.route.door == register.DoorAPI {
		door = "api"
	}
	return warehouse.Asker{Account: v.account.Name, From: v.from, Door: door}
}

// ask answers a question on the page. When the reader leaves, the request's
// context ends and the question with it.
func (v *visit) ask(question warehouse.Question, body *askBody) error {
	answer := &askAnswer{}
	summary, err := v.Desk.Ask(v.r.Context(), v.asker(), question, &answer.Rows, nil)
	if err != nil {
		return err
	}
	answer.Summary, body.Answer = summary, answer
	for _, kind := range answer.Types {
		answer.Numeric = append(answer.Numeric, isNumeric(kind))
	}
	return nil
}

// isNumeric says whether the engine's type is of numbers.
func isNumeric(kind string) bool {
	base, _, _ := strings.Cut(kind, "(")
	return slices.Contains(strings.Fields("TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT DECIMAL FLOAT DOUBLE"), base)
}

// paramField begins the names of form fields that are parameters.
const paramField = "p."

// params are the values of the form for the parameters of the text.
func (v *visit) params(text string) []warehouse.Param {
	var params []warehouse.Param
	for _, name := range warehouse.ParamNames(text) {
		if v.r.Form.Has(paramField + name) {
			params = append(params, warehouse.NewParam(name, v.r.Form.Get(paramField+name)))
		}
	}
	return params
}

func (v *visit) showSQL(status int, body askBody, of warehouse.Published) error {
	body.Of, body.OfMonth = of, v.r.Form.Get("of")
	link := url.Values{"sql": {body.SQL}}
	if body.OfMonth != "" {
		link.Set("of", body.OfMonth)
	}
	for _, name := range warehouse.ParamNames(body.SQL) {
		value := v.r.Form.Get(paramField + name)
		if value == "" && name == "month" {
			value = of.Month.String()
		}
		body.Fields = append(body.Fields, askField{name, value})
		link.Set(paramField+name, value)
	}
	if body.SQL != "" {
		if body.Link = "/sql?" + link.Encode(); len(body.Link) > maxLink {
			body.Link = ""
		}
	}
	for _, source := range of.Sources {
		body.Tables = append(body.Tables, source.Relations...)
	}
	page, file := warehouse.PageLimits, warehouse.FileLimits
	body.Limits = []askLimit{
		{"rows", page.Rows}, {"time", page.Time}, {"size", page.Bytes >> 20}, {"file_rows", file.Rows}, {"file_time", file.Time}, {"file_size", file.Bytes >> 20},
		{"memory", page.Memory}, {"running", v.Desk.Running}, {"waiting", v.Desk.Waiting},
	}
	var err error
	if body.History, err = v.askedBefore(); err != nil {
		return err
	}
	return v.showAs(status, "sql", body)
}

// shownHistory is how many of one's last queries the page lists.
const shownHistory = 20

// askedBefore lists one's own last queries, each text once, from the audit log.
func (v *visit) askedBefore() ([]askedBefore, error) {
	var history []askedBefore
	known := map[string]bool{}
	filter := register.AuditFilter{Account: v.account.Name, Act: register.ActQuery, Limit: 10 * shownHistory}
	err := v.Register.EachAudit(v.r.Context(), filter, func(entry register.AuditEntry) error {
		text, _ := entry.Detail["sql"].(string)
		if text == "" || known[text] || len(history) == shownHistory || entry.Object != "page" {
			return nil
		}
		known[text] = true
		link := url.Values{"sql": {text}}
		if params, isMap := entry.Detail["params"].(map[string]any); isMap {
			for name, value := range params {
				if value, isText := value.(string); isText {
					link.Set(paramField+name, value)
				}
			}
		}
		if address := "/sql?" + link.Encode(); len(address) <= maxLink {
			history = append(history, askedBefore{entry.At, text, address})
		}
		return nil
	})
	return history, err
}

// sqlCancel ends what the reader asks, in whatever window.
func (s *Server) sqlCancel(v *visit) error {
	s.Desk.Cancel(v.account.Name)
	return v.redirect("/sql")
}
