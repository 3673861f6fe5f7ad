package etl

import (
	"testing"
	"time"
)

func TestMark(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		isInteger bool
		isSorted  bool
		values    []string
		want      string
	}{
		{"none", false, true, nil, ""},
		{"as a database prints them", false, true, []string{"2024-10-01 08:00:00+08", "2024-10-01 08:00:00.25+08", "2024-09-30 09:00:00+08"}, "2024-10-01 08:00:00.25"},
		{"days", false, true, []string{"2024-10-01", "2024-10-03"}, "2024-10-03 00:00:00"},
		{"no moments", false, true, []string{"infinity", "-infinity", "", "2024-10-01 08:00:00", "0044-03-15 00:00:00 BC"}, "2024-10-01 08:00:00"},
		{"the future counts as now", false, true, []string{"2999-01-01 00:00:00"}, "2026-11-03 20:00:00"},
		{"offsets that differ", false, false, []string{"2024-10-01T08:00:00+08:00", "2024-10-01T01:00:00Z", "2024-09-30T23:00:00-04:00"}, "2024-10-01 11:00:00"},
		{"seconds and milliseconds", false, false, []string{"1727740800", "1727740801000"}, "2024-10-01 08:00:01"},
		{"the future of a list", false, false, []string{"2999-01-01T00:00:00Z"}, "2026-11-03 20:00:00"},
		{"numbers, not texts", true, true, []string{"9", "10", "18446744073709551615", "x"}, "18446744073709551615"},
	} {
		m := mark{isInteger: c.isInteger, isSorted: c.isSorted, zone: zone, most: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)}
		for _, value := range c.values {
			m.see([]byte(value))
		}
		m.see(nil)
		if got := m.text(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	m := mark{zone: zone, most: time.Now()}
	if got := m.later("2024-10-01 08:00:00.5", "2024-10-01 08:00:00"); got != "2024-10-01 08:00:00.5" {
		t.Errorf("got %s", got)
	}
}
