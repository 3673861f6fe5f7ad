package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"tongbao/register"
)

// refusal is an answer that is not what was asked for: its words are
// error.<key>.title and error.<key>.text of the catalogue.
type refusal struct {
	status int
	key    string
	args   []any
}

func (r *refusal) Error() string { return r.key }

func refuse(status int, key string, args ...any) error { return &refusal{status, key, args} }

var (
	errSignInFirst = errors.New("sign in first")
	errChangeFirst = errors.New("change the password first")
	errElsewhere   = errors.New("the first page of this role is another one")
	errFault       = errors.New("a fault in the program")
)

// errorBody is what the error page shows.
type errorBody struct {
	Key    string
	Args   []any
	Number string // under which the log has more
}

// fail answers with what went wrong, in words that help and give nothing away;
// the cause goes to the log.
func (s *Server) fail(v *visit, err error) {
	if v.words == nil {
		v.words = s.words[defaultLocale]
	}
	if v.route.door == register.DoorAPI {
		s.failAPI(v, err)
		return
	}
	if errors.Is(err, errSignInFirst) {
		next := ""
		if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
			next = "?next=" + url.QueryEscape(v.r.URL.RequestURI())
		}
		_ = v.redirect("/sign-in" + next)
		return
	}
	if errors.Is(err, errChangeFirst) {
		_ = v.redirect("/own")
		return
	}
	if errors.Is(err, errElsewhere) {
		to := "/own"
		if nav := v.nav(); len(nav) > 0 {
			to = nav[0].Path
		}
		_ = v.redirect(to)
		return
	}
	var refused *refusal
	body, status := errorBody{Key: "fault"}, http.StatusInternalServerError
	if errors.As(err, &refused) {
		body, status = errorBody{Key: refused.key, Args: refused.args}, refused.status
	} else if v.r.Context().Err() != nil {
		return // the reader is gone
	} else {
		number := make([]byte, 4)
		_, _ = rand.Read(number)
		body.Number = hex.EncodeToString(number)
		s.Log.Error("a page cannot be shown", "number", body.Number, "path", v.r.URL.Path, "account", v.account.Name, "error", err)
	}
	if status == http.StatusTooManyRequests {
		v.w.Header().Set("Retry-After", "10")
	}
	text, err := v.render("error", body)
	if err != nil {
		s.Log.Error("the page of an error cannot be shown", "error", err)
		http.Error(v.w, http.StatusText(status), status)
		return
	}
	_ = v.send(status, "text/html; charset=utf-8", "no-store", text)
}

func (s *Server) notFound(*visit) error { return refuse(http.StatusNotFound, "not_found") }
