package web

import (
	"errors"
	"net/http"
	"strings"

	"tongbao/register"
)

// accountsBody is the list of accounts, and the form for another one.
type accountsBody struct {
	Accounts []register.Account
	Roles    []register.Role
	Lines    []string
	Form     register.Account
	Wrong    string // field that is wrong, "" for none
	Link     string // address of a one-time link that was just made
	LinkOf   string
	IsNew    bool
	Provider string // name of the identity provider, "" for none
}

func (s *Server) accounts(v *visit) error {
	return s.showAccounts(v, http.StatusOK, accountsBody{IsNew: true})
}

func (s *Server) showAccounts(v *visit, status int, body accountsBody) error {
	accounts, err := s.Register.Accounts(v.r.Context())
	if err != nil {
		return err
	}
	body.Accounts, body.Roles, body.Lines, body.Provider = accounts, register.Roles(), register.Lines(), s.providerName()
	v.w.Header().Set("Cache-Control", "no-store")
	return v.showAs(status, "accounts", body)
}

// formAccount reads the fields of an account's form.
func (v *visit) formAccount() register.Account {
	form := v.r.PostForm
	account := register.Account{Name: form.Get("name"), Display: form.Get("display"), Role: register.Role(form.Get("role")),
		Subject: strings.TrimSpace(form.Get("subject")), IsDisabled: form.Get("disabled") != ""}
	if account.Role == register.RoleLine {
		account.Line = form.Get("line")
	}
	if account.Role == register.RoleUnit {
		account.Unit = strings.TrimSpace(form.Get("unit"))
	}
	return account
}

// accountAdded adds an account and shows the link that its owner sets a
// password with: whoever manages accounts knows nobody's password.
func (s *Server) accountAdded(v *visit) error {
	account := v.formAccount()
	if err := s.Register.AddAccount(v.r.Context(), v.by(), account, ""); err != nil {
		return s.accountWrong(v, accountsBody{Form: account, IsNew: true}, err)
	}
	return s.showLink(v, account.Name)
}

func (s *Server) showLink(v *visit, name string) error {
	secret, err := s.Register.NewLink(v.r.Context(), v.by(), name)
	if errors.Is(err, register.ErrNoAccount) {
		return refuse(http.StatusNotFound, "no_account")
	}
	if err != nil {
		return err
	}
	address := strings.TrimSuffix(s.URL, "/")
	if address == "" {
		address = "http://"
		if v.isSecure(v.r) {
			address = "https://"
		}
		address += v.r.Host
	}
	return s.showAccounts(v, http.StatusOK, accountsBody{Link: address + LinkPath(secret), LinkOf: name, IsNew: true})
}

func (s *Server) accountWrong(v *visit, body accountsBody, err error) error {
	var wrong *register.AccountError
	if !errors.As(err, &wrong) {
		return err
	}
	body.Wrong = wrong.Field
	return s.showAccounts(v, http.StatusUnprocessableEntity, body)
}

func (s *Server) accountShown(v *visit) error {
	account, err := s.Register.Account(v.r.Context(), v.r.PathValue("name"))
	if errors.Is(err, register.ErrNoAccount) {
		return refuse(http.StatusNotFound, "no_account")
	}
	if err != nil {
		return err
	}
	return s.showAccounts(v, http.StatusOK, accountsBody{Form: account})
}

func (s *Server) accountChanged(v *visit) error {
	account := v.formAccount()
	account.Name = v.r.PathValue("name")
	if old, err := s.Register.Account(v.r.Context(), account.Name); err == nil && s.OIDC == nil {
		account.Subject = old.Subject // the form does not show it
	}
	err := s.Register.SetAccount(v.r.Context(), v.by(), account)
	if errors.Is(err, register.ErrNoAccount) {
		return refuse(http.StatusNotFound, "no_account")
	}
	if err != nil {
		return s.accountWrong(v, accountsBody{Form: account}, err)
	}
	return v.redirect("/accounts")
}

func (s *Server) accountLink(v *visit) error { return s.showLink(v, v.r.PathValue("name")) }
