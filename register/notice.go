package register

import (
	"context"
	"fmt"
	"time"
)

// Notice is one message to one channel, waiting or settled. A channel gets a
// key once: saying the same again changes nothing.
type Notice struct {
	ID        int64
	Channel   string // name in tongbao.yaml
	Key       string // what it is about, such as published/2026-10/v1
	Event     string // failed, late, missed, quarantine, published or refused
	Title     string
	Text      string
	Run       int64 // 0 if it is about none
	CreatedAt time.Time
	Attempts  int
	NextAt    time.Time // not tried before
	Error     string    // of the last attempt
}

// NoticeState is what became of a notice.
type NoticeState string

const (
	Waiting NoticeState = "waiting"
	Sent    NoticeState = "sent"
	GivenUp NoticeState = "given up"
)

const noticeSchema = `
create table if not exists notice (
    notice_id integer primary key autoincrement,
    channel text not null, key text not null, event text not null, title text not null, body text not null,
    run_id integer not null, created_at text not null, state text not null, attempts integer not null default 0,
    next_at text not null, error text not null default '', settled_at text not null default '', unique (channel, key)
) strict;
create index if not exists notice_state on notice (state, notice_id);
`

// AddNotice queues a notice; false means that the channel was told of its key
// before.
func (r *Register) AddNotice(ctx context.Context, n Notice) (bool, error) {
	return insertNotice(ctx, r.db, n)
}

func insertNotice(ctx context.Context, db execer, n Notice) (bool, error) {
	result, err := db.ExecContext(ctx, `insert into notice (channel, key, event, title, body, run_id, created_at, state, next_at)
		values (?, ?, ?, ?, ?, ?, ?, 'waiting', ?) on conflict do nothing`,
		n.Channel, n.Key, n.Event, n.Title, n.Text, n.Run, moment(n.CreatedAt), moment(n.CreatedAt))
	if err != nil {
		return false, fmt.Errorf("queue notice %s: %w", n.Key, err)
	}
	added, err := result.RowsAffected()
	return added == 1, err
}

// WaitingNotices lists what is still to be told, oldest first.
func (r *Register) WaitingNotices(ctx context.Context) ([]Notice, error) {
	rows, err := r.db.QueryContext(ctx, `select notice_id, channel, key, event, title, body, run_id, created_at, attempts, next_at, error
		from notice where state = 'waiting' order by notice_id`)
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	defer rows.Close()
	var notices []Notice
	for rows.Next() {
		var n Notice
		var created, next string
		if err := rows.Scan(&n.ID, &n.Channel, &n.Key, &n.Event, &n.Title, &n.Text, &n.Run, &created, &n.Attempts, &next, &n.Error); err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
		if n.CreatedAt, err = parseMoment(created); err != nil {
			return nil, err
		}
		if n.NextAt, err = parseMoment(next); err != nil {
			return nil, err
		}
		notices = append(notices, n)
	}
	return notices, rows.Err()
}

// SetNotice writes down an attempt: what became of the notice, when it is
// tried again, and why it could not be told.
func (r *Register) SetNotice(ctx context.Context, n Notice, state NoticeState, now time.Time) error {
	settled := ""
	if state != Waiting {
		settled = moment(now)
	}
	_, err := r.db.ExecContext(ctx, "update notice set state = ?, attempts = ?, next_at = ?, error = ?, settled_at = ? where notice_id = ?",
		string(state), n.Attempts, moment(n.NextAt), n.Error, settled, n.ID)
	if err != nil {
		return fmt.Errorf("notice %d: %w", n.ID, err)
	}
	return nil
}

// NoticeCounts counts the notices by state.
func (r *Register) NoticeCounts(ctx context.Context) (map[NoticeState]int64, error) {
	rows, err := r.db.QueryContext(ctx, "select state, count(*) from notice group by state")
	if err != nil {
		return nil, fmt.Errorf("count notices: %w", err)
	}
	defer rows.Close()
	counts := map[NoticeState]int64{}
	for rows.Next() {
		var state NoticeState
		var count int64
		if err := rows.Scan(&state, &count); err != nil {
			return nil, err
		}
		counts[state] = count
	}
	return counts, rows.Err()
}
