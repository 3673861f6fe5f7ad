package etl

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// mark follows the greatest value of a cursor. Its text is what the watermark
// is: a moment in the town's zone, or an integer.
type mark struct {
	column    string
	isInteger bool
	zone      *time.Location
	most      time.Time // a moment of the future, mistyped or by a fast clock, would hide all later rows
	isSorted  bool      // values sort as texts: all in one form and zone, as a database prints them

	raw    []byte
	moment time.Time
	number *big.Int
}

// momentForms are how cursors write a moment; fractions need no form.
var momentForms = []string{
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02", "2006-01-02 15:04", "2006/01/02 15:04:05",
}

const civilForm = "2006-01-02 15:04:05.999999"

func parseMoment(text string, zone *time.Location) (time.Time, bool) {
	for _, form := range momentForms {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t.In(zone), true
		}
	}
	return time.Time{}, false
}

// see takes a cursor's value; one that is none is left out, and its row is
// read again by the next fetch.
func (m *mark) see(value []byte) {
	switch {
	case value == nil:
	case m.isInteger:
		number, ok := new(big.Int).SetString(string(value), 10)
		if ok && (m.number == nil || number.Cmp(m.number) > 0) {
			m.number = number
		}
	case m.isSorted:
		// Parsed once at the end: a table in the order of its cursor has a new
		// greatest value in every row.
		if bytes.Compare(value, m.raw) > 0 && len(value) >= len(time.DateOnly) && value[4] == '-' && value[0] <= '9' {
			m.raw = append(m.raw[:0], value...)
		}
	default:
		m.seeMoment(string(value))
	}
}

func (m *mark) seeMoment(value string) {
	moment, ok := parseMoment(strings.TrimSpace(value), m.zone)
	if !ok {
		moment, ok = parseUnix(value, m.zone)
	}
	if ok && moment.After(m.most) {
		moment = m.most.In(m.zone)
	}
	if ok && moment.After(m.moment) {
		m.moment = moment
	}
}

// parseUnix reads seconds (10 digits) or milliseconds (13) since 1970.
func parseUnix(text string, zone *time.Location) (time.Time, bool) {
	number, ok := new(big.Int).SetString(text, 10)
	switch {
	case !ok:
		return time.Time{}, false
	case len(text) == 13:
		return time.UnixMilli(number.Int64()).In(zone), true
	case len(text) == 10:
		return time.Unix(number.Int64(), 0).In(zone), true
	}
	return time.Time{}, false
}

// text is the greatest value, "" if none was seen. It is rounded down, so that
// no row can lie between it and the next fetch.
func (m *mark) text() string {
	if len(m.raw) > 0 {
		m.seeMoment(string(m.raw))
	}
	switch {
	case m.isInteger && m.number != nil:
		return m.number.String()
	case !m.isInteger && !m.moment.IsZero():
		return m.moment.Truncate(time.Microsecond).Format(civilForm)
	}
	return ""
}

// later returns the greater of two watermarks.
func (m *mark) later(a, b string) string {
	probe := mark{isInteger: m.isInteger, zone: m.zone, most: time.Unix(1<<40, 0)}
	for _, text := range []string{a, b} {
		probe.see([]byte(text))
	}
	return probe.text()
}

// before returns the watermark less the overlap: where the next fetch begins.
func (c *Connect) before(watermark string) (string, error) {
	if watermark == "" {
		return "", nil
	}
	if c.CursorType == "integer" {
		number, ok := new(big.Int).SetString(watermark, 10)
		if !ok {
			return "", fmt.Errorf("watermark %q: not an integer; fetch with --full-refresh", watermark)
		}
		return number.Sub(number, big.NewInt(c.overlap)).String(), nil
	}
	moment, ok := parseMoment(watermark, c.zone)
	if !ok {
		return "", fmt.Errorf("watermark %q: not a moment; fetch with --full-refresh", watermark)
	}
	return moment.Add(-time.Duration(c.overlap) * time.Second).Format(civilForm), nil
}
