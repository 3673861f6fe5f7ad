package web

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tongbao/register"
)

// OIDC is an identity provider of the town, beside passwords. It only says who
// somebody is: the account, with its role, has to be here already and to name
// the identity.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	Name                           string // what the sign-in page calls it
}

const (
	oidcCookie = "_oidc"
	oidcWithin = 10 * time.Minute // between leaving for the provider and coming back
	oidcAnswer = 10 * time.Second // for the provider to answer us
)

// provider finds out about the identity provider when the first reader wants
// it: it may be down when we start.
type provider struct {
	mu     sync.Mutex
	config *oauth2.Config
	verify *oidc.IDTokenVerifier
}

func (s *Server) oidcProvider(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	p := &s.provider
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.config != nil {
		return p.config, p.verify, nil
	}
	// Its keys are fetched again later, so they must not hang on this request.
	found, err := oidc.NewProvider(context.WithoutCancel(ctx), s.OIDC.Issuer)
	if err != nil {
		return nil, nil, fmt.Errorf("identity provider: %w", err)
	}
	p.config = &oauth2.Config{ClientID: s.OIDC.ClientID, ClientSecret: s.OIDC.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: strings.TrimSuffix(s.URL, "/") + "/oidc/done", Scopes: []string{oidc.ScopeOpenID}}
	p.verify = found.Verifier(&oidc.Config{ClientID: s.OIDC.ClientID})
	return p.config, p.verify, nil
}

// oidcTrip is what the browser carries to the provider and back: it binds the
// answer to the question, and both to this browser.
type oidcTrip struct{ State, Nonce, Verifier, Next string }

func (s *Server) oidcContext(v *visit) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(v.r.Context(), oidcAnswer)
	return oidc.ClientContext(ctx, &http.Client{Timeout: oidcAnswer}), cancel
}

func (s *Server) oidcStart(v *visit) error {
	if s.OIDC == nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	if !s.tries.allow(v.from, s.Now()) {
		return refuse(http.StatusTooManyRequests, "too_many_tries")
	}
	ctx, cancel := s.oidcContext(v)
	defer cancel()
	config, _, err := s.oidcProvider(ctx)
	if err != nil {
		s.Log.Error("nobody can sign in by the identity provider", "error", err)
		return refuse(http.StatusBadGateway, "no_provider")
	}
	trip := oidcTrip{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), Next: localPath(v.r.URL.Query().Get("next"))}
	packed, err := json.Marshal(trip)
	if err != nil {
		return err
	}
	v.setCookie(oidcCookie, base64.RawURLEncoding.EncodeToString(packed), oidcWithin)
	http.Redirect(v.w, v.r, config.AuthCodeURL(trip.State, oidc.Nonce(trip.Nonce), oauth2.S256ChallengeOption(trip.Verifier)), http.StatusSeeOther)
	return nil
}

// oidcDone is where the provider sends the reader back to.
func (s *Server) oidcDone(v *visit) error {
	if s.OIDC == nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	query := v.r.URL.Query()
	trip, err := v.oidcTrip()
	if err != nil || query.Get("code") == "" || subtle.ConstantTimeCompare([]byte(trip.State), []byte(query.Get("state"))) != 1 {
		return refuse(http.StatusForbidden, "old_form")
	}
	v.setCookie(oidcCookie, "", -time.Second) // an answer is taken once
	subject, err := s.identity(v, trip, query.Get("code"))
	if err != nil {
		s.Log.Warn("the answer of the identity provider is not taken", "from", v.from, "error", err)
		return refuse(http.StatusForbidden, "no_identity")
	}
	account, err := s.Register.AccountOf(v.r.Context(), subject)
	if err != nil && !errors.Is(err, register.ErrNoAccount) {
		return err
	}
	entry := register.AuditEntry{At: s.Now(), Account: account.Name, From: v.from, Act: register.ActSignedIn, Object: account.Name, Detail: map[string]any{"role": account.Role, "by": "oidc"}}
	if err != nil || account.IsDisabled {
		entry.Act, entry.Detail = register.ActRefused, map[string]any{"by": "oidc", "disabled": account.IsDisabled}
		return errors.Join(refuse(http.StatusForbidden, "no_identity"), s.Register.Audit(v.r.Context(), entry))
	}
	if err := s.Register.Audit(v.r.Context(), entry); err != nil {
		return err
	}
	return s.begin(v, account, trip.Next)
}

func (v *visit) oidcTrip() (trip oidcTrip, err error) {
	cookie, err := v.r.Cookie(v.cookieName(oidcCookie))
	if err != nil {
		return trip, err
	}
	packed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err == nil {
		err = json.Unmarshal(packed, &trip)
	}
	if err == nil && (trip.State == "" || trip.Nonce == "" || trip.Verifier == "") {
		err = errors.New("the cookie is not whole")
	}
	return trip, err
}

// identity exchanges the provider's code for its signed word on who it is.
func (s *Server) identity(v *visit, trip oidcTrip, code string) (subject string, err error) {
	ctx, cancel := s.oidcContext(v)
	defer cancel()
	config, verifier, err := s.oidcProvider(ctx)
	if err != nil {
		return "", err
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(trip.Verifier))
	if err != nil {
		return "", fmt.Errorf("exchange the code: %w", err)
	}
	raw, isText := token.Extra("id_token").(string)
	if !isText {
		return "", errors.New("the answer has no id_token")
	}
	word, err := verifier.Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare([]byte(word.Nonce), []byte(trip.Nonce)) != 1 {
		return "", errors.New("the nonce is another one's")
	}
	return word.Subject, nil
}
