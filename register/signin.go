package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Bounds of trying. They hold for names that no account has too, so that
// nobody learns which names there are.
const (
	FreeFailures   = 5                // tries without a wait
	FirstLock      = time.Minute      // after the fifth failure; doubled by each further one
	LongestLock    = 30 * time.Minute // so that nobody can lock others out for a day
	forgetFailures = 24 * time.Hour   // after the last one
)

// LockedError is returned for a name that failed too often.
type LockedError struct{ Wait time.Duration }

func (e *LockedError) Error() string {
	return fmt.Sprintf("too many failed tries for this name; try again in %s", e.Wait.Round(time.Second))
}

// SignIn returns the account whose name and password these are, and writes the
// try down. Anything else is ErrSignIn, after the same time and whether or not
// there is an account, or a *LockedError. The caller looks at MustChange.
func (r *Register) SignIn(ctx context.Context, name, password, from string, now time.Time) (Account, error) {
	name = foldName(name)
	// The try is counted before it is looked at: a hundred at the same moment
	// are a hundred.
	if err := r.countTry(ctx, name, from, now); err != nil {
		return Account{}, err
	}
	var hash string
	err := r.db.QueryRowContext(ctx, "select password from account where name = ?", name).Scan(&hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Account{}, fmt.Errorf("sign in: %w", err)
	}
	fits, isCurrent, err := r.fits(ctx, password, hash)
	if err != nil {
		return Account{}, err
	}
	fresh := hash
	if fits && !isCurrent {
		if fresh, err = r.hashPassword(ctx, password); err != nil {
			return Account{}, err
		}
	}
	var account Account
	err = r.change(ctx, func(tx *sql.Tx) error {
		account, err = settleTry(ctx, tx, By{Account: name, From: from, At: now}, fits, hash, fresh)
		return err
	})
	if err == nil && account.Name == "" {
		err = ErrSignIn
	}
	return account, err
}

// settleTry lets in, or refuses with the zero account, who gave a password that
// fits a hash or not. Hashing takes a while: what counts is the account as it
// stands now, and another password than that hash's stays as it is.
func settleTry(ctx context.Context, tx *sql.Tx, by By, fits bool, hash, fresh string) (Account, error) {
	var stands bool
	account, err := scanAccount(tx.QueryRowContext(ctx, "select "+accountColumns+", password = ? from account where name = ?", hash, by.Account), &stands)
	isKnown := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Account{}, fmt.Errorf("sign in: %w", err)
	}
	if !fits || !stands || account.IsDisabled {
		// What was typed as a name may be a password: it is kept only if it is one.
		if !isKnown {
			by.Account = ""
		}
		return Account{}, addAudit(ctx, tx, by.entry(ActRefused, by.Account, map[string]any{"known": isKnown, "disabled": account.IsDisabled}))
	}
	if _, err := tx.ExecContext(ctx, "delete from sign_in_failure where name_hash = ?", secretHash(account.Name)); err != nil {
		return Account{}, err
	}
	if _, err := tx.ExecContext(ctx, "update account set password = ? where name = ?", fresh, account.Name); err != nil {
		return Account{}, err
	}
	return account, addAudit(ctx, tx, by.entry(ActSignedIn, account.Name, map[string]any{"role": account.Role}))
}

// countTry counts a try as failed until it is known better, and refuses it
// while the name is locked.
func (r *Register) countTry(ctx context.Context, name, from string, now time.Time) error {
	var locked time.Duration
	err := r.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from sign_in_failure where last_at < ?", moment(now.Add(-forgetFailures))); err != nil {
			return err
		}
		var failures int
		var until string
		err := tx.QueryRowContext(ctx, "select failures, locked_until from sign_in_failure where name_hash = ?", secretHash(name)).Scan(&failures, &until)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		end, err := parseMoment(until)
		if err != nil {
			return err
		}
		if locked = end.Sub(now); locked > 0 {
			return nil
		}
		failures++
		end = time.Time{}
		if failures >= FreeFailures {
			end = now.Add(lockAfter(failures))
		}
		_, err = tx.ExecContext(ctx, "insert or replace into sign_in_failure values (?, ?, ?, ?)", secretHash(name), failures, moment(now), moment(end))
		return err
	})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if locked > 0 {
		return &LockedError{locked}
	}
	return nil
}

// lockAfter is the wait after so many failures.
func lockAfter(failures int) time.Duration {
	return min(FirstLock<<min(failures-FreeFailures, 10), LongestLock)
}
