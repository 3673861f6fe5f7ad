package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// Ask runs one SELECT of a person on a published file, opened read-only with
// the engine's doors locked: no other files, no network, no settings. It
// returns at most limit rows and is stopped after the given time.
//
// It is for the operator's own command line. SQL from other people must run in
// a process of its own as well: the engine has no boundary inside a process.
func Ask(ctx context.Context, path, query string, limit int, most time.Duration) (Rows, error) {
	if _, err := parse(trimStatement(query)); err != nil {
		return Rows{}, fmt.Errorf("query: want one SELECT: %w", err)
	}
	connector, err := duckdb.NewConnector(dsn(path, Options{ReadOnly: true}), nil)
	if err != nil {
		return Rows{}, fmt.Errorf("open %s: %w", path, err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return Rows{}, fmt.Errorf("open %s: %w", path, err)
	}
	defer conn.Close()
	// In this order, once, the lock last; in the DSN the order would be random.
	for _, setting := range []string{
		"set temp_directory = ''", "set enable_external_access = false", "set lock_configuration = true",
	} {
		if _, err := conn.ExecContext(ctx, setting); err != nil {
			return Rows{}, err
		}
	}
	bounded := fmt.Sprintf("select * from (\n%s\n) limit %d", trimStatement(query), limit+1)
	if _, err := parse(bounded); err != nil {
		return Rows{}, fmt.Errorf("query: want one SELECT: %w", err)
	}
	rows, err := textRows(ctx, conn, bounded)
	if ctx.Err() == context.DeadlineExceeded {
		return Rows{}, fmt.Errorf("query: stopped after %s; ask for fewer rows or months", most)
	}
	if err != nil {
		return Rows{}, fmt.Errorf("query: %s", strings.TrimSpace(err.Error()))
	}
	if len(rows.Cells) > limit {
		return Rows{}, fmt.Errorf("query: more than %d rows; add a limit or a where", limit)
	}
	return rows, nil
}
