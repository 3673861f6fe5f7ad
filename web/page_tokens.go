package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"tongbao/register"
)

// tokensBody is the page of one's own API tokens.
type tokensBody struct {
	Secret string // of the token just made; it is shown once
	Error  string // key of a text
	Tokens []register.Token
}

func (s *Server) tokens(v *visit) error { return v.showTokens(http.StatusOK, tokensBody{}) }

func (v *visit) showTokens(status int, body tokensBody) (err error) {
	if body.Tokens, err = v.Register.Tokens(v.r.Context(), v.account.Name); err != nil {
		return err
	}
	return v.showAs(status, "tokens", body)
}

// tokenMade makes a token. The answer to the form shows its secret: it is in
// no address and cannot be fetched again.
func (s *Server) tokenMade(v *visit) error {
	days, err := strconv.Atoi(v.r.PostForm.Get("days"))
	if err != nil || days < 1 || days > 365 || v.r.PostForm.Get("title") == "" || len(v.r.PostForm["scope"]) == 0 {
		return v.showTokens(http.StatusUnprocessableEntity, tokensBody{Error: "tokens.wrong"})
	}
	token := register.Token{Account: v.account.Name, Title: v.r.PostForm.Get("title"), ExpiresAt: s.Now().Add(time.Duration(days) * 24 * time.Hour)}
	for _, scope := range v.r.PostForm["scope"] {
		token.Scopes = append(token.Scopes, register.Scope(scope))
	}
	secret, err := s.Register.NewToken(v.r.Context(), v.by(), token)
	if err != nil {
		s.Log.Debug("a token is not made", "error", err)
		return v.showTokens(http.StatusUnprocessableEntity, tokensBody{Error: "tokens.wrong"})
	}
	return v.showTokens(http.StatusOK, tokensBody{Secret: secret})
}

func (s *Server) tokenRevoked(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("token"), 10, 64)
	if err != nil {
		return refuse(http.StatusNotFound, "not_found")
	}
	if err := s.Register.RevokeToken(v.r.Context(), v.by(), v.account.Name, id); errors.Is(err, register.ErrNoToken) {
		return refuse(http.StatusNotFound, "not_found")
	} else if err != nil {
		return err
	}
	return v.redirect("/sql/tokens")
}
