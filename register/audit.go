package register

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// By is who acts, from where, and when. Account is "" where nobody is signed
// in, From the client's address or "command line".
type By struct {
	Account string
	From    string
	At      time.Time
}

// AuditEntry is one act that somebody may have to account for. Seq, Prev and
// Hash are given by Audit: Hash covers all other fields and the hash before.
type AuditEntry struct {
	Seq     int64          `json:"seq"`
	At      time.Time      `json:"at"`
	Account string         `json:"account"`
	From    string         `json:"from"`
	Act     string         `json:"act"`
	Object  string         `json:"object"`
	Detail  map[string]any `json:"detail,omitempty"`
	Prev    string         `json:"prev"`
	Hash    string         `json:"hash"`
}

// What is written down. An act is a code; pages have its words.
const (
	ActSignedIn       = "sign_in"
	ActRefused        = "sign_in_refused"
	ActSignedOut      = "sign_out"
	ActAccountAdded   = "account_added"
	ActAccountChanged = "account_changed"
	ActPassword       = "password_changed"
	ActLinkMade       = "link_made"
	ActTokenMade      = "token_made"
	ActTokenRevoked   = "token_revoked"
	ActRecords        = "records_viewed"
	ActExport         = "export"
	ActQuery          = "query"
	ActQueryEnded     = "query_ended"
	ActQuerySaved     = "query_saved"
	ActQueryRemoved   = "query_removed"
	ActRunAsked       = "run_asked"
	ActRunCancelled   = "run_cancelled"
	ActAuditExport    = "audit_export"
	ActPageRefused    = "page_refused"
)

// The log is only ever added to: SQLite itself refuses the rest. Whoever
// rewrites the file by other means breaks the chain, or ends it in a hash that
// no manifest and no bulletin has.
const auditSchema = `
create table if not exists audit (
    seq integer primary key, at text not null, account text not null, address text not null, act text not null,
    object text not null, detail text not null, prev text not null, hash text not null
) strict;
create index if not exists audit_account on audit (account, seq);
create trigger if not exists audit_is_in_order before insert on audit when new.seq <> coalesce((select max(seq) from audit), 0) + 1
    begin select raise(abort, 'the audit log is only added to'); end;
create trigger if not exists audit_is_not_changed before update on audit begin select raise(abort, 'the audit log is only added to'); end;
create trigger if not exists audit_is_not_deleted before delete on audit begin select raise(abort, 'the audit log is only added to'); end;
`

// Head is the newest entry of the audit log; Seq 0 when it is empty. It is
// printed in manifests and bulletins, so that the log up to there cannot be
// changed later without being found out.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Audit adds an entry and returns when it is on the disk.
func (r *Register) Audit(ctx context.Context, e AuditEntry) error {
	return r.change(ctx, func(tx *sql.Tx) error { return addAudit(ctx, tx, e) })
}

// addAudit adds an entry inside the transaction of the act itself: there is no
// act without its entry, and no entry without its act.
func addAudit(ctx context.Context, tx *sql.Tx, e AuditEntry) error {
	head, err := readHead(ctx, tx)
	if err != nil {
		return err
	}
	detail := []byte("{}")
	if len(e.Detail) > 0 {
		if detail, err = json.Marshal(e.Detail); err != nil {
			return fmt.Errorf("audit %s: %w", e.Act, err)
		}
	}
	seq, at := head.Seq+1, moment(e.At)
	hash := auditHash(seq, at, e.Account, e.From, e.Act, e.Object, string(detail), head.Hash)
	_, err = tx.ExecContext(ctx, "insert into audit values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		seq, at, e.Account, e.From, e.Act, e.Object, string(detail), head.Hash, hash)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Act, err)
	}
	return nil
}

// auditHash is SHA-256 over the fields as a JSON list, in which no field can
// run into the next.
func auditHash(seq int64, rest ...string) string {
	text, err := json.Marshal(append([]string{strconv.FormatInt(seq, 10)}, rest...))
	if err != nil {
		panic(err) // a list of texts is always JSON
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readHead(ctx context.Context, db queryer) (head Head, err error) {
	err = db.QueryRowContext(ctx, "select seq, hash from audit order by seq desc limit 1").Scan(&head.Seq, &head.Hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return head, fmt.Errorf("read the audit log: %w", err)
	}
	return head, nil
}

// AuditHead returns the newest entry's number and hash.
func (r *Register) AuditHead(ctx context.Context) (Head, error) { return readHead(ctx, r.db) }

// AuditFilter narrows the entries of EachAudit; zero values do not.
type AuditFilter struct {
	Account, Act string
	Since, Until time.Time
	Before       int64 // only entries with a smaller number
	Limit        int   // the newest so many, newest first; 0 is all, oldest first
}

// EachAudit calls do with every entry that the filter leaves.
func (r *Register) EachAudit(ctx context.Context, f AuditFilter, do func(AuditEntry) error) error {
	query, args := "select seq, at, account, address, act, object, detail, prev, hash from audit where 1 = 1", []any{}
	narrow := func(isSet bool, condition string, value any) {
		if isSet {
			query, args = query+" and "+condition, append(args, value)
		}
	}
	narrow(f.Account != "", "account = ?", f.Account)
	narrow(f.Act != "", "act = ?", f.Act)
	narrow(!f.Since.IsZero(), "at >= ?", moment(f.Since))
	narrow(!f.Until.IsZero(), "at < ?", moment(f.Until))
	narrow(f.Before != 0, "seq < ?", f.Before)
	if f.Limit > 0 {
		query, args = query+" order by seq desc limit ?", append(args, f.Limit)
	} else {
		query += " order by seq"
	}
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e AuditEntry
		var at, detail string
		if err := rows.Scan(&e.Seq, &at, &e.Account, &e.From, &e.Act, &e.Object, &detail, &e.Prev, &e.Hash); err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if e.At, err = parseMoment(at); err != nil {
			return fmt.Errorf("audit entry %d: %w", e.Seq, err)
		}
		if err := json.Unmarshal([]byte(detail), &e.Detail); err != nil {
			return fmt.Errorf("audit entry %d: %w", e.Seq, err)
		}
		if err := do(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ExportAudit writes the entries as JSON lines, oldest first.
func (r *Register) ExportAudit(ctx context.Context, f AuditFilter, to io.Writer) error {
	encoder := json.NewEncoder(to)
	return r.EachAudit(ctx, f, func(e AuditEntry) error { return encoder.Encode(e) })
}

// ErrChain is returned for an audit log that was changed.
var ErrChain = errors.New("the audit log was changed")

// VerifyAudit walks the chain and returns its head. The heads that were
// printed elsewhere must be in it.
func (r *Register) VerifyAudit(ctx context.Context, printed ...Head) (Head, error) {
	wanted := map[int64]string{}
	for _, head := range printed {
		if head.Seq > 0 {
			wanted[head.Seq] = head.Hash
		}
	}
	rows, err := r.db.QueryContext(ctx, "select seq, at, account, address, act, object, detail, prev, hash from audit order by seq")
	if err != nil {
		return Head{}, fmt.Errorf("verify the audit log: %w", err)
	}
	defer rows.Close()
	var head Head
	for rows.Next() {
		var seq int64
		var field [8]string
		if err := rows.Scan(&seq, &field[0], &field[1], &field[2], &field[3], &field[4], &field[5], &field[6], &field[7]); err != nil {
			return head, fmt.Errorf("verify the audit log: %w", err)
		}
		prev, hash := field[6], field[7]
		print, isPrinted := wanted[seq]
		switch {
		case seq != head.Seq+1:
			return head, fmt.Errorf("%w: after entry %d comes %d", ErrChain, head.Seq, seq)
		case prev != head.Hash || hash != auditHash(seq, field[:7]...):
			return head, fmt.Errorf("%w: entry %d of %s does not fit the one before", ErrChain, seq, field[0])
		case isPrinted && print != hash:
			return head, fmt.Errorf("%w: entry %d is not the one that was printed", ErrChain, seq)
		}
		delete(wanted, seq)
		head = Head{seq, hash}
	}
	if err := rows.Err(); err != nil {
		return head, fmt.Errorf("verify the audit log: %w", err)
	}
	for seq := range wanted {
		return head, fmt.Errorf("%w: it ends at entry %d, and entry %d was printed", ErrChain, head.Seq, seq)
	}
	return head, nil
}

// String prints a head as the bulletin does.
func (h Head) String() string {
	if h.Seq == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%s", h.Seq, strings.ToLower(h.Hash[:min(16, len(h.Hash))]))
}
