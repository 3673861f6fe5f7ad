package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tongbao/register"
)

// signInBody is the page where one signs in.
type signInBody struct {
	Name, Next string
	Error      string        // key of what went wrong, "" for nothing
	Wait       time.Duration // until the name may be tried again
	Provider   string        // name of the identity provider, "" for none
}

func (s *Server) providerName() string {
	if s.OIDC == nil {
		return ""
	}
	return s.OIDC.Name
}

func (s *Server) signIn(v *visit) error {
	if v.account.Name != "" {
		return v.redirect(v.r.URL.Query().Get("next"))
	}
	return v.show("signin", signInBody{Next: localPath(v.r.URL.Query().Get("next")), Provider: s.providerName()})
}

func (s *Server) signInDone(v *visit) error {
	form := v.r.PostForm
	body := signInBody{Name: form.Get("name"), Next: localPath(form.Get("next")), Provider: s.providerName()}
	if !s.tries.allow(v.from, s.Now()) {
		return refuse(http.StatusTooManyRequests, "too_many_tries")
	}
	account, err := s.Register.SignIn(v.r.Context(), body.Name, form.Get("password"), v.from, s.Now())
	var locked *register.LockedError
	switch {
	case errors.As(err, &locked):
		body.Error, body.Wait = "locked", locked.Wait.Round(time.Second)
		v.w.Header().Set("Retry-After", "60")
		return v.showAs(http.StatusTooManyRequests, "signin", body)
	case errors.Is(err, register.ErrSignIn):
		body.Error = "wrong"
		return v.showAs(http.StatusUnauthorized, "signin", body)
	case err != nil:
		return err
	}
	return s.begin(v, account, body.Next)
}

// begin gives the reader a session of its own making: what the browser brought
// along is worth nothing.
func (s *Server) begin(v *visit, account register.Account, next string) error {
	if v.secret != "" {
		if err := s.Register.EndSession(v.r.Context(), v.by(), v.secret); err != nil {
			return err
		}
	}
	secret, err := s.Register.NewSession(v.r.Context(), account.Name, v.from, s.Now())
	if err != nil {
		return err
	}
	v.setCookie("", secret, register.SessionMost)
	v.setCookie(formCookie, "", -time.Second)
	if account.MustChange {
		next = "/own"
	}
	return v.redirect(next)
}

func (s *Server) signOut(v *visit) error {
	if err := s.Register.EndSession(v.r.Context(), v.by(), v.secret); err != nil {
		return err
	}
	return v.forget()
}

func (s *Server) signOutEverywhere(v *visit) error {
	if err := s.Register.EndSessions(v.r.Context(), v.by(), v.account.Name); err != nil {
		return err
	}
	return v.forget()
}

// forget takes the session out of the browser, with the pages it kept.
func (v *visit) forget() error {
	v.setCookie("", "", -time.Second)
	v.w.Header().Set("Clear-Site-Data", `"cache"`)
	return v.redirect("/sign-in")
}

// LinkPath is the address, on this server, of a one-time link.
func LinkPath(secret string) string { return "/welcome?link=" + url.QueryEscape(secret) }

// welcomeBody is the page of a one-time link, where a password is set.
type welcomeBody struct {
	Secret string
	Error  string // reason of a register.PasswordError, "differ", or ""
	Least  int
}

func (s *Server) welcome(v *visit) error {
	secret := v.r.URL.Query().Get("link")
	if err := s.Register.CheckLink(v.r.Context(), secret, s.Now()); err != nil {
		return linkError(err)
	}
	return v.show("welcome", welcomeBody{Secret: secret, Least: register.MinPassword})
}

func linkError(err error) error {
	if errors.Is(err, register.ErrNoLink) {
		return refuse(http.StatusGone, "no_link")
	}
	return err
}

func (s *Server) welcomeDone(v *visit) error {
	form := v.r.PostForm
	if !s.tries.allow(v.from, s.Now()) {
		return refuse(http.StatusTooManyRequests, "too_many_tries")
	}
	body := welcomeBody{Secret: form.Get("link"), Least: register.MinPassword}
	if form.Get("password") != form.Get("again") {
		body.Error = "differ"
		return v.showAs(http.StatusUnprocessableEntity, "welcome", body)
	}
	account, err := s.Register.UseLink(v.r.Context(), body.Secret, form.Get("password"), v.from, s.Now())
	var poor *register.PasswordError
	if errors.As(err, &poor) {
		body.Error = poor.Reason
		return v.showAs(http.StatusUnprocessableEntity, "welcome", body)
	}
	if err != nil {
		return linkError(err)
	}
	return s.begin(v, account, "/")
}

// setLocale keeps the language in the browser.
func (s *Server) setLocale(v *visit) error {
	if name := v.r.PostForm.Get("locale"); slices.Contains(localeNames(), name) {
		v.setCookie(localeCookie, name, 365*24*time.Hour)
	}
	next := localPath(v.r.PostForm.Get("next"))
	if parsed, err := url.Parse(next); err != nil || parsed.Path == "/locale" {
		next = "/"
	}
	return v.redirect(next)
}
