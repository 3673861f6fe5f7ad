package tongbao

import (
	"fmt"
	"time"
)

// Month is a calendar month of the town's civil time, as months since year 0.
// The zero Month means "none".
type Month int

// NewMonth returns the month of a year and a calendar month.
func NewMonth(year int, month time.Month) Month {
	return Month(year*12 + int(month) - 1)
}

// MonthOf returns the month that t falls in, in t's own location.
func MonthOf(t time.Time) Month { return NewMonth(t.Year(), t.Month()) }

// ParseMonth reads "2026-10".
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil || t.Year() < 1 {
		return 0, fmt.Errorf("month %q: want the form 2026-10", text)
	}
	return MonthOf(t), nil
}

// Year and Calendar return the parts of m.
func (m Month) Year() int            { return int(m) / 12 }
func (m Month) Calendar() time.Month { return time.Month(int(m)%12 + 1) }

// String returns the form "2026-10"; "" for no month.
func (m Month) String() string {
	if m == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m.Year(), m.Calendar())
}

// First returns the first moment of m as a civil time in UTC, the form in
// which the warehouse keeps dates (reliability: a zoned time stores the day
// before).
func (m Month) First() time.Time {
	return time.Date(m.Year(), m.Calendar(), 1, 0, 0, 0, 0, time.UTC)
}

// Next, Prev and Add move by whole months.
func (m Month) Next() Month     { return m + 1 }
func (m Month) Prev() Month     { return m - 1 }
func (m Month) Add(n int) Month { return m + Month(n) }

// MarshalText and UnmarshalText use the form of String.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func (m *Month) UnmarshalText(text []byte) (err error) {
	*m = 0
	if len(text) > 0 {
		*m, err = ParseMonth(string(text))
	}
	return err
}
