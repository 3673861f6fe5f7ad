package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakes makes one mistake at a time in what people edit; each gets one
// clear message that names the place, and exit code 2.
func TestMistakes(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "town")
	must(t, "init", good)
	must(t, "validate", "-w", good)
	const rubric, calls = "data/seeds/rubric.yaml", "data/sources/tickets_12345.yaml"
	for _, one := range []struct{ name, file, old, new, want string }{
		{"unknown key", "tongbao.yaml", "threads: 2", "treads: 2", `unknown field "treads"`},
		{"unknown key of a job", "tongbao.yaml", "    overlap: skip ", "    overlaps: skip ", `:5] unknown field "overlaps"`},
		{"unknown step", "tongbao.yaml", "steps: [pull, run]", "steps: [pull, rum]", `jobs[0] (nightly): steps: "rum": want one of pull, run, publish, report`},
		{"pull of an unknown source", "tongbao.yaml", "steps: [pull]", "steps: [{pull: [repairs, ghosts]}]", `jobs[1] (noon): steps: pull: "ghosts": no such source`},
		{"schedule that never comes", "tongbao.yaml", `"30 2 * * *"`, `"30 2 31 2 *"`, `jobs[0] (nightly): schedule: "30 2 31 2 *, Asia/Shanghai, every day" has no time within 5 years`},
		{"two jobs of one name", "tongbao.yaml", "name: noon", "name: nightly", "taken by a job above"},
		{"due in other words", calls, "warn: 3rd working day", "warn: third day", "at most 26 hours old"},
		{"no town", "tongbao.yaml", "town: ", "#", "town: missing"},
		{"weights of 99", rubric, "party: 15", "party: 14", "sum to 99, want 100"},
		{"rule with a typo", rubric, "rule: target,", "rule: taget,", `line 30): rule: "taget": nearest is "target"`},
		{"unknown level", rubric, "levels: [C, A, B]", "levels: [C, X]", `levels: "X"`},
		{"unpaired complaints", rubric, "paired_with: hb5b", "paired_with: hb99", "a complaint indicator needs a row on how the same complaints were settled"},
		{"refused name", rubric, "name: 履职", "name: 在线时长", "国办函〔2026〕12号"},
		{"unknown key of a row", rubric, "rule: target,", "rule: target, taget: 9,", `unknown field "taget"`},
		{"unknown format", calls, "format: csv", "format: cvs", `format: "cvs"`},
		{"unknown target", calls, "to: satisfaction,", "to: satisfacton,", "nearest: satisfaction"},
		{"key of no column", calls, "key: [ticket_id]", "key: [case_id]", `"case_id"`},
		{"query without a head", "queries/indicator/cg1.sql", "", "select 1 as x", `header needs "-- grain:"`},
		{"inexact arithmetic", "queries/indicator/cg1.sql", "", "-- grain: x\n-- rule: x\n-- build: month\nselect 1 / 2 as x", `"/" is not exact`},
		{"a later layer", "queries/indicator/cg1.sql", "", "-- grain: x\n-- rule: x\n-- build: month\nselect 1 from score.total", "later layer"},
	} {
		t.Run(one.name, func(t *testing.T) {
			town := copyWorkspace(t, good)
			file := filepath.Join(town, filepath.FromSlash(one.file))
			text, err := os.ReadFile(file)
			if err != nil && one.old != "" {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), one.old) {
				t.Fatalf("%s has no %q to change", one.file, one.old)
			}
			changed := one.new
			if one.old != "" {
				changed = strings.Replace(string(text), one.old, one.new, 1)
			}
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			code, _, stderr := command(t, "validate", "-w", town)
			if code != exitUsage || !strings.Contains(stderr, one.want) || !strings.Contains(stderr, filepath.Base(one.file)) {
				t.Errorf("got exit %d, %q; want exit %d and %q of %s", code, stderr, exitUsage, one.want, one.file)
			}
		})
	}
}

// TestWrongUsage: a command line that cannot be understood, a folder that is
// no workspace, a workspace without deliveries.
func TestWrongUsage(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "town")
	must(t, "init", empty)
	for _, one := range []struct {
		args string
		want string
	}{
		{"runn", "unknown command"},
		{"run --mouth 2026-10", "unknown flag"},
		{"run --month 2026-13 -w " + empty, "want the form 2026-10"},
		{"run -w " + t.TempDir(), "no workspace here"},
		{"run --month 2026-10 -w " + empty, "nothing has been taken in"},
		{"report -w " + empty, "nothing is published"},
		{"query -o xml x -w " + empty, "want table, json or csv"},
		{"init " + empty, "init makes a new workspace only"},
	} {
		code, _, stderr := command(t, strings.Fields(one.args)...)
		if code != exitUsage || !strings.Contains(stderr, one.want) {
			t.Errorf("tongbao %s: got exit %d, %q; want exit %d and %q", one.args, code, stderr, exitUsage, one.want)
		}
	}
}
