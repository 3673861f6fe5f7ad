package pgwire

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The clients that people use, as Debian packs them; RPostgres, which Debian
// does not pack, is taken where somebody installed it.
const (
	jdbcJar = "/usr/share/java/postgresql.jar"
	python  = "/usr/bin/python3"
)

// client runs a program against the door and returns what it printed, and its
// complaints.
func (d *door) client(t *testing.T, program string, args ...string) (output, complaints string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Env = append(os.Environ(), "PGHOST="+d.host, "PGPORT="+d.port, "PGUSER=li", "PGPASSWORD="+goodPassword, "PGDATABASE=town",
		"PGSSLMODE=verify-full", "PGSSLROOTCERT="+d.certificate, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=Asia/Shanghai")
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	return stdout.String(), stderr.String(), err
}

// need fails where a client is not on this machine, and says which.
func need(t *testing.T, packages string, works ...string) {
	t.Helper()
	if exec.Command(works[0], works[1:]...).Run() != nil {
		t.Fatalf("no %s; make setup installs %s", works[0], packages)
	}
}

func TestPsql(t *testing.T) {
	need(t, "postgresql-client", "psql", "--version")
	d := openDoor(t, nil)
	for _, test := range []struct {
		commands []string
		want     string
	}{
		{[]string{`\dt`}, "bulletin|community|table|li\n"},
		{[]string{`\dt *.*`}, "bulletin|community|table|li\nscore|total|table|li\n"},
		{[]string{`\d community`}, `month|date|||
name|text|||
score|numeric(7,2)|||
place|integer|||
is_first|boolean|||
signed_at|timestamp with time zone|||
local_at|timestamp without time zone|||
tickets|bigint|||
rate|double precision|||
huge|numeric|||
`},
		{[]string{`\dn`}, "bulletin|li\nscore|li\n"},
		{[]string{`\d staff`, "select 1"}, "1\n"},
		{[]string{"select * from community order by name nulls last"},
			"2026-10-01|东湖社区|98.12|1|t|2026-10-08 09:30:00.5+08|2026-10-08 09:30:00|12345678901|0.1|170141183460469231731687303715884105727\n2026-10-01|∅|∅|∅|∅|∅|∅|∅|∅|∅\n"},
		{[]string{"set time zone 'UTC'", "select signed_at from community where place = 1", "show timezone"}, "SET\n2026-10-08 01:30:00.5+00\nUTC\n"},
		{[]string{"begin", "select null as nothing, 2 as two", "select nope", "select 1", "rollback", "select 3"},
			"BEGIN\n∅|2\nROLLBACK\n3\n"},
		{[]string{"select count(*) from score.total", "select version()", "select current_user, current_database(), current_schema"},
			"2500\nPostgreSQL 15.0 (tongbao)\nli|town|bulletin\n"},
		{[]string{"begin; set application_name to 'x'; select count(*) from score.total"}, "BEGIN\nSET\n2500\n"},
	} {
		args := []string{"-X", "-A", "-t", "-P", "null=∅"}
		for _, command := range test.commands {
			args = append(args, "-c", command)
		}
		if got, complaints, _ := d.client(t, "psql", args...); got != test.want {
			t.Errorf("psql %q:\ngot:\n%swant:\n%scomplaints:\n%s", test.commands, got, test.want, complaints)
		}
	}
}

func TestPsycopg(t *testing.T) {
	need(t, "python3-psycopg", python, "-c", "import psycopg")
	d := openDoor(t, nil)
	output, complaints, err := d.client(t, python, "testdata/client.py", d.url("li", goodPassword, ""))
	if err != nil || output != "done\n" {
		t.Errorf("%v\n%s%s", err, output, complaints)
	}
}

func TestR(t *testing.T) {
	need(t, "r-cran-rpostgresql", "Rscript", "-e", `stopifnot(requireNamespace("RPostgres", quietly = TRUE) || requireNamespace("RPostgreSQL", quietly = TRUE))`)
	d := openDoor(t, nil)
	output, complaints, err := d.client(t, "Rscript", "testdata/client.R", d.host, d.port, "li", goodPassword)
	if err != nil || !strings.Contains(output, "done RPostgre") {
		t.Errorf("%v\n%s%s", err, output, complaints)
	}
	t.Log(output)
}

func TestJDBC(t *testing.T) {
	need(t, "default-jdk-headless", "java", "-version")
	need(t, "libpostgresql-jdbc-java", "test", "-e", jdbcJar)
	d := openDoor(t, nil)
	url := fmt.Sprintf("jdbc:postgresql://%s:%s/town?user=li&password=%s&ssl=true&sslmode=verify-full&sslrootcert=%s", d.host, d.port, strings.ReplaceAll(goodPassword, " ", "%20"), d.certificate)
	output, complaints, err := d.client(t, "java", "-Dfile.encoding=UTF-8", "-cp", jdbcJar, "testdata/Client.java", url)
	if err != nil || output != "done\n" {
		t.Errorf("%v\n%s%s", err, output, complaints)
	}
}
