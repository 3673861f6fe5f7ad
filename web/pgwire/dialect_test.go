package pgwire

import "testing"

func TestDialect(t *testing.T) {
	for text, want := range map[string]string{
		"select c.oid from pg_catalog.pg_class c":                     "select c.oid from pg.pg_class c",
		"select pg_type.oid, 'pg_type' from pg_type":                  "select pg.pg_type.oid, 'pg_type' from pg.pg_type",
		"select pg_catalog.format_type(a, b)":                         "select format_type(a, b)",
		"from information_schema.tables":                              "from information.tables",
		"x OPERATOR(pg_catalog.~) '^(a)$' COLLATE pg_catalog.default": "x  ~  '(?s:.*)(?:^(a)$)(?s:.*)' ",
		"n !~ '^pg_'":                                  "n !~ '(?s:.*)(?:^pg_)(?s:.*)'",
		`n like 'a\_b' and m = 'c\d'`:                  `n like 'a\_b' escape '\' and m = 'c\d'`,
		"'pg_class'::regclass, $1::pg_catalog.regtype": "to_regclass('pg_class'), to_regtype($1)",
		"t.oid::regtype::text, f(x)::regclass":         "regtype_name(t.oid)::text, f(x)::varchar",
		"a::pg_catalog.int2[], b::oid, c::\"char\"":    "a::int2[], b::bigint, c::varchar",
		"cast('pg_class' as REGCLASS), cast(cast(f(x) as text) as regclass), 1 as oid":    "to_regclass('pg_class'), cast(cast(f(x) as text) as varchar), 1 as oid",
		"(information_schema._pg_expandarray(i.indkey)).n, polroles = '{0}'":              "(_pg_expandarray(i.indkey)).n, polroles = [0]",
		"select 'pg_catalog.pg_class', \"pg_class\" -- pg_catalog.pg_class ~ 'x'\nfrom x": "select 'pg_catalog.pg_class', \"pg_class\" -- pg_catalog.pg_class ~ 'x'\nfrom x",
	} {
		if got := inDialect(text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestNextCommand(t *testing.T) {
	for text, want := range map[string]command{
		"BEGIN ISOLATION LEVEL READ COMMITTED": {"BEGIN", "ISOLATION LEVEL READ COMMITTED"},
		"-- x\n start  transaction read only;": {"BEGIN", "read only"},
		"/* a */ end":                          {"COMMIT", ""},
		"set x = 'y'; select 1":                {"SET", "x = 'y'"},
		"deallocate all":                       {"DEALLOCATE", "all"},
		"select 1":                             {},
		"settings":                             {},
		"showcase":                             {},
	} {
		got, rest := nextCommand(text)
		if got == nil {
			got = &command{}
		}
		if *got != want {
			t.Errorf("%q: got %q, want %q; rest %q", text, *got, want, rest)
		}
	}
}
