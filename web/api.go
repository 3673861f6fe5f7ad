package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tongbao/register"
	"tongbao/warehouse"
)

// The read-only JSON API, version 1. It knows bearer tokens and nothing else:
// no cookie opens it, so no other site can use a reader's session on it.

// apiError is what the API answers when it does not answer.
type apiError struct {
	Kind    string `json:"kind"` // unauthorized, forbidden, not_found, or a warehouse.Kind
	Code    string `json:"code,omitempty"`
	Subject string `json:"subject,omitempty"`
	Message string `json:"message"` // in English
}

// apiFailure carries an apiError with its status.
type apiFailure struct {
	status int
	apiError
}

func (f *apiFailure) Error() string { return f.Message }

func apiRefuse(status int, kind, message string) error {
	return &apiFailure{status, apiError{Kind: kind, Message: message}}
}

// enterAPI finds out whose token a request carries, and whether it is for
// what is asked.
func (s *Server) enterAPI(v *visit) error {
	if !s.visits.allow("address "+v.from, s.Now()) {
		return apiRefuse(http.StatusTooManyRequests, "busy", "at most 50 requests a second")
	}
	v.account, v.secret = register.Account{}, ""
	secret, isBearer := strings.CutPrefix(v.r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		v.w.Header().Set("WWW-Authenticate", `Bearer realm="tongbao"`)
		return apiRefuse(http.StatusUnauthorized, "unauthorized", "send a token as \"Authorization: Bearer tongbao_…\"; docs/api.md says how to get one")
	}
	account, scopes, err := s.Register.Token(v.r.Context(), strings.TrimSpace(secret), s.Now())
	if errors.Is(err, register.ErrNoToken) {
		v.w.Header().Set("WWW-Authenticate", `Bearer realm="tongbao", error="invalid_token"`)
		return apiRefuse(http.StatusUnauthorized, "unauthorized", "the token is unknown, revoked or too old")
	}
	if err != nil {
		return err
	}
	v.account = account
	if want := v.scope(); !slices.Contains(scopes, want) {
		return apiRefuse(http.StatusForbidden, "forbidden", "the token lacks the scope "+string(want))
	}
	if !register.May(account.Role, register.DoorAPI) || account.MustChange {
		return errors.Join(apiRefuse(http.StatusForbidden, "forbidden", "the account of the token may not use the API"), v.audit(register.ActPageRefused, v.r.URL.Path, nil))
	}
	return nil
}

// scope is what a token must be for: SQL of one's own has a scope of its own.
func (v *visit) scope() register.Scope {
	if v.r.Method == http.MethodPost {
		return register.ScopeQuery
	}
	return register.ScopeRead
}

// failAPI answers an error as JSON. The cause of a fault goes to the log.
func (s *Server) failAPI(v *visit, err error) {
	failure := &apiFailure{http.StatusInternalServerError, apiError{Kind: "fault", Message: "something went wrong; the operator's log has more"}}
	var known *apiFailure
	var question *warehouse.QuestionError
	var refused *refusal
	switch {
	case errors.As(err, &known):
		failure = known
	case errors.As(err, &question):
		failure = &apiFailure{problemStatus(question), apiError{string(question.Kind), question.Code, question.Subject, question.Error()}}
	case errors.As(err, &refused):
		failure = &apiFailure{refused.status, apiError{Kind: refused.key, Message: s.words["en"].say("error." + refused.key + ".title")}}
	default:
		s.Log.Error("the API cannot answer", "path", v.r.URL.Path, "account", v.account.Name, "error", err)
	}
	if failure.status == http.StatusTooManyRequests {
		v.w.Header().Set("Retry-After", "5")
	}
	text, err := json.Marshal(map[string]apiError{"error": failure.apiError})
	if err != nil {
		s.Log.Error("the API cannot say what is wrong", "error", err)
		return
	}
	_ = v.send(failure.status, jsonKind, "no-store", append(text, '\n'))
}

const jsonKind = "application/json; charset=utf-8"

func (v *visit) sendJSON(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return v.send(http.StatusOK, jsonKind, "private, no-cache", append(text, '\n'))
}
