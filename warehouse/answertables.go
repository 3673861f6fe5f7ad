package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// prepare makes the tables that a question reads, and nothing else, in the
// database in memory that the question is run in, and locks the engine's doors.
// The published files stay attached only under names that no statement can say.
func prepare(ctx context.Context, conn *sql.Conn, q Question, reads []string) error {
	var statements []string
	made := map[string]bool{}
	for i, source := range q.Sources {
		attached := false
		for _, relation := range source.Relations {
			if !slices.Contains(reads, relation.Name) {
				continue
			}
			if !attached {
				attached = true
				statements = append(statements, fmt.Sprintf("attach '%s' as source_%d (read_only)", strings.ReplaceAll(source.Path, "'", "''"), i))
			}
			schema, _, _ := strings.Cut(relation.Name, ".")
			if !made[schema] {
				made[schema] = true
				statements = append(statements, fmt.Sprintf(`create schema if not exists "%s"`, schema))
			}
			statements = append(statements, relation.create(i))
		}
	}
	statements = append(statements, q.Extra.Setup...)
	if q.Schema != "" {
		schema := `"` + strings.ReplaceAll(q.Schema, `"`, `""`) + `"`
		statements = append(statements, "create schema if not exists "+schema, "set search_path = 'main,"+strings.ReplaceAll(schema, "'", "''")+"'")
	}
	// In this order, once, the lock last.
	statements = append(statements, "set TimeZone = 'Asia/Shanghai'", "set temp_directory = ''")
	if q.Form == Parquet {
		statements = append(statements, "set allowed_paths = ['"+fileDescriptor+"']")
	}
	statements = append(statements, "set enable_external_access = false", "set lock_configuration = true")
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// create makes the relation under its own name.
func (r Relation) create(source int) string {
	return fmt.Sprintf("create view %s as from source_%d.%[1]s", quoteTable(r.Name), source)
}
