package data

import (
	"encoding/csv"
	"io/fs"
	"strings"
	"time"
)

// calendar knows the days that are not as their weekday says.
type calendar map[string]bool

func readCalendar() (calendar, error) {
	text, err := fs.ReadFile(Seeds, "calendar.csv")
	if err != nil {
		return nil, err
	}
	records, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		return nil, err
	}
	days := calendar{}
	for _, record := range records[1:] {
		days[record[0]] = record[1] == "true"
	}
	return days, nil
}

func (c calendar) isWorking(day time.Time) bool {
	if working, listed := c[day.Format("2006-01-02")]; listed {
		return working
	}
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// due is the last second of the n-th working day after the day of t.
func (c calendar) due(t time.Time, n int) time.Time {
	day := time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 0, time.UTC)
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if c.isWorking(day) {
			n--
		}
	}
	return day
}
