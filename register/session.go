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

// Errors of sessions and links.
var (
	ErrNoSession = errors.New("nobody is signed in")
	ErrNoLink    = errors.New("the link was used already, or is older than a day")
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
