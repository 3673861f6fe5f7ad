package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tongbao"
)

// Copy names a table of a published file and the SELECT that fills it from
// the working database.
type Copy struct {
	Table  string // schema.table
	Select string
}

// Snapshot writes the copies into a new DuckDB file at path, all read in one
// transaction. The file must not exist; a published name is never reused,
// because the engine keeps instances by path.
func (db *DB) Snapshot(ctx context.Context, path string, copies []Copy) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("snapshot %s: the file exists", path)
	}
	db.write.Lock()
	defer db.write.Unlock()
	conn, err := db.SQL().Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	attach := fmt.Sprintf("attach '%s' as snapshot (storage_version '%s')", strings.ReplaceAll(path, "'", "''"), storageVersion)
	if _, err := conn.ExecContext(ctx, attach); err != nil {
		return fmt.Errorf("snapshot %s: %w", path, err)
	}
	err = copyTables(ctx, conn, copies)
	// Detaching folds the WAL into the file and syncs it.
	if _, undo := conn.ExecContext(context.WithoutCancel(ctx), "detach snapshot"); err == nil {
		err = undo
	}
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", path, err)
	}
	if _, err := os.Stat(path + ".wal"); err == nil {
		return fmt.Errorf("snapshot %s: a WAL remains after detaching", path)
	}
	return nil
}

func copyTables(ctx context.Context, conn *sql.Conn, copies []Copy) error {
	if _, err := conn.ExecContext(ctx, "begin"); err != nil {
		return err
	}
	made := map[string]bool{}
	for _, c := range copies {
		schema, _, _ := strings.Cut(c.Table, ".")
		var statements []string
		if !made[schema] {
			made[schema] = true
			statements = append(statements, "create schema if not exists snapshot."+schema)
		}
		statements = append(statements, fmt.Sprintf("create table snapshot.%s as\n%s", quoteTable(c.Table), c.Select))
		for _, statement := range statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				_, _ = conn.ExecContext(context.WithoutCancel(ctx), "rollback")
				return fmt.Errorf("%s: %w", c.Table, err)
			}
		}
	}
	_, err := conn.ExecContext(ctx, "commit")
	return err
}

// Parquet writes each copy to dir/<schema>.<table>.parquet.
func (db *DB) Parquet(ctx context.Context, dir string, copies []Copy) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range copies {
		file := filepath.Join(dir, c.Table+".parquet")
		statement := fmt.Sprintf("copy (%s) to '%s' (format parquet, compression zstd)", c.Select, strings.ReplaceAll(file, "'", "''"))
		if _, err := db.SQL().ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	return nil
}

// Tables lists the tables of the schemas as schema.table, with the names of the
// columns of each.
func (db *DB) Tables(ctx context.Context, schemas ...string) (map[string][]string, error) {
	columns, err := db.Columns(ctx, schemas...)
	tables := map[string][]string{}
	for table, of := range columns {
		for _, column := range of {
			tables[table] = append(tables[table], column.Name)
		}
	}
	return tables, err
}

// Columns lists the tables of the schemas as schema.table, with the columns of
// each in their order.
func (db *DB) Columns(ctx context.Context, schemas ...string) (map[string][]Column, error) {
	rows, err := db.SQL().QueryContext(ctx, `select table_schema || '.' || table_name, column_name, data_type
		from information_schema.columns
		where table_catalog = current_database()
			and list_contains(string_split(?, ','), table_schema)
		order by table_schema, table_name, ordinal_position`, strings.Join(schemas, ","))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := map[string][]Column{}
	for rows.Next() {
		var table string
		var column Column
		if err := rows.Scan(&table, &column.Name, &column.Type); err != nil {
			return nil, err
		}
		tables[table] = append(tables[table], column)
	}
	return tables, rows.Err()
}

// Digest returns a text that is the same exactly when the month's rows of the
// tables are the same, in whatever order they lie.
func (db *DB) Digest(ctx context.Context, tables []string, month tongbao.Month) (string, error) {
	var digest strings.Builder
	for _, table := range tables {
		var rows int64
		var sum string
		statement := fmt.Sprintf("select count(*), coalesce(cast(sum(hash(fact)::hugeint) as varchar), '0') from %s as fact where month = ?", quoteTable(table))
		if err := db.SQL().QueryRowContext(ctx, statement, month.First()).Scan(&rows, &sum); err != nil {
			return "", fmt.Errorf("digest %s: %w", table, err)
		}
		fmt.Fprintf(&digest, "%s %d %s\n", table, rows, sum)
	}
	return digest.String(), nil
}

// Verify opens a published file read-only and reads every column of every
// table, which makes the engine check every block. It is run in a process of
// its own, so that no instance of the file stays behind in the caller's.
func Verify(ctx context.Context, path string) error {
	db, err := Open(ctx, path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	tables, err := db.Tables(ctx, append(Layers, "meta")...)
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return fmt.Errorf("verify %s: the file has no tables", path)
	}
	for table := range tables {
		var sum string
		statement := fmt.Sprintf("select coalesce(cast(sum(hash(fact)::hugeint) as varchar), '') from %s as fact", quoteTable(table))
		if err := db.SQL().QueryRowContext(ctx, statement).Scan(&sum); err != nil {
			return fmt.Errorf("verify %s: %s: %w", path, table, err)
		}
	}
	return nil
}
