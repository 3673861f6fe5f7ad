package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// diagnose runs doctor at a moment and returns check → state.
func diagnose(t *testing.T, town string, now time.Time) (code int, states map[string]string, found string) {
	t.Helper()
	var out, errs strings.Builder
	a := &app{stdout: &out, stderr: &errs, now: func() time.Time { return now }}
	code = a.run(t.Context(), []string{"doctor", "-w", town, "-o", "json"})
	states = map[string]string{}
	for line := range strings.Lines(out.String()) {
		var row map[string]string
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if row["state"] != "ok" && row["do"] == "" {
			t.Errorf("%s is %s and says not what to do", row["check"], row["state"])
		}
		if states[row["check"]] != "error" {
			states[row["check"]] = row["state"]
		}
	}
	return code, states, out.String() + errs.String()
}

// TestDoctor spoils one thing at a time; doctor must find each, and find
// nothing wrong before.
func TestDoctor(t *testing.T) {
	good := filepath.Join(t.TempDir(), "town")
	must(t, "init", good)
	good = copyModes(t, good)
	code, states, found := diagnose(t, good, testNow)
	if code != exitDone || strings.Contains(found, `"state":"error"`) {
		t.Fatalf("a fresh workspace is not well: exit %d\n%s", code, found)
	}
	if states["backup"] != "warn" || states["notices"] == "error" {
		t.Errorf("got %v; want a warning that there is no backup", states)
	}
	write := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, town string) {
			if err := os.WriteFile(filepath.Join(town, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, one := range []struct {
		name, check, state string
		now                time.Time
		spoil              func(*testing.T, string)
	}{
		{"raw is open to all", "permissions", "error", testNow, func(t *testing.T, town string) { chmod(t, filepath.Join(town, "data/raw"), 0o755) }},
		{"the register is open to all", "permissions", "error", testNow, func(t *testing.T, town string) {
			write("data/register.db", "")(t, town)
			chmod(t, filepath.Join(town, "data/register.db"), 0o644)
		}},
		{"no inbox", "sources", "error", testNow, func(t *testing.T, town string) { os.RemoveAll(filepath.Join(town, "data/inbox")) }},
		{"a damaged register", "register", "error", testNow, write("data/register.db", strings.Repeat("no database", 500))},
		{"an audit log that was cut", "audit", "error", testNow, func(t *testing.T, town string) {
			if err := os.MkdirAll(filepath.Join(town, "data/published/2026-10/v1"), 0o755); err != nil {
				t.Fatal(err)
			}
			write("data/published/2026-10/CURRENT", "v1\n")(t, town)
			write("data/published/2026-10/v1/manifest.json", `{"audit": {"seq": 5, "hash": "00"}}`)(t, town)
			write("data/register.db", "")(t, town)
		}},
		{"a wrong rubric", "configuration", "error", testNow, write("data/seeds/rubric.yaml", "x: 1\n")},
		{"the clock of the year it was made", "clock", "error", time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), func(*testing.T, string) {}},
		{"the calendar ends this year", "calendar", "error", time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC), func(*testing.T, string) {}},
		{"the calendar ends soon", "calendar", "warn", time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), func(*testing.T, string) {}},
		{"another zone", "time zone", "warn", testNow, func(*testing.T, string) {}},
	} {
		t.Run(one.name, func(t *testing.T) {
			town := copyModes(t, good)
			one.spoil(t, town)
			code, states, found := diagnose(t, town, one.now)
			if states[one.check] != one.state || (code == exitFailed) != (one.state == "error") || code > exitFailed {
				t.Errorf("got exit %d, %s: %q; want %s\n%s", code, one.check, states[one.check], one.state, found)
			}
		})
	}
}

// TestClockSetBack: a clock that lies before the last run is found.
func TestClockSetBack(t *testing.T) {
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town)
	var out, errs strings.Builder
	a := &app{stdout: &out, stderr: &errs, now: func() time.Time { return testNow }}
	a.run(t.Context(), []string{"pull", "-w", town})
	if _, states, found := diagnose(t, town, testNow.Add(-48*time.Hour)); states["clock"] != "error" {
		t.Errorf("got %v\n%s", states, found)
	}
}

// copyModes copies a workspace with its modes, which os.CopyFS widens.
func copyModes(t *testing.T, from string) string {
	t.Helper()
	to := copyWorkspace(t, from)
	chmod(t, filepath.Join(to, "data", "raw"), 0o700)
	chmod(t, filepath.Join(to, "data", "warehouse"), 0o700)
	return to
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
