package register

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of a session and of a one-time link.
const (
	SessionIdle = 30 * time.Minute
	SessionMost = 12 * time.Hour
	LinkHolds   = 24 * time.Hour
	// seenStep is how exactly the idle time is known: a page view is not worth
	// a write.
	seenStep = time.Minute
)

// Errors of sessions, links and tokens.
var (
	ErrNoSession = errors.New("nobody is signed in")
	ErrNoLink    = errors.New("the link was used already, or is older than a day")
	ErrNoToken   = errors.New("the token is unknown, revoked or too old")
)

// newSecret draws 256 bits, as text for a cookie or link.
func newSecret() (string, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(secret), nil
}

// secretHash is what is kept of a secret: who reads the register can use none.
func secretHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewSession begins a session of an account that signed in and returns its
// secret. It clears away sessions that are over.
func (r *Register) NewSession(ctx context.Context, account, from string, now time.Time) (secret string, err error) {
	if secret, err = newSecret(); err != nil {
		return "", err
	}
	return secret, r.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from session where seen_at < ? or created_at < ?", moment(now.Add(-SessionIdle)), moment(now.Add(-SessionMost))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "insert into session values (?, ?, ?, ?, ?)", secretHash(secret), foldName(account), from, moment(now), moment(now))
		return err
	})
}

// Session returns the account of a session's secret and counts as a sign of
// life; ErrNoSession if it is unknown, over, or of a disabled account.
func (r *Register) Session(ctx context.Context, secret string, now time.Time) (Account, error) {
	if secret == "" {
		return Account{}, ErrNoSession
	}
	var created, seen string
	account, err := scanAccount(r.db.QueryRowContext(ctx, "select "+accountColumns+`, begun_at, seen_at
		from account join (select account, created_at as begun_at, seen_at from session where token_hash = ?) on name = account`, secretHash(secret)), &created, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNoSession
	}
	if err != nil {
		return Account{}, fmt.Errorf("read session: %w", err)
	}
	begun, err := parseMoment(created)
	if err != nil {
		return Account{}, err
	}
	last, err := parseMoment(seen)
	if err != nil {
		return Account{}, err
	}
	if account.IsDisabled || now.Sub(last) > SessionIdle || now.Sub(begun) > SessionMost {
		return Account{}, ErrNoSession
	}
	if now.Sub(last) > seenStep {
		if _, err := r.db.ExecContext(ctx, "update session set seen_at = ? where token_hash = ?", moment(now), secretHash(secret)); err != nil {
			return Account{}, fmt.Errorf("keep session: %w", err)
		}
	}
	return account, nil
}

// EndSession ends one session.
func (r *Register) EndSession(ctx context.Context, by By, secret string) error {
	return r.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from session where token_hash = ?", secretHash(secret)); err != nil {
			return err
		}
		return addAudit(ctx, tx, by.entry(ActSignedOut, by.Account, nil))
	})
}

// EndSessions ends all sessions of an account.
func (r *Register) EndSessions(ctx context.Context, by By, account string) error {
	return r.change(ctx, func(tx *sql.Tx) error {
		if err := endSessions(ctx, tx, foldName(account)); err != nil {
			return err
		}
		return addAudit(ctx, tx, by.entry(ActSignedOut, foldName(account), map[string]any{"everywhere": true}))
	})
}

func endSessions(ctx context.Context, tx *sql.Tx, account string) error {
	if _, err := tx.ExecContext(ctx, "delete from session where account = ?", account); err != nil {
		return fmt.Errorf("end sessions of %s: %w", account, err)
	}
	return nil
}

// NewLink makes a link's secret with which the account's password can be set
// once, within LinkHolds. It takes the place of an earlier one.
func (r *Register) NewLink(ctx context.Context, by By, name string) (secret string, err error) {
	name = foldName(name)
	if _, err := r.Account(ctx, name); err != nil {
		return "", err
	}
	if secret, err = newSecret(); err != nil {
		return "", err
	}
	return secret, r.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from account_link where account = ? or expires_at < ?", name, moment(by.At)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "insert into account_link values (?, ?, ?)", secretHash(secret), name, moment(by.At.Add(LinkHolds))); err != nil {
			return err
		}
		return addAudit(ctx, tx, by.entry(ActLinkMade, name, nil))
	})
}

// UseLink sets the password that a link is for; a password that is not taken
// leaves the link as it is.
func (r *Register) UseLink(ctx context.Context, secret, password, from string, now time.Time) (Account, error) {
	var account Account
	// The hash is made before the transaction, which would hold up everybody.
	name, err := linkAccount(ctx, r.db, secret, now)
	if err != nil {
		return account, err
	}
	if err := checkPassword(password, name); err != nil {
		return account, err
	}
	hash, err := r.hashPassword(ctx, password)
	if err != nil {
		return account, err
	}
	err = r.change(ctx, func(tx *sql.Tx) error {
		again, err := linkAccount(ctx, tx, secret, now)
		if err != nil || again != name {
			return errors.Join(ErrNoLink, err)
		}
		return setPassword(ctx, tx, By{name, from, now}, name, hash, false)
	})
	if err != nil {
		return account, err
	}
	return r.Account(ctx, name)
}

// CheckLink says whether a link can still be used.
func (r *Register) CheckLink(ctx context.Context, secret string, now time.Time) error {
	_, err := linkAccount(ctx, r.db, secret, now)
	return err
}

func linkAccount(ctx context.Context, db queryer, secret string, now time.Time) (name string, err error) {
	err = db.QueryRowContext(ctx, `select account from account_link join account on account.name = account
		where token_hash = ? and expires_at > ? and is_disabled = 0`, secretHash(secret), moment(now)).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNoLink
	}
	return name, err
}

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
