package etl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgres reads a table or a SELECT in one read-only transaction that sees one
// moment of the database. Values come as the server itself writes them.
type postgres struct {
	d      *Definition
	config *pgx.ConnConfig
	secret string
}

const connectTimeout = 15 * time.Second

func newPostgres(d *Definition, address string) (*postgres, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, &FileError{Where: "read the address", What: scrub(err.Error(), address), Do: "write it as postgres://account:password@host:5432/database"}
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = "tongbao"
	p := &postgres{d, config, address}
	if d.Connect.CAFile != "" {
		err = p.encrypt()
	}
	return p, err
}

// encrypt makes every server of the address show a certificate of the
// definition's authority: no way in clear is left.
func (p *postgres) encrypt() (err error) {
	if p.config.TLSConfig, err = p.d.Connect.trust(p.config.Host); err != nil {
		return err
	}
	others := p.config.Fallbacks
	p.config.Fallbacks = nil
	known := []string{p.config.Host + strconv.Itoa(int(p.config.Port))}
	for _, other := range others {
		name := other.Host + strconv.Itoa(int(other.Port))
		if slices.Contains(known, name) {
			continue
		}
		if other.TLSConfig, err = p.d.Connect.trust(other.Host); err != nil {
			return err
		}
		known, p.config.Fallbacks = append(known, name), append(p.config.Fallbacks, other)
	}
	return nil
}

func (p *postgres) host() string {
	return net.JoinHostPort(p.config.Host, strconv.Itoa(int(p.config.Port))) + "/" + p.config.Database
}

func (p *postgres) read(ctx context.Context, w window, into *rowFile) error {
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return p.wrong("connect", err, "check address, account and password, and that the server lets this machine in")
	}
	// The context may be over; the server must still learn that we leave.
	defer func() {
		closing, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer stop()
		conn.Close(closing)
	}()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return p.wrong("begin to read", err, "look at the server's log")
	}
	if err := p.settle(ctx, tx, into); err != nil {
		return err
	}
	statement, err := p.statement(ctx, tx, w, into)
	if err != nil {
		return err
	}
	if err := p.stream(ctx, tx, statement, into); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// settle fixes every setting on which the text of a value depends, and learns
// the server's own time.
func (p *postgres) settle(ctx context.Context, tx pgx.Tx, into *rowFile) error {
	settings := fmt.Sprintf(`set local timezone = %s; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'iso_8601';
set local extra_float_digits = 1; set local client_encoding = 'UTF8'; set local synchronize_seqscans = off;
set local standard_conforming_strings = on; set local statement_timeout = %d`,
		literal(p.d.Connect.zone.String()), p.d.Connect.timeout.Milliseconds())
	if _, err := tx.Exec(ctx, settings, pgx.QueryExecModeSimpleProtocol); err != nil {
		return p.wrong("set the session", err, "check timezone")
	}
	var now time.Time
	if err := tx.QueryRow(ctx, "select now()").Scan(&now); err != nil {
		return p.wrong("ask the time", err, "look at the server's log")
	}
	into.mark.most, into.mark.isSorted = now, true
	return nil
}

// statement is the SELECT of a window.
func (p *postgres) statement(ctx context.Context, tx pgx.Tx, w window, into *rowFile) (string, error) {
	c := p.d.Connect
	if c.Query != "" {
		return c.fill(w)
	}
	table := pgx.Identifier(strings.Split(c.Table, ".")).Sanitize()
	rows, err := tx.Query(ctx, "select * from "+table+" where false", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", p.wrong("look at "+c.Table, err, "check connect.table and the account's right to read it")
	}
	var have []string
	fields := slices.Clone(rows.FieldDescriptions())
	for _, field := range fields {
		have = append(have, field.Name)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return "", p.wrong("look at "+c.Table, err, "check connect.table and the account's right to read it")
	}
	names, err := p.d.wanted(w, have, into, func(i int) (string, error) { return p.inexact(ctx, fields[i]) })
	if err != nil {
		return "", err
	}
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, pgx.Identifier{name}.Sanitize())
	}
	return "select " + strings.Join(quoted, ", ") + " from " + table + c.where(w, pgx.Identifier{c.Cursor}.Sanitize()), nil
}

func (p *postgres) stream(ctx context.Context, tx pgx.Tx, statement string, into *rowFile) error {
	rows, err := tx.Query(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return p.wrong("read rows", err, "correct connect.query or connect.table")
	}
	defer rows.Close()
	fields := rows.FieldDescriptions()
	var names []string
	var booleans []int
	for i, field := range fields {
		names = append(names, field.Name)
		if field.DataTypeOID == pgtype.BoolOID {
			booleans = append(booleans, i)
		}
	}
	if len(fields) > 0 {
		// Types are looked up on a connection of their own: this one streams.
		if err := p.refuse(ctx, fields); err != nil {
			return err
		}
		if err := p.d.begin(names, into); err != nil {
			return err
		}
	}
	for rows.Next() {
		values := rows.RawValues()
		for _, i := range booleans {
			values[i] = boolText(values[i])
		}
		if err := into.row(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return p.wrong(fmt.Sprintf("read rows, after %d", into.rows), err, "nothing was taken; pull again, and see the server's log if it happens again")
	}
	return nil
}

// boolText writes t and f out: the short forms are no words of a definition.
func boolText(value []byte) []byte {
	switch {
	case bytes.Equal(value, []byte("t")):
		return []byte("true")
	case bytes.Equal(value, []byte("f")):
		return []byte("false")
	}
	return value
}

// exactTypes are those whose text says all of the value.
var exactTypes = []uint32{
	pgtype.BoolOID, pgtype.QCharOID, pgtype.NameOID, pgtype.Int8OID, pgtype.Int2OID, pgtype.Int4OID, pgtype.TextOID,
	pgtype.OIDOID, pgtype.JSONOID, pgtype.JSONBOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.BPCharOID, pgtype.VarcharOID,
	pgtype.DateOID, pgtype.TimeOID, pgtype.TimetzOID, pgtype.TimestampOID, pgtype.TimestamptzOID, pgtype.IntervalOID, pgtype.NumericOID,
	pgtype.UUIDOID, pgtype.InetOID, pgtype.CIDROID, pgtype.MacaddrOID, pgtype.BitOID, pgtype.VarbitOID, pgtype.XMLOID, pgtype.UnknownOID,
}

// refuse names a column of a type that cannot become text exactly: bytes,
// lists, records, ranges, shapes, and money, which is written by the locale.
func (p *postgres) refuse(ctx context.Context, fields []pgconn.FieldDescription) error {
	for _, field := range fields {
		name, err := p.inexact(ctx, field)
		if err != nil {
			return err
		}
		if name != "" {
			return &FileError{Where: "column " + field.Name, What: "is of type " + name + ", which has no exact text",
				Do: "leave it out, or take what is needed from it in connect.query"}
		}
	}
	return nil
}

// inexact names the type of a column whose text does not say all of the value,
// "" if it does.
func (p *postgres) inexact(ctx context.Context, field pgconn.FieldDescription) (string, error) {
	if slices.Contains(exactTypes, field.DataTypeOID) {
		return "", nil
	}
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return "", p.wrong("look up a type", err, "check how many connections the account may have")
	}
	var name, kind string
	err = conn.QueryRow(ctx, "select format_type(oid, null), typtype::text from pg_catalog.pg_type where oid = $1", field.DataTypeOID).Scan(&name, &kind)
	conn.Close(ctx)
	if err != nil {
		return "", p.wrong("look up a type", err, "look at the server's log")
	}
	if isEnum := kind == "e"; isEnum || name == "citext" || strings.HasSuffix(name, ".citext") {
		return "", nil
	}
	return name, nil
}

// wrong names the step and what the server said, without secrets and without
// the row that the server may quote in its details.
func (p *postgres) wrong(step string, err error, do string) error {
	what := err.Error()
	var said *pgconn.PgError
	if errors.As(err, &said) {
		what = fmt.Sprintf("%s (%s)", said.Message, said.Code)
		if said.Code == "57014" {
			do = "see whether the server is busy, raise connect.timeout, or begin with a narrower --from and --to"
		}
	}
	if why, next := distrusted(err); why != "" {
		what, do = why, next
	}
	return &FileError{Where: step, What: scrub(what, p.secret, p.config.Password), Do: do}
}
