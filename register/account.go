package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Account is somebody who may sign in.
type Account struct {
	Name        string // 2 to 32 letters, digits, '.', '_' or '-', lower case
	Display     string // how pages call the person or post
	Role        Role
	Line        string // one of the nine, of the role line; "" else
	Unit        string // code of a community, of the role unit; "" else
	IsDisabled  bool
	MustChange  bool // the password, before anything else
	HasPassword bool
	Subject     string // of the identity provider, "" if none
	CreatedAt   time.Time
}

const accountSchema = `
create table if not exists account (
    name text primary key, display text not null, role text not null, line text not null, unit text not null,
    password text not null, must_change integer not null, is_disabled integer not null, subject text not null, created_at text not null
) strict;
create unique index if not exists account_subject on account (subject) where subject <> '';
create table if not exists sign_in_failure (
    name_hash text primary key, failures integer not null, last_at text not null, locked_until text not null
) strict;
create table if not exists session (
    token_hash text primary key, account text not null references account, address text not null,
    created_at text not null, seen_at text not null
) strict;
create index if not exists session_account on session (account);
create table if not exists account_link (
    token_hash text primary key, account text not null references account, expires_at text not null
) strict;
create table if not exists api_token (
    token_id integer primary key autoincrement, account text not null references account, title text not null, token_hash text not null unique,
    scopes text not null, created_at text not null, expires_at text not null, used_at text not null, revoked_at text not null
) strict;
`

// Errors of accounts.
var (
	ErrNoAccount = errors.New("there is no such account")
	ErrSignIn    = errors.New("the name or the password is wrong")
)

// AccountError says what is wrong with an account: Field is name, display,
// role, line or unit.
type AccountError struct{ Field, Text string }

func (e *AccountError) Error() string { return e.Text }

var namePattern = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]{1,31}$`)

// lines are the nine, as the rubric names them.
var lines = strings.Fields("party law economy safety environment welfare culture city property")

// Lines lists the codes of the nine lines.
func Lines() []string { return slices.Clone(lines) }

// foldName is how names are kept and compared.
func foldName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (a *Account) check() error {
	a.Name, a.Display = foldName(a.Name), strings.TrimSpace(a.Display)
	if a.Display == "" {
		a.Display = a.Name
	}
	switch {
	case !namePattern.MatchString(a.Name):
		return &AccountError{"name", fmt.Sprintf("account name %q: want 2 to 32 letters, digits, '.', '_' or '-', a letter or digit first", a.Name)}
	case utf8.RuneCountInString(a.Display) > 64 || strings.ContainsFunc(a.Display, func(r rune) bool { return r < ' ' }):
		return &AccountError{"display", "display name: want at most 64 characters on one line"}
	case !slices.Contains(Roles(), a.Role):
		return &AccountError{"role", fmt.Sprintf("role %q: want one of %s", a.Role, joinRoles())}
	case (a.Role == RoleLine) != (a.Line != ""):
		return &AccountError{"line", "a line goes with the role line, and with no other"}
	case a.Line != "" && !slices.Contains(lines, a.Line):
		return &AccountError{"line", fmt.Sprintf("line %q: want one of %s", a.Line, strings.Join(lines, ", "))}
	case (a.Role == RoleUnit) != (a.Unit != ""):
		return &AccountError{"unit", "a community's code goes with the role unit, and with no other"}
	}
	return nil
}

func joinRoles() string {
	var names []string
	for _, role := range Roles() {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

// AddAccount adds an account. With a password of "" nobody can sign in until a
// link is used.
func (r *Register) AddAccount(ctx context.Context, by By, a Account, password string) error {
	if err := a.check(); err != nil {
		return err
	}
	hash := ""
	if password != "" {
		if err := checkPassword(password, a.Name); err != nil {
			return err
		}
		var err error
		if hash, err = r.hashPassword(ctx, password); err != nil {
			return err
		}
	}
	return r.change(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "insert into account values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
			a.Name, a.Display, string(a.Role), a.Line, a.Unit, hash, a.MustChange, a.IsDisabled, a.Subject, moment(by.At))
		if err != nil {
			return fmt.Errorf("add account %s: %w", a.Name, err)
		}
		if added, err := result.RowsAffected(); err != nil || added == 0 {
			return errors.Join(&AccountError{"name", fmt.Sprintf("account %s: there is one already, or its identity is another account's", a.Name)}, err)
		}
		return addAudit(ctx, tx, by.entry(ActAccountAdded, a.Name, a.detail()))
	})
}

func (b By) entry(act, object string, detail map[string]any) AuditEntry {
	return AuditEntry{At: b.At, Account: b.Account, From: b.From, Act: act, Object: object, Detail: detail}
}

func (a Account) detail() map[string]any {
	return map[string]any{"role": a.Role, "line": a.Line, "unit": a.Unit, "disabled": a.IsDisabled}
}

const accountColumns = "name, display, role, line, unit, password <> '', must_change, is_disabled, subject, created_at"

func scanAccount(row interface{ Scan(...any) error }, more ...any) (a Account, err error) {
	var created string
	fields := []any{&a.Name, &a.Display, &a.Role, &a.Line, &a.Unit, &a.HasPassword, &a.MustChange, &a.IsDisabled, &a.Subject, &created}
	if err = row.Scan(append(fields, more...)...); err != nil {
		return a, err
	}
	a.CreatedAt, err = parseMoment(created)
	return a, err
}

// Accounts lists all accounts by name.
func (r *Register) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := r.db.QueryContext(ctx, "select "+accountColumns+" from account order by name")
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	var accounts []Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, fmt.Errorf("read accounts: %w", err)
		}
		accounts = append(accounts, a)
	}
	return accounts, rows.Err()
}

// Account returns one account; ErrNoAccount if there is none.
func (r *Register) Account(ctx context.Context, name string) (Account, error) {
	return oneAccount(r.db.QueryRowContext(ctx, "select "+accountColumns+" from account where name = ?", foldName(name)), name)
}

// AccountOf returns the account of an identity provider's subject.
func (r *Register) AccountOf(ctx context.Context, subject string) (Account, error) {
	return oneAccount(r.db.QueryRowContext(ctx, "select "+accountColumns+" from account where subject = ? and subject <> ''", subject), "of this identity")
}

func oneAccount(row *sql.Row, name string) (Account, error) {
	a, err := scanAccount(row)
	if errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("account %s: %w", foldName(name), ErrNoAccount)
	}
	return a, err
}

// SetAccount changes display, role, line, unit, subject and whether the account
// is disabled. Its sessions end: what it may do is decided anew at the next
// sign-in.
func (r *Register) SetAccount(ctx context.Context, by By, a Account) error {
	if err := a.check(); err != nil {
		return err
	}
	return r.change(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "update account set display = ?, role = ?, line = ?, unit = ?, is_disabled = ?, subject = ? where name = ?",
			a.Display, string(a.Role), a.Line, a.Unit, a.IsDisabled, a.Subject, a.Name)
		if err != nil {
			return fmt.Errorf("change account %s: %w", a.Name, err)
		}
		if changed, err := result.RowsAffected(); err != nil || changed == 0 {
			return errors.Join(fmt.Errorf("account %s: %w", a.Name, ErrNoAccount), err)
		}
		if err := endSessions(ctx, tx, a.Name); err != nil {
			return err
		}
		return addAudit(ctx, tx, by.entry(ActAccountChanged, a.Name, a.detail()))
	})
}

// SetPassword gives an account a password; its sessions and links end.
// mustChange wants another one at the next sign-in.
func (r *Register) SetPassword(ctx context.Context, by By, name, password string, mustChange bool) error {
	name = foldName(name)
	if err := checkPassword(password, name); err != nil {
		return err
	}
	hash, err := r.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return r.change(ctx, func(tx *sql.Tx) error { return setPassword(ctx, tx, by, name, hash, mustChange) })
}

func setPassword(ctx context.Context, tx *sql.Tx, by By, name, hash string, mustChange bool) error {
	result, err := tx.ExecContext(ctx, "update account set password = ?, must_change = ? where name = ?", hash, mustChange, name)
	if err != nil {
		return fmt.Errorf("password of %s: %w", name, err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return errors.Join(fmt.Errorf("account %s: %w", name, ErrNoAccount), err)
	}
	if err := endSessions(ctx, tx, name); err != nil {
		return err
	}
	for _, statement := range []string{"delete from account_link where account = ?", "delete from sign_in_failure where name_hash = ?"} {
		key := name
		if strings.Contains(statement, "name_hash") {
			key = secretHash(name)
		}
		if _, err := tx.ExecContext(ctx, statement, key); err != nil {
			return fmt.Errorf("password of %s: %w", name, err)
		}
	}
	return addAudit(ctx, tx, by.entry(ActPassword, name, nil))
}
