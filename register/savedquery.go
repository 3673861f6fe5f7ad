package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SavedQuery is a query that somebody keeps for everybody who may ask with
// SQL. Its title is its owner's once: saving again replaces it.
type SavedQuery struct {
	ID         int64
	Owner      string // account
	OwnerShown string // the account's display name
	Title, SQL string
	SavedAt    time.Time
}

// MaxSavedTitle is in characters; the SQL's length is the guard's business.
const MaxSavedTitle = 100

// maxSaved is how many queries one account may keep.
const maxSaved = 500

const savedQuerySchema = `
create table if not exists saved_query (
    query_id integer primary key autoincrement, owner text not null references account, title text not null, statement text not null,
    saved_at text not null, unique (owner, title)
) strict;
`

// Errors of saved queries.
var (
	ErrNoSavedQuery = errors.New("there is no such saved query, or it is another account's")
	ErrSavedTitle   = fmt.Errorf("a saved query needs a title of at most %d characters and a statement of at most 64 KiB", MaxSavedTitle)
	ErrSavedMany    = fmt.Errorf("an account keeps at most %d queries", maxSaved)
)

// SaveQuery keeps a query of the acting account and returns its number.
func (r *Register) SaveQuery(ctx context.Context, by By, title, statement string) (id int64, err error) {
	title = strings.Join(strings.Fields(title), " ")
	if title == "" || len([]rune(title)) > MaxSavedTitle || strings.TrimSpace(statement) == "" || len(statement) > 64<<10 {
		return 0, ErrSavedTitle
	}
	owner := foldName(by.Account)
	err = r.change(ctx, func(tx *sql.Tx) error {
		var kept int
		if err := tx.QueryRowContext(ctx, "select count(*) from saved_query where owner = ? and title <> ?", owner, title).Scan(&kept); err != nil {
			return err
		}
		if kept >= maxSaved {
			return ErrSavedMany
		}
		err := tx.QueryRowContext(ctx, `insert into saved_query (owner, title, statement, saved_at) values (?, ?, ?, ?)
			on conflict (owner, title) do update set statement = excluded.statement, saved_at = excluded.saved_at returning query_id`,
			owner, title, statement, moment(by.At)).Scan(&id)
		if err != nil {
			return fmt.Errorf("save query %q: %w", title, err)
		}
		return addAudit(ctx, tx, by.entry(ActQuerySaved, title, map[string]any{"sql": statement}))
	})
	return id, err
}

// RemoveQuery removes a saved query of the acting account.
func (r *Register) RemoveQuery(ctx context.Context, by By, id int64) error {
	return r.change(ctx, func(tx *sql.Tx) error {
		var title string
		err := tx.QueryRowContext(ctx, "delete from saved_query where query_id = ? and owner = ? returning title", id, foldName(by.Account)).Scan(&title)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoSavedQuery
		}
		if err != nil {
			return fmt.Errorf("remove query %d: %w", id, err)
		}
		return addAudit(ctx, tx, by.entry(ActQueryRemoved, title, nil))
	})
}

// SavedQueries lists the saved queries of all accounts, newest first.
func (r *Register) SavedQueries(ctx context.Context) ([]SavedQuery, error) {
	rows, err := r.db.QueryContext(ctx, `select query_id, owner, coalesce(account.display, owner), title, statement, saved_at
		from saved_query left join account on account.name = owner order by saved_at desc, query_id desc`)
	if err != nil {
		return nil, fmt.Errorf("read saved queries: %w", err)
	}
	defer rows.Close()
	var saved []SavedQuery
	for rows.Next() {
		var q SavedQuery
		var at string
		if err := rows.Scan(&q.ID, &q.Owner, &q.OwnerShown, &q.Title, &q.SQL, &at); err != nil {
			return nil, fmt.Errorf("read saved queries: %w", err)
		}
		if q.SavedAt, err = parseMoment(at); err != nil {
			return nil, fmt.Errorf("saved query %d: %w", q.ID, err)
		}
		saved = append(saved, q)
	}
	return saved, rows.Err()
}
