package pipeline

import (
	"strings"
	"testing"
	"time"

	"tongbao"
	"tongbao/etl"
)

// TestLate holds when a source counts as late for 2026-10 against hand-made
// moments of the town's civil time; the third working day of November is the
// 4th, the fifth the 6th.
func TestLate(t *testing.T) {
	days := chinese(t)
	civil := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		at, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	both := etl.Due{Warn: "3rd working day", Error: "5th working day"}
	age := etl.Due{Warn: "at most 26 hours old", Error: "at most 50 hours old"}
	for _, one := range []struct {
		name           string
		due            etl.Due
		now, delivered string
		want           string
	}{
		{"its day is not over", both, "2026-11-04 23:59", "", ""},
		{"its day is over", both, "2026-11-05 00:00", "", "warn"},
		{"gravely late", both, "2026-11-07 00:00", "", "error"},
		{"it has come, late as it was", both, "2026-11-20 09:00", "2026-11-11 17:00", ""},
		{"young enough", age, "2026-11-05 02:00", "2026-11-04 00:00", ""},
		{"too old", age, "2026-11-05 02:01", "2026-11-04 00:00", "warn"},
		{"far too old", age, "2026-11-06 02:01", "2026-11-04 00:00", "error"},
		{"never came", age, "2026-11-06 02:01", "", "error"},
	} {
		levels, err := deadlines(etl.Definition{Source: "repairs", Due: &one.due})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, level := range levels {
			if _, isLate := level.late(days, tongbao.NewMonth(2026, 10), civil(one.now), civil(one.delivered)); isLate {
				got = level.level
				break
			}
		}
		if got != one.want {
			t.Errorf("%s: got %q, want %q", one.name, got, one.want)
		}
	}
	for _, wrong := range []etl.Due{{}, {Warn: "soon"}, {Warn: "at most 0 hours old"}, {Error: "at most two days old"}} {
		if _, err := deadlines(etl.Definition{Source: "repairs", Due: &wrong}); err == nil || !strings.Contains(err.Error(), "repairs.yaml: due") {
			t.Errorf("%+v: got %v", wrong, err)
		}
	}
}
