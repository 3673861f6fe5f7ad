package pipeline

import (
	"strings"
	"testing"
	"time"

	"tongbao/etl"
)

// chinese is the town's calendar as init writes it.
func chinese(t testing.TB) calendar {
	t.Helper()
	days, err := readCalendar("../data/seeds")
	if err != nil {
		t.Fatal(err)
	}
	return days
}

func TestWorkingDays(t *testing.T) {
	days := chinese(t)
	for _, one := range []struct {
		name, month string
		nth         int
		want        string
	}{
		{"holidays put the cut-off late, on a make-up Saturday", "2026-10", 3, "2026-10-10"},
		{"plain month", "2026-11", 3, "2026-11-04"},
		{"a make-up Saturday counts", "2024-02", 1, "2024-02-01"},
		{"a make-up Sunday counts", "2024-02", 3, "2024-02-04"},
		{"last of a leap February", "2024-02", -1, "2024-02-29"},
		{"last before New Year", "2023-12", -1, "2023-12-29"},
		{"there is no 23rd", "2026-02", 23, "0001-01-01"},
	} {
		month, err := time.Parse("2006-01", one.month)
		if err != nil {
			t.Fatal(err)
		}
		if got := days.workingDay(month, one.nth).Format(time.DateOnly); got != one.want {
			t.Errorf("%s: got %s, want %s", one.name, got, one.want)
		}
	}
}

// parseJob reads one job as tongbao.yaml has it.
func parseJob(t testing.TB, text string, now time.Time) (Job, error) {
	t.Helper()
	var config struct {
		Jobs []Job `yaml:"jobs"`
	}
	text = "jobs:\n  - name: job\n    steps: [pull]\n    " + strings.ReplaceAll(text, "\n", "\n    ")
	if err := etl.DecodeYAML("tongbao.yaml", []byte(text), &config); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	err := config.Jobs[0].prepare(chinese(t), now, []string{"repairs"})
	return config.Jobs[0], err
}

func mustParseJob(t testing.TB, text string, now time.Time) Job {
	t.Helper()
	job, err := parseJob(t, text, now)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// TestDue holds the due times of schedules against those written by hand.
func TestDue(t *testing.T) {
	for _, one := range []struct{ name, job, after, want string }{
		{"every night", `schedule: "30 2 * * *"`, "2026-11-04T02:30:00+08:00",
			"2026-11-05T02:30:00+08:00 2026-11-06T02:30:00+08:00"},
		{"a month's 31st", `schedule: "0 6 31 * *"`, "2026-01-31T06:00:00+08:00",
			"2026-03-31T06:00:00+08:00 2026-05-31T06:00:00+08:00"},
		{"leap days", `schedule: "0 6 29 2 *"`, "2024-03-01T00:00:00+08:00",
			"2028-02-29T06:00:00+08:00 2032-02-29T06:00:00+08:00"},
		{"@monthly", `schedule: "@monthly"`, "2026-11-30T23:59:59+08:00",
			"2026-12-01T00:00:00+08:00 2027-01-01T00:00:00+08:00"},
		{"working days pass holidays over and take make-up days", "schedule: \"0 12 * * *\"\ncalendar: working days", "2024-02-08T12:00:00+08:00",
			"2024-02-09T12:00:00+08:00 2024-02-18T12:00:00+08:00 2024-02-19T12:00:00+08:00"},
		{"3rd working day", "on: 3rd working day\nat: \"18:30\"", "2026-09-30T00:00:00+08:00",
			"2026-10-10T18:30:00+08:00 2026-11-04T18:30:00+08:00"},
		{"last working day", "on: last working day\nat: \"00:00\"", "2023-12-29T00:00:00+08:00",
			"2024-01-31T00:00:00+08:00 2024-02-29T00:00:00+08:00"},
		{"spring: an hour that does not come is due at its end", "schedule: \"30 2 * * *\"\ntimezone: America/New_York", "2026-03-07T12:00:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00"},
		{"spring: once, also from within the hour after", "schedule: \"30 2 * * *\"\ntimezone: America/New_York", "2026-03-08T03:10:00-04:00",
			"2026-03-09T02:30:00-04:00"},
		{"spring: a half-hourly job", "schedule: \"*/30 * * * *\"\ntimezone: America/New_York", "2026-03-08T01:30:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-08T03:30:00-04:00 2026-03-08T04:00:00-04:00"},
		{"autumn: an hour that comes twice is due once", "schedule: \"30 1 * * *\"\ntimezone: America/New_York", "2026-10-31T12:00:00-04:00",
			"2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00"},
		{"autumn: from within the second hour", "schedule: \"30 1 * * *\"\ntimezone: America/New_York", "2026-11-01T01:10:00-05:00",
			"2026-11-02T01:30:00-05:00"},
		{"autumn, east of Greenwich", "schedule: \"30 2 * * *\"\ntimezone: Europe/Berlin", "2026-10-24T12:00:00+02:00",
			"2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
		{"half an hour of daylight saving", "schedule: \"10 2 * * *\"\ntimezone: Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
			"2026-10-04T02:30:00+11:00 2026-10-05T02:10:00+11:00"},
		{"midnight that does not come", "schedule: \"@daily\"\ntimezone: America/Santiago", "2026-09-05T12:00:00-04:00",
			"2026-09-06T01:00:00-03:00 2026-09-07T00:00:00-03:00"},
	} {
		t.Run(one.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, one.after)
			if err != nil {
				t.Fatal(err)
			}
			job := mustParseJob(t, one.job, at)
			var got []string
			for range strings.Fields(one.want) {
				at = job.table.next(at)
				got = append(got, at.Format(time.RFC3339))
			}
			if strings.Join(got, " ") != one.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), one.want)
			}
		})
	}
}

func TestWrongJobs(t *testing.T) {
	now := time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC)
	for _, one := range []struct{ job, want string }{
		{`schedule: "0 0 31 2 *"`, "no time within 5 years"},
		{"schedule: \"0 0 31 4 *\"\ncalendar: working days", "no time within 5 years"},
		{`schedule: "0 0 * * 7"`, "weekday (0 to 6, Sunday is 0)"},
		{`schedule: "0 0 0 * * *"`, "minute hour day month weekday"},
		{`schedule: "TZ=Asia/Shanghai"`, "name the zone in timezone"},
		{`schedule: "@every 1h"`, "write the minutes"},
		{"schedule: \"@daily\"\ntimezone: Asia/Shanghigh", "want a name such as Asia/Shanghai"},
		{"schedule: \"@daily\"\non: 3rd working day", "want either schedule"},
		{"on: 24th working day\nat: \"06:30\"", "1st to the 23rd"},
		{"on: third working day\nat: \"06:30\"", "3rd working day"},
		{"on: 3rd working day", "want a time such as 06:30"},
		{"schedule: \"@daily\"\nat: \"06:30\"", "at: belongs to on"},
		{"schedule: \"@daily\"\ncatchup: some", "want none or last or all"},
		{"schedule: \"@daily\"\nretries: 11", "want 0 to 10"},
		{"schedule: \"@daily\"\ntimeout: 200h", "want at most 168h"},
	} {
		if _, err := parseJob(t, one.job, now); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: got %v, want %q", one.job, err, one.want)
		}
	}
}

// FuzzSchedule holds that no text makes the parser panic, and that the next
// time lies after the present one.
func FuzzSchedule(f *testing.F) {
	for _, spec := range []string{"30 2 * * *", "@monthly", "TZ=Asia/Shanghai", "*/7 1-5 29 2 *", "@every 1s", "0 0 31 2 *", "CRON_TZ=x"} {
		f.Add(spec, int64(1_793_750_400))
	}
	f.Fuzz(func(t *testing.T, spec string, unix int64) {
		civil, err := parseCron(spec)
		if err != nil {
			return
		}
		zone, err := time.LoadLocation("America/New_York")
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(unix%4_000_000_000, 0)
		table := timetable{zone: zone, civil: civil}
		if next := table.next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q: after %s comes %s", spec, now, next)
		}
	})
}
