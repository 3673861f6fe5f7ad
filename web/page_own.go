package web

import (
	"errors"
	"net/http"
	"time"

	"tongbao/register"
)

// ownBody is the page of one's own account.
type ownBody struct {
	Error string // "wrong", "differ", or the reason of a register.PasswordError
	Wait  time.Duration
	Least int
}

func (s *Server) own(v *visit) error { return v.show("own", ownBody{Least: register.MinPassword}) }

// ownPassword changes one's own password; who does not know the old one may
// not, also with the browser open.
func (s *Server) ownPassword(v *visit) error {
	form, body := v.r.PostForm, ownBody{Least: register.MinPassword}
	again := func(reason string) error {
		body.Error = reason
		return v.showAs(http.StatusUnprocessableEntity, "own", body)
	}
	if form.Get("password") != form.Get("again") {
		return again("differ")
	}
	account, err := s.Register.SignIn(v.r.Context(), v.account.Name, form.Get("old"), v.from, s.Now())
	var locked *register.LockedError
	switch {
	case errors.As(err, &locked):
		body.Wait = locked.Wait.Round(time.Second)
		return again("locked")
	case errors.Is(err, register.ErrSignIn):
		return again("wrong")
	case err != nil:
		return err
	}
	err = s.Register.SetPassword(v.r.Context(), v.by(), account.Name, form.Get("password"), false)
	var poor *register.PasswordError
	if errors.As(err, &poor) {
		return again(poor.Reason)
	}
	if err != nil {
		return err
	}
	// All sessions have ended with the old password; this one goes on as a new one.
	v.secret, account.MustChange = "", false
	return s.begin(v, account, "/")
}
