package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLateSource: a month is assessed while a source is late. The run says so,
// what is published says so, and the late delivery makes a new version.
func TestLateSource(t *testing.T) {
	t.Parallel()
	town := ownDemo(t, 1, delivered)
	held := filepath.Join(town, "held.xlsx")
	late := filepath.Join(town, "data", "inbox", "维修台账_20261103.xlsx")
	if err := os.Rename(late, held); err != nil {
		t.Fatal(err)
	}
	at := func(day int, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		program := app{stdout: &out, stderr: &errs, now: func() time.Time { return time.Date(2026, 11, day, 1, 0, 0, 0, time.UTC) }}
		code := program.run(context.Background(), append(args, "-w", town))
		return code, out.String(), errs.String()
	}
	const query = "select source, level from seed.source_due where month = date '2026-10-01' order by all"
	for _, one := range []struct {
		day         int
		says, level string
	}{
		{4, "", ""}, // the day on which it is due is not over
		{5, "房屋维修台账 (repairs) is late for 2026-10: 3rd working day", "repairs,warn"},
		{9, "房屋维修台账 (repairs) is late for 2026-10: 5th working day", "repairs,error"},
		{10, "", ""}, // it has come
	} {
		if one.day == 10 {
			if err := os.Rename(held, late); err != nil {
				t.Fatal(err)
			}
		}
		code, _, stderr := at(one.day, "run", "--month", "2026-10")
		if code != exitDone || strings.Contains(stderr, "is late for") != (one.says != "") || !strings.Contains(stderr, one.says) {
			t.Errorf("day %d: exit %d, want %q:\n%s", one.day, code, one.says, stderr)
		}
		if one.says != "" && !strings.Contains(stderr, "what depends on it may still change") {
			t.Errorf("day %d: the check says nothing:\n%s", one.day, stderr)
		}
		runs := history(t, town)
		if run := runs[len(runs)-1]; (len(run.Late) > 0) != (one.says != "") || one.says != "" && run.Late[0].Text != one.says {
			t.Errorf("day %d: the run has %+v, want %q", one.day, run.Late, one.says)
		}
		// What was published before stays as it was published.
		_, rows, _ := at(one.day, "query", query, "-o", "csv")
		if lines := strings.Fields(rows); slices.Contains(lines, one.level) != (one.level != "") {
			t.Errorf("day %d: published %q, want %q", one.day, lines, one.level)
		}
	}
}
