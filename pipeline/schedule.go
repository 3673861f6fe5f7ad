package pipeline

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones also where the system has none

	"github.com/robfig/cron/v3"
)

// calendar knows which days are worked: the week's first five, but for the
// holidays and the make-up days of data/seeds/calendar.csv.
type calendar struct{ exceptions map[time.Time]bool }

// readCalendar reads calendar.csv of a seeds folder; etl checks it in full when
// it loads the seeds.
func readCalendar(dir string) (calendar, error) {
	path := filepath.Join(dir, "calendar.csv")
	file, err := os.Open(path)
	if err != nil {
		return calendar{}, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return calendar{}, fmt.Errorf("%s: %w", path, err)
	}
	c := calendar{exceptions: map[time.Time]bool{}}
	for i, record := range records {
		if i == 0 {
			continue
		}
		day, err := time.Parse(time.DateOnly, strings.TrimSpace(record[0]))
		if err != nil || len(record) < 2 {
			return c, fmt.Errorf("%s: line %d: want day,is_working,name", path, i+1)
		}
		if c.exceptions[day], err = strconv.ParseBool(strings.TrimSpace(record[1])); err != nil {
			return c, fmt.Errorf("%s: line %d: is_working: %q: want true or false", path, i+1, record[1])
		}
	}
	return c, nil
}

// isWorking takes a civil day as UTC midnight or any moment of that UTC day.
func (c calendar) isWorking(day time.Time) bool {
	if works, isException := c.exceptions[day.Truncate(24*time.Hour)]; isException {
		return works
	}
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// workingDay returns the nth working day of the month that day lies in; n = -1
// is the last one. The zero time means that the month has fewer.
func (c calendar) workingDay(day time.Time, nth int) time.Time {
	first := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	var last time.Time
	for at := first; at.Month() == first.Month(); at = at.AddDate(0, 0, 1) {
		if !c.isWorking(at) {
			continue
		}
		last = at
		if nth--; nth == 0 {
			return at
		}
	}
	if nth < 0 {
		return last
	}
	return time.Time{}
}

var workingDayPattern = regexp.MustCompile(`^(?:(\d{1,2})(?:st|nd|rd|th)|(last)) working day$`)

// parseWorkingDay reads "3rd working day"; "last working day" is -1.
func parseWorkingDay(text string) (int, error) {
	match := workingDayPattern.FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("%q: want for example \"3rd working day\" or \"last working day\"", text)
	}
	if match[2] != "" {
		return -1, nil
	}
	nth, err := strconv.Atoi(match[1])
	if err != nil || nth < 1 || nth > 23 {
		return 0, fmt.Errorf("%q: want the 1st to the 23rd working day", text)
	}
	return nth, nil
}

// timetable says when a job is due. It counts in civil time: every civil minute
// that the schedule names is due once, at its first occurrence where clocks
// are set back, at the first moment after the gap where they are set forward.
type timetable struct {
	zone        *time.Location
	civil       func(after time.Time) time.Time // the next civil time, as UTC; zero if there is none
	onlyWorking bool
	calendar    calendar
}

// horizon is how far a schedule is searched for its next time; robfig/cron
// itself gives up after so many years.
const horizonYears = 5

// next returns the first due moment after a moment, zero if there is none
// within five years.
func (t timetable) next(after time.Time) time.Time {
	local := after.In(t.zone)
	civil := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
	end := civil.AddDate(horizonYears, 0, 0)
	for {
		civil = t.civil(civil)
		if civil.IsZero() || civil.After(end) {
			return time.Time{}
		}
		if t.onlyWorking && !t.calendar.isWorking(civil) {
			continue
		}
		if due := inZone(civil, t.zone); due.After(after) {
			return due
		}
	}
}

// inZone returns the moment of a civil time: the first where it comes twice,
// the end of the gap where it never comes.
func inZone(civil time.Time, zone *time.Location) time.Time {
	t := time.Date(civil.Year(), civil.Month(), civil.Day(), civil.Hour(), civil.Minute(), civil.Second(), 0, zone)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	switch shown := t.Unix() + int64(offset); {
	case shown < civil.Unix():
		return end
	case shown > civil.Unix():
		return start
	}
	if !start.IsZero() {
		_, before := start.Add(-time.Second).Zone()
		if early := time.Unix(civil.Unix()-int64(before), 0).In(zone); early.Before(start) {
			return early
		}
	}
	return t
}

// parseCron reads five fields or a word such as @monthly.
func parseCron(spec string) (func(time.Time) time.Time, error) {
	if strings.Contains(spec, "TZ=") {
		return nil, errors.New("name the zone in timezone, not in the schedule")
	}
	if strings.HasPrefix(spec, "@every") {
		return nil, errors.New("@every depends on when the service was started; write the minutes, such as */30 * * * *")
	}
	// A spec without a zone follows the times that it is given: civil ones.
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("%w; want minute hour day month weekday (0 to 6, Sunday is 0), or @monthly, @weekly, @daily, @hourly", err)
	}
	return parsed.Next, nil
}

// onWorkingDay is due on the nth working day of every month.
func onWorkingDay(c calendar, nth int, clock time.Duration) func(time.Time) time.Time {
	return func(after time.Time) time.Time {
		month := time.Date(after.Year(), after.Month(), 1, 0, 0, 0, 0, time.UTC)
		for range horizonYears*12 + 1 {
			if day := c.workingDay(month, nth); !day.IsZero() && day.Add(clock).After(after) {
				return day.Add(clock)
			}
			month = month.AddDate(0, 1, 0)
		}
		return time.Time{}
	}
}

// parseClock reads "06:30" as the time since midnight.
func parseClock(text string) (time.Duration, error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q: want a time such as 06:30", text)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}
