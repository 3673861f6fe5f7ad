// Package register is the only package that knows SQLite. It holds what is
// born here and cannot be rebuilt from deliveries: the salt of the hashes, the
// state of each month, the versions that were published, runs, accounts, who
// sees what, and the audit log.
package register

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	_ "modernc.org/sqlite"

	"tongbao"
)

// Register is an open register.db. It may be used by several goroutines.
type Register struct {
	db      *sql.DB
	hashing chan struct{} // a place for each password that is being hashed
}

const schema = `
create table if not exists setting (key text primary key, value text not null) strict;
create table if not exists period (month text primary key, state text not null, since text not null) strict;
create table if not exists version (
    month text not null, number integer not null, build text not null,
    published_at text not null, primary key (month, number)
) strict;
`

// Open opens the register at path and makes it when it is missing.
func Open(ctx context.Context, path string) (*Register, error) {
	// SQLite would make the file readable by all; -wal and -shm take its mode.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open register: %w", err)
	}
	file.Close()
	// Full synchronous: an acknowledged act survives a power cut. Immediate:
	// a transaction that reads before it writes must not find, when it writes,
	// that another process was faster.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open register %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema+runSchema+noticeSchema+accountSchema+auditSchema+savedQuerySchema); err != nil {
		db.Close()
		return nil, fmt.Errorf("open register %s: %w", path, err)
	}
	return &Register{db, make(chan struct{}, hashesAtOnce)}, nil
}

// Close closes the register.
func (r *Register) Close() error { return r.db.Close() }

// Salt returns the secret that hashes of homes and callers are made with. It
// is drawn on first use and never changes, or the hashes of old and new rows
// would not meet.
func (r *Register) Salt(ctx context.Context) (string, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return "", err
	}
	_, err := r.db.ExecContext(ctx, "insert into setting values ('salt', ?) on conflict do nothing", hex.EncodeToString(fresh))
	if err != nil {
		return "", fmt.Errorf("draw salt: %w", err)
	}
	var salt string
	err = r.db.QueryRowContext(ctx, "select value from setting where key = 'salt'").Scan(&salt)
	return salt, err
}

// SetSalt gives a new register its salt; it fails when there is one already.
func (r *Register) SetSalt(ctx context.Context, salt string) error {
	_, err := r.db.ExecContext(ctx, "insert into setting values ('salt', ?)", salt)
	if err != nil {
		return fmt.Errorf("set salt: %w", err)
	}
	return nil
}

// State is where a month stands.
type State string

const (
	Collecting  State = "open"
	Provisional State = "provisional"
	Locked      State = "locked"
)

// Period is one month and its state.
type Period struct {
	Month tongbao.Month
	State State
}

// Periods lists the months that have a state, oldest first. A month without a
// row is open.
func (r *Register) Periods(ctx context.Context) ([]Period, error) {
	rows, err := r.db.QueryContext(ctx, "select month, state from period order by month")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var periods []Period
	for rows.Next() {
		var month, state string
		if err := rows.Scan(&month, &state); err != nil {
			return nil, err
		}
		parsed, err := tongbao.ParseMonth(month)
		if err != nil {
			return nil, err
		}
		periods = append(periods, Period{parsed, State(state)})
	}
	return periods, rows.Err()
}

// ErrLocked is returned when a locked month would change.
var ErrLocked = errors.New("the month is locked; only a correction in a later bulletin can follow")

// SetState moves a month to a state. A locked month stays locked.
func (r *Register) SetState(ctx context.Context, month tongbao.Month, state State, now time.Time) error {
	result, err := r.db.ExecContext(ctx, `insert into period values (?, ?, ?)
		on conflict (month) do update set state = excluded.state, since = excluded.since
		where period.state <> 'locked'`, month.String(), string(state), now.Format(time.RFC3339))
	if err != nil {
		return fmt.Errorf("set %s %s: %w", month, state, err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return errors.Join(fmt.Errorf("set %s %s: %w", month, state, ErrLocked), err)
	}
	return nil
}

// AddVersion records a publication; saying the same again changes nothing.
func (r *Register) AddVersion(ctx context.Context, month tongbao.Month, number int, build string, now time.Time) error {
	_, err := r.db.ExecContext(ctx, "insert into version values (?, ?, ?, ?) on conflict do nothing",
		month.String(), number, build, now.Format(time.RFC3339))
	if err != nil {
		return fmt.Errorf("add version %d of %s: %w", number, month, err)
	}
	return nil
}
