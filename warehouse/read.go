package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Rows is a small answer as text, exactly as the engine prints its values:
// decimals keep their digits, null is not valid.
type Rows struct {
	Columns []string
	Types   []string // the engine's names: VARCHAR, DECIMAL(7,2) …
	Cells   [][]sql.NullString
}

// Rows runs a query and returns its answer as text, in its own order.
func (db *DB) Rows(ctx context.Context, query string) (Rows, error) {
	conn, err := db.SQL().Conn(ctx)
	if err != nil {
		return Rows{}, err
	}
	defer conn.Close()
	return textRows(ctx, conn, query)
}

// textRows runs the query once with every column cast to text by the engine.
// The driver has its own ideas of decimals and huge integers.
func textRows(ctx context.Context, conn *sql.Conn, query string) (Rows, error) {
	probe, err := conn.QueryContext(ctx, "select * from (\n"+query+"\n) limit 0")
	if err != nil {
		return Rows{}, err
	}
	types, err := probe.ColumnTypes()
	probe.Close()
	if err != nil {
		return Rows{}, err
	}
	var answer Rows
	var casts []string
	for _, t := range types {
		answer.Columns = append(answer.Columns, t.Name())
		answer.Types = append(answer.Types, t.DatabaseTypeName())
		casts = append(casts, fmt.Sprintf(`cast("%s" as varchar)`, strings.ReplaceAll(t.Name(), `"`, `""`)))
	}
	rows, err := conn.QueryContext(ctx, "select "+strings.Join(casts, ", ")+" from (\n"+query+"\n)")
	if err != nil {
		return Rows{}, err
	}
	defer rows.Close()
	for rows.Next() {
		cells := make([]sql.NullString, len(types))
		targets := make([]any, len(types))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return Rows{}, err
		}
		answer.Cells = append(answer.Cells, cells)
	}
	return answer, rows.Err()
}
