package pgwire

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// recordedHead is the first line of what a client sent: its name and, where they
// are known, how many rows answer it and its parameters.
var recordedHead = regexp.MustCompile(`^-- (.*?)(?:: (\d+) rows with (.*))?$`)

// TestRecorded asks what clients were recorded to send to a PostgreSQL 15, and
// SQLAlchemy to this door, when they list schemas, tables and columns.
func TestRecorded(t *testing.T) {
	recorded, err := os.ReadFile("testdata/recorded.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn := openDoor(t, nil).connect(t, "li")
	for block := range strings.SplitSeq(strings.TrimSpace(string(recorded)), "\n\n") {
		first, query, _ := strings.Cut(block, "\n")
		head := recordedHead.FindStringSubmatch(first)
		t.Run(head[1], func(t *testing.T) {
			args := []any{pgx.QueryExecModeExec}
			if head[3] != "" {
				var params []any
				if err := json.Unmarshal([]byte(head[3]), &params); err != nil {
					t.Fatal(err)
				}
				for _, param := range params {
					if number, ok := param.(float64); ok {
						param = int16(number) // as psycopg sends it
					}
					args = append(args, param)
				}
			} else if strings.Contains(query, "$1") {
				args = append(args, "text")
			}
			rows, err := conn.Query(t.Context(), query, args...)
			if err != nil {
				t.Fatalf("%v\n%s", err, query)
			}
			found := 0
			for rows.Next() {
				found++
				values, err := rows.Values()
				if err != nil {
					t.Fatal(err)
				}
				if text := strings.ToLower(strings.Join(texts(values), " ")); strings.Contains(text, "secret") || strings.Contains(text, "staff") {
					t.Errorf("a name that the account may not see: %s", text)
				}
			}
			if rows.Err() != nil {
				t.Errorf("%v\n%s", rows.Err(), query)
			}
			if head[2] != "" && head[2] != strconv.Itoa(found) {
				t.Errorf("%d rows, want %s\n%s", found, head[2], query)
			}
		})
	}
}

// TestBrowse asks the kinds of questions that DBeaver's tree of tables asks by
// itself, besides those of its JDBC driver: everything of a row, numbers as
// parameters, names without a schema.
func TestBrowse(t *testing.T) {
	conn := openDoor(t, nil).connect(t, "li")
	var schema, table int64
	if err := conn.QueryRow(t.Context(), "select oid from pg_catalog.pg_namespace where nspname = $1", pgx.QueryExecModeExec, "bulletin").Scan(&schema); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "select c.oid from pg_class c where c.relnamespace = $1 and relname = $2", pgx.QueryExecModeExec, schema, "community").Scan(&table); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		query string
		args  []any
		want  int // rows
	}{
		{"select db.oid, db.* from pg_catalog.pg_database db where datallowconn and not datistemplate or db.datname = $1 order by db.datname", []any{"town"}, 1},
		{"select n.oid, n.*, d.description from pg_catalog.pg_namespace n left outer join pg_catalog.pg_description d on d.objoid = n.oid and d.objsubid = 0 and d.classoid = 'pg_namespace'::regclass order by nspname", nil, 4},
		{`select t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description from pg_catalog.pg_type t
			left outer join pg_catalog.pg_type et on et.oid = t.typelem left outer join pg_catalog.pg_class c on c.oid = t.typrelid
			left outer join pg_catalog.pg_description d on t.oid = d.objoid
			where t.typname is not null and (c.relkind is null or c.relkind = 'c') and (et.typcategory is null or et.typcategory <> 'C')`, nil, 49},
		{`select c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key from pg_catalog.pg_class c
			left outer join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
			where c.relnamespace = $1 and c.relkind not in ('i', 'I', 'c')`, []any{schema}, 1},
		{`select c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value, dsc.description, dep.objid from pg_catalog.pg_attribute a
			inner join pg_catalog.pg_class c on (a.attrelid = c.oid) left outer join pg_catalog.pg_attrdef ad on (a.attrelid = ad.adrelid and a.attnum = ad.adnum)
			left outer join pg_catalog.pg_description dsc on (c.oid = dsc.objoid and a.attnum = dsc.objsubid)
			left outer join pg_depend dep on dep.refobjid = a.attrelid and dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
			where not a.attisdropped and c.relkind not in ('i', 'I', 'c') and c.oid = $1 order by a.attnum`, []any{table}, 10},
		{`select c.oid, c.*, t.relname as tabrelname, rt.relnamespace as refnamespace, d.description,
			case when c.contype = 'c' then "substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy from pg_catalog.pg_constraint c
			inner join pg_catalog.pg_class t on t.oid = c.conrelid left outer join pg_catalog.pg_class rt on rt.oid = c.confrelid
			left outer join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_constraint'::regclass where c.conrelid = $1 order by c.oid`, []any{table}, 0},
		{"select i.*, i.indkey as keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname as tabrelname, dsc.description from pg_catalog.pg_index i inner join pg_catalog.pg_class c on c.oid = i.indexrelid inner join pg_catalog.pg_class tc on tc.oid = i.indrelid left outer join pg_catalog.pg_description dsc on i.indexrelid = dsc.objoid where i.indrelid = $1", []any{table}, 0},
		{"select a.oid, a.*, pd.description from pg_catalog.pg_roles a left join pg_catalog.pg_shdescription pd on a.oid = pd.objoid order by a.rolname", nil, 1},
		{"select * from pg_catalog.pg_settings where name = $1", []any{"search_path"}, 1},
		{"select description from pg_shdescription join pg_database on objoid = pg_database.oid where datname = $1", []any{"town"}, 0},
		{"select typcategory from pg_catalog.pg_type where 1 <> 1 limit 1", nil, 0},
		{"select c.oid, pg_catalog.pg_total_relation_size(c.oid) as total_rel_size, pg_catalog.pg_relation_size(c.oid) as rel_size from pg_class c where c.relnamespace = $1", []any{schema}, 1},
		{"select i.inhrelid relid, pc.relnamespace parent_ns, pc.oid parent_oid, i.inhseqno from pg_catalog.pg_inherits i, pg_class rc, pg_class pc where rc.oid = i.inhrelid and rc.relnamespace = $1 and pc.oid = i.inhparent", []any{schema}, 0},
		{"select db.datname, pg_database_size(db.oid) from pg_catalog.pg_database db where db.oid = $1", []any{int64(5)}, 1},
		{"select pet.*, d.description from pg_catalog.pg_event_trigger pet left outer join pg_catalog.pg_description d on pet.\"oid\" = d.objoid", nil, 0},
		{"select current_schema(), session_user", nil, 1},
		{"select pg_catalog.version()", nil, 1},
	} {
		// As DBeaver's driver does: described with every parameter's type said.
		rows, err := conn.Query(t.Context(), test.query, append([]any{pgx.QueryExecModeExec}, test.args...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, test.query)
		}
		found := 0
		for rows.Next() {
			found++
		}
		if rows.Err() != nil || found != test.want {
			t.Errorf("%v, %d rows, want %d\n%s", rows.Err(), found, test.want, test.query)
		}
	}
}
