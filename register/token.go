package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrNoToken is returned for a token that opens nothing.
var ErrNoToken = errors.New("the token is unknown, revoked or too old")

// Scope is what an API token may be used for, inside what its account may.
type Scope string

const (
	ScopeRead  Scope = "read"  // the JSON API
	ScopeQuery Scope = "query" // SQL over the JSON API
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeQuery} }

// Token is an API token without its secret.
type Token struct {
	ID                           int64
	Account, Title               string
	Scopes                       []Scope
	CreatedAt, ExpiresAt, UsedAt time.Time
	IsRevoked                    bool
}

// tokenPrefix lets people and scanners see what a leaked secret is.
const tokenPrefix = "tongbao_"

// TokenHolds is the longest life of an API token.
const TokenHolds = 366 * 24 * time.Hour

// NewToken makes an API token of an account; the secret is shown once.
func (r *Register) NewToken(ctx context.Context, by By, t Token) (secret string, err error) {
	if t.Title = strings.TrimSpace(t.Title); t.Title == "" || len(t.Title) > 200 {
		return "", fmt.Errorf("api token: want a title of at most 200 bytes")
	}
	if len(t.Scopes) == 0 || slices.ContainsFunc(t.Scopes, func(s Scope) bool { return !slices.Contains(Scopes(), s) }) {
		return "", fmt.Errorf("api token %q: want one or more scopes of %s, %s", t.Title, ScopeRead, ScopeQuery)
	}
	if t.ExpiresAt.Before(by.At) || t.ExpiresAt.After(by.At.Add(TokenHolds)) {
		return "", fmt.Errorf("api token %q: want an end within a year", t.Title)
	}
	if secret, err = newSecret(); err != nil {
		return "", err
	}
	secret = tokenPrefix + secret
	scopes := make([]string, len(t.Scopes))
	for i, scope := range t.Scopes {
		scopes[i] = string(scope)
	}
	return secret, r.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into api_token (account, title, token_hash, scopes, created_at, expires_at, used_at, revoked_at)
			values (?, ?, ?, ?, ?, ?, '', '')`, foldName(t.Account), t.Title, secretHash(secret), strings.Join(scopes, " "), moment(by.At), moment(t.ExpiresAt))
		if err != nil {
			return fmt.Errorf("api token %q: %w", t.Title, err)
		}
		return addAudit(ctx, tx, by.entry(ActTokenMade, foldName(t.Account), map[string]any{"title": t.Title, "scopes": scopes}))
	})
}

// Tokens lists the tokens of an account, newest first.
func (r *Register) Tokens(ctx context.Context, account string) ([]Token, error) {
	rows, err := r.db.QueryContext(ctx, `select token_id, account, title, scopes, created_at, expires_at, used_at, revoked_at <> ''
		from api_token where account = ? order by token_id desc`, foldName(account))
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer rows.Close()
	var tokens []Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		tokens = append(tokens, t)
	}
	return tokens, rows.Err()
}

func scanToken(row interface{ Scan(...any) error }) (t Token, err error) {
	var scopes string
	var moments [3]string
	if err = row.Scan(&t.ID, &t.Account, &t.Title, &scopes, &moments[0], &moments[1], &moments[2], &t.IsRevoked); err != nil {
		return t, err
	}
	for _, scope := range strings.Fields(scopes) {
		t.Scopes = append(t.Scopes, Scope(scope))
	}
	for i, into := range []*time.Time{&t.CreatedAt, &t.ExpiresAt, &t.UsedAt} {
		if *into, err = parseMoment(moments[i]); err != nil {
			return t, err
		}
	}
	return t, nil
}

// RevokeToken ends a token of an account.
func (r *Register) RevokeToken(ctx context.Context, by By, account string, id int64) error {
	return r.change(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "update api_token set revoked_at = ? where token_id = ? and account = ? and revoked_at = ''", moment(by.At), id, foldName(account))
		if err != nil {
			return fmt.Errorf("revoke token %d: %w", id, err)
		}
		if changed, err := result.RowsAffected(); err != nil || changed == 0 {
			return errors.Join(ErrNoToken, err)
		}
		return addAudit(ctx, tx, by.entry(ActTokenRevoked, foldName(account), map[string]any{"token": id}))
	})
}

// Token returns the account and the scopes of an API token's secret;
// ErrNoToken if it cannot be used.
func (r *Register) Token(ctx context.Context, secret string, now time.Time) (Account, []Scope, error) {
	t, err := scanToken(r.db.QueryRowContext(ctx, `select token_id, account, title, scopes, created_at, expires_at, used_at, revoked_at <> ''
		from api_token where token_hash = ?`, secretHash(secret)))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (t.IsRevoked || now.After(t.ExpiresAt)) {
		return Account{}, nil, ErrNoToken
	}
	if err != nil {
		return Account{}, nil, err
	}
	account, err := r.Account(ctx, t.Account)
	if err != nil || account.IsDisabled {
		return Account{}, nil, errors.Join(ErrNoToken, err)
	}
	if now.Sub(t.UsedAt) > seenStep {
		_, err = r.db.ExecContext(ctx, "update api_token set used_at = ? where token_id = ?", moment(now), t.ID)
	}
	return account, t.Scopes, err
}
