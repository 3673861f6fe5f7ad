package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tongbao/warehouse/hostile"
)

// TestMain lets the test binary be the process that answers questions.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == AskCommand {
		if err := Answer(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == killedCommand {
		fmt.Fprintln(os.Stderr, writeUntilKilled(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// readers may see three tables; of the file's other tables they know nothing.
func readers(path string) []Source {
	return []Source{{Path: path, Relations: []Relation{
		{Name: "bulletin.community"},
		{Name: "bulletin.quality_quarantine"},
		{Name: "bulletin.long"},
	}}}
}

var testParams = []Param{NewParam("month", "2026-10"), NewParam("community", "甲社区"), NewParam("top", "3")}

func relationNames(sources []Source) []string {
	var names []string
	for _, source := range sources {
		for _, relation := range source.Relations {
			names = append(names, relation.Name)
		}
	}
	return names
}

// makePublished writes a small published file.
func makePublished(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "warehouse.duckdb")
	db, err := Open(context.Background(), "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Snapshot(context.Background(), path, []Copy{
		{"bulletin.community", `select * from (values (date '2026-10-01', '甲社区', 91.25::decimal(5, 2), 1), (date '2026-10-01', '乙社区', 88.5, 2),
			(date '2026-10-01', '丙社区', null, null)) as unit(month, name, total, place)`},
		{"bulletin.long", `select date '2026-10-01' as month, level, 'cg' || (i % 5) as indicator, '甲社区' as name, i as n
			from range(2, 4) as level(level), range(20) as t(i)`},
		{"bulletin.quality_quarantine", "select 3 as cases"},
		{"core.staff", "select 'PERSON' as name"},
		{"seed.rubric", "select 'cg' || i as indicator from range(5) as t(i)"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStatements: the guard judges every statement as the lists say.
func TestStatements(t *testing.T) {
	names := relationNames(readers(""))
	list := hostile.Hostile("/town/data")
	if len(list) < 160 {
		t.Errorf("%d hostile statements, want at least 160", len(list))
	}
	for _, one := range slices.Concat(list, hostile.Welcome("/town/data")) {
		_, err := guard(one.Text, testParams, granted{relations: names}, parse)
		if got := codeOf(t, err); got != one.Code {
			t.Errorf("%s: %q, want %q: %v\n%.200s", one.ID, got, one.Code, err, one.Text)
		}
	}
}

func codeOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var known *QuestionError
	if !errors.As(err, &known) || known.Kind != Refused {
		t.Errorf("not a refusal: %v", err)
		return "?"
	}
	if strings.Contains(strings.ReplaceAll(known.Error(), known.Subject, ""), "%!") {
		t.Errorf("words of %s: %v", known.Code, known)
	}
	return known.Code
}

// TestStatementsInChild sends statements through the process that answers
// them: each ends as the list says, writes no file, tells nothing hidden, and
// leaves this process as it was. Under SOAK all of them, else those with a star.
func TestStatementsInChild(t *testing.T) {
	path := makePublished(t)
	dir := filepath.Dir(path)
	before, resident := listing(t, dir), residentBytes(t)
	list, short := hostile.Hostile(dir), 0
	for i, one := range slices.Concat(list, hostile.Welcome(dir)) {
		if one.IsShort && i < len(list) {
			short++
		}
		if one.IsShort || os.Getenv("SOAK") != "" {
			throughChild(t, one, readers(path))
		}
	}
	if short < 20 {
		t.Errorf("%d hostile statements went through a process, want at least 20", short)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("files changed:\n%s\nwere\n%s", after, before)
	}
	if grown := residentBytes(t) - resident; grown > 50<<20 {
		t.Errorf("this process grew by %d MiB", grown>>20)
	}
	var rows Rows
	_, err := Ask(context.Background(), Question{SQL: "from bulletin.community", Sources: readers(path), Limits: PageLimits}, &rows, nil)
	if err != nil || len(rows.Cells) != 3 {
		t.Errorf("afterwards: %v, %v", rows, err)
	}
}

// throughChild sends one statement and holds its end against the list.
func throughChild(t *testing.T, one hostile.Statement, sources []Source) {
	t.Helper()
	limits := PageLimits
	if os.Getenv("SOAK") == "" {
		limits.Time = 2 * time.Second
	}
	began := time.Now()
	var rows Rows
	_, err := Ask(context.Background(), Question{SQL: one.Text, Params: testParams, Sources: sources, Limits: limits}, &rows, nil)
	ended := "answered"
	var known *QuestionError
	if errors.As(err, &known) {
		ended = string(known.Kind)
	} else if err != nil {
		t.Errorf("%s: %v", one.ID, err)
	}
	switch {
	case one.Code != "" && (ended != string(Refused) || known.Code != one.Code):
		t.Errorf("%s: %s (%v), want refused %s", one.ID, ended, err, one.Code)
	case one.Code == "" && !slices.Contains(one.Ends, ended):
		t.Errorf("%s: %s (%v), want one of %s", one.ID, ended, err, one.Ends)
	}
	if took := time.Since(began); took > limits.Time+4*time.Second {
		t.Errorf("%s: took %s", one.ID, took)
	}
	dir := filepath.Dir(sources[0].Path)
	if told := fmt.Sprint(rows.Cells, err); strings.Contains(told, "PERSON") || strings.Contains(told, dir) && !strings.Contains(one.Text, dir) {
		t.Errorf("%s tells what is hidden: %.300s", one.ID, told)
	}
	if (one.ID == "L30" || one.ID == "L31") && rows.Cells[0][0].String != "0" {
		t.Errorf("%s: %s hidden rows are seen", one.ID, rows.Cells[0][0].String)
	}
}

// listing is every file below dir with its size and time of change.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&text, path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// residentBytes is the memory of this process, 0 where it cannot be read.
func residentBytes(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

var _ Sink = (*Rows)(nil)

// FuzzGuard: what the guard lets run is one SELECT that reads listed tables and
// calls allowed functions, also inside the text that is run, whatever the text.
func FuzzGuard(f *testing.F) {
	for _, one := range slices.Concat(hostile.Hostile("/town/data"), hostile.Welcome("/town/data")) {
		if len(one.Text) < 4096 {
			f.Add(one.Text)
		}
	}
	names := relationNames(readers(""))
	allowed, _ := readFunctions(functionsText)
	f.Fuzz(func(t *testing.T, text string) {
		guarded, err := guard(text, testParams, granted{relations: names}, parse)
		if err != nil {
			codeOf(t, err)
			return
		}
		for _, form := range []string{guarded.SQL, bounded(guarded.SQL, 10)} {
			tree, err := parse(form)
			if err != nil {
				t.Fatalf("%q is let run and does not parse: %v", form, err)
			}
			walk(tree, func(part node) bool {
				if table, isTable := part["table_name"].(string); isTable && part["type"] == "BASE_TABLE" {
					schema, _ := part["schema_name"].(string)
					if schema != "" && !slices.Contains(names, strings.ToLower(schema+"."+table)) || isEngineName(strings.ToLower(table)) || part["catalog_name"] != "" {
						t.Errorf("%q reads %s.%s", form, schema, table)
					}
				}
				if name, calls := part["function_name"].(string); calls {
					name = strings.ToLower(name)
					if _, ok := allowed[name]; !ok && !slices.Contains(tableFunctions, name) {
						t.Errorf("%q calls %s", form, name)
					}
				}
				return true
			})
		}
	})
}

// TestFunctionsAreJudged compares the judged names with the engine's own, so
// that an upgrade fails until its new functions are judged.
func TestFunctionsAreJudged(t *testing.T) {
	allowed, refused := readFunctions(functionsText)
	engine, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	rows, err := engine.Query("select distinct lower(function_name) as name, bool_or(function_type like 'table%') as is_source from duckdb_functions() group by all order by all")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	known := map[string]bool{}
	for rows.Next() {
		var name string
		var isSource bool
		if err := rows.Scan(&name, &isSource); err != nil {
			t.Fatal(err)
		}
		known[name] = true
		if (allowed[name] == "") == (refused[name] == "") {
			t.Errorf("%s: want it in functions.txt once, allowed or refused", name)
		}
		if isSource && !isEngineName(name) {
			t.Errorf("%s may stand in FROM: want it in engineSources", name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, names := range []map[string]string{allowed, refused} {
		for name := range names {
			if !known[name] {
				t.Errorf("%s is no function of this engine", name)
			}
		}
	}
}
