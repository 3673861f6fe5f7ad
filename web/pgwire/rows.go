package pgwire

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"

	"tongbao/warehouse"
)

// flushAt is how many bytes of rows are gathered before they are sent.
const flushAt = 32 << 10

// fetch runs a portal, or sends the next rows of one that was run; most is how
// many, 0 for all.
func (n *session) fetch(ctx context.Context, p *portal, most int) error {
	if !p.isRun {
		if err := n.mayGoOn(nil); err != nil {
			return err
		}
		p.isRun = true
		limits := n.server.Limits
		if most > 0 {
			// What is not sent at once waits here.
			limits.Bytes = min(limits.Bytes, MaxKept)
		}
		text := p.text
		if text == "" {
			text = p.statement.text
		}
		sink := &rowSink{session: n, portal: p, most: most}
		summary, err := n.ask(ctx, warehouse.Question{SQL: text, Params: p.params, Limits: limits}, sink)
		if err == nil && summary.Truncated != "" {
			err = tooMuch(limits, summary.Truncated)
		}
		if err != nil {
			return err
		}
		return n.portion(p, most, sink.sent)
	}
	sent := 0
	for ; len(p.kept) > 0 && (most == 0 || sent < most); sent++ {
		n.backend.Send(&pgproto3.DataRow{Values: p.kept[0]})
		p.kept[0] = nil
		p.kept = p.kept[1:]
	}
	return n.portion(p, most, sent)
}

// portion ends a portion of rows: there are more, or that was all.
func (n *session) portion(p *portal, most, sent int) error {
	p.sent += sent
	if most > 0 && len(p.kept) > 0 {
		n.backend.Send(&pgproto3.PortalSuspended{})
		return nil
	}
	n.backend.Send(&pgproto3.CommandComplete{CommandTag: fmt.Appendf(nil, "SELECT %d", p.sent)})
	return nil
}

// rowSink sends an answer as it comes, and keeps what the client did not ask
// for yet.
type rowSink struct {
	session *session
	portal  *portal
	columns []columnType
	most    int
	sent    int
	pending int
}

// Begin sends the columns where they are owed.
func (r *rowSink) Begin(columns []warehouse.Column) error {
	if formats := len(r.portal.formats); formats > 1 && formats != len(columns) {
		return fail("08P01", fmt.Sprintf("%d columns, %d formats", len(columns), formats))
	}
	for i, column := range columns {
		one := typeOf(column.Type)
		one.format = formatOf(r.portal.formats, i)
		r.columns = append(r.columns, one)
	}
	if r.portal.isDescribed {
		r.session.backend.Send(rowDescription(columns, r.portal.formats))
	}
	return nil
}

// Row sends a row or keeps it.
func (r *rowSink) Row(cells []sql.NullString) error {
	values := make([][]byte, len(cells))
	size := 0
	for i, cell := range cells {
		if !cell.Valid {
			continue
		}
		value, err := r.session.encode(r.columns[i], cell.String)
		if err != nil {
			return err
		}
		values[i] = value
		size += len(value)
	}
	if r.most > 0 && r.sent == r.most {
		r.portal.kept = append(r.portal.kept, values)
		return nil
	}
	r.session.backend.Send(&pgproto3.DataRow{Values: values})
	r.sent++
	if r.pending += size; r.pending > flushAt {
		r.pending = 0
		if err := r.session.backend.Flush(); err != nil {
			return errLeft
		}
	}
	return nil
}
