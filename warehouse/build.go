package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"tongbao"
)

// MakeTables makes the tables of the queries that do not exist yet, empty, in
// the order of the queries, so that every query finds what it reads in the
// first month too. etl adds two columns to what a core fact's query returns. A
// file whose tables were made by the same statements is left as it is.
func (db *DB) MakeTables(ctx context.Context, queries []Query) error {
	tables := tablesOfQueries(queries)
	sum := sha256.New()
	for _, table := range tables {
		fmt.Fprintln(sum, table.create)
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	return db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		var made string
		if err := tx.QueryRow(ctx, "select coalesce(max(digest), '') from meta.made").Scan(&made); err != nil || made == digest {
			return err
		}
		for _, table := range tables {
			if _, err := tx.Exec(ctx, table.create); err != nil {
				return fmt.Errorf("%s: %w", table.path, err)
			}
			if table.selected == "" {
				continue
			}
			if err := addColumns(ctx, tx, table); err != nil {
				return fmt.Errorf("%s: %w", table.path, err)
			}
		}
		if err := dropForgotten(ctx, tx, tables); err != nil {
			return err
		}
		if err := refuseInexact(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from meta.made"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "insert into meta.made values (?)", digest)
		return err
	})
}

// tableOf is how the table of a query is made.
type tableOf struct {
	path, name, create string
	selected           string // what fills it; "" where its columns are said
}

func tablesOfQueries(queries []Query) []tableOf {
	var tables []tableOf
	for _, values := range []string{
		valueTable + "(month date, indicator text, grid_id text, part text, day date, numerator bigint, denominator bigint)",
		staffValueTable + "(month date, indicator text, staff_id text, part text, day date, numerator bigint, denominator bigint)",
	} {
		tables = append(tables, tableOf{path: "values of indicators", create: "create table if not exists " + values})
	}
	// A table that reads its own or later months' rows must say its columns.
	for _, q := range queries {
		if columns := q.Header["columns"]; columns != "" {
			name := quoteTable(q.Table())
			tables = append(tables, tableOf{path: q.Path + ", header \"columns\"", name: name, create: fmt.Sprintf("create table if not exists %s (%s)", name, columns)})
		}
	}
	for _, q := range queries {
		if q.Layer == "indicator" || q.Header["columns"] != "" {
			continue
		}
		selected := q.Select(tongbao.NewMonth(2026, 1))
		if q.Build == BuildMerge {
			selected = "select fact.*, null::timestamp as first_delivered_at, null::ubigint as content_hash from (\n" + selected + "\n) as fact"
		}
		name := quoteTable(q.Table())
		tables = append(tables, tableOf{q.Path, name, fmt.Sprintf("create table if not exists %s as select * from (\n%s\n) limit 0", name, selected), selected})
	}
	return tables
}

// addColumns gives a table from before the query grew the columns that it
// lacks. Rows of locked months stay, and are null there.
func addColumns(ctx context.Context, tx *Tx, table tableOf) error {
	missing, err := textRows(ctx, tx.conn, fmt.Sprintf(`select query.column_name, query.column_type from (describe %s) as query
		anti join (describe %s) as made using (column_name)`, table.selected, table.name))
	if err != nil {
		return err
	}
	for _, column := range missing.Cells {
		statement := fmt.Sprintf(`alter table %s add column "%s" %s`, table.name, column[0].String, column[1].String)
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// dropForgotten drops the bulletin tables that no query makes any more: what an
// earlier program left there would be published as it was. Nothing but queries
// writes that layer.
func dropForgotten(ctx context.Context, tx *Tx, tables []tableOf) error {
	made := map[string]bool{}
	for _, table := range tables {
		made[table.name] = true
	}
	there, err := textRows(ctx, tx.conn, "select table_name from duckdb_tables() where schema_name = 'bulletin'")
	if err != nil {
		return err
	}
	for _, row := range there.Cells {
		name := quoteTable("bulletin." + row[0].String)
		if made[name] {
			continue
		}
		if _, err := tx.Exec(ctx, "drop table "+name); err != nil {
			return err
		}
	}
	return nil
}

// refuseInexact stops before a double can decide a place: NaN ranks first, and
// sums of doubles differ from run to run.
func refuseInexact(ctx context.Context, tx *Tx) error {
	var columns string
	err := tx.QueryRow(ctx, `select coalesce(string_agg(table_schema || '.' || table_name || '.' || column_name, ', '), '')
		from information_schema.columns
		where table_schema in ('indicator', 'score', 'ranking') and data_type in ('DOUBLE', 'FLOAT')`).Scan(&columns)
	if err == nil && columns != "" {
		err = fmt.Errorf("%s: inexact columns; use integers of 10^-6 or DECIMAL", columns)
	}
	return err
}

// quoteTable quotes the two parts of "schema.table"; core.return is a word of
// SQL.
func quoteTable(table string) string {
	schema, name, _ := strings.Cut(table, ".")
	return `"` + schema + `"."` + name + `"`
}

// BuildMonth replaces the month's rows in every table built by month, in one
// transaction, so that a month is whole or untouched.
func (db *DB) BuildMonth(ctx context.Context, queries []Query, month tongbao.Month, fingerprint string) error {
	return db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		cleared := map[string]bool{}
		for _, q := range queries {
			if q.Build != BuildMonth {
				continue
			}
			if table := q.Table(); !cleared[table] {
				cleared[table] = true
				if _, err := tx.Exec(ctx, "delete from "+quoteTable(table)+" where month = ?", month.First()); err != nil {
					return fmt.Errorf("build %s %s: %w", table, month, err)
				}
			}
			if _, err := tx.Exec(ctx, q.insert(month)); err != nil {
				return fmt.Errorf("build %s for %s: %w", q.Path, month, err)
			}
		}
		Failpoint("build.before_commit")
		if _, err := tx.Exec(ctx, "delete from meta.built where month = ?", month.First()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "insert into meta.built values (?, ?)", month.First(), fingerprint)
		return err
	})
}

// Fingerprint returns what a month was last built from, "" if never.
func (db *DB) Fingerprint(ctx context.Context, month tongbao.Month) (string, error) {
	var fingerprint string
	err := db.SQL().QueryRowContext(ctx,
		"select coalesce(max(fingerprint), '') from meta.built where month = ?", month.First()).Scan(&fingerprint)
	return fingerprint, err
}
