package tongbao

import "testing"

func TestMonth(t *testing.T) {
	m, err := ParseMonth("2026-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{m.String(), "2026-01"},
		{m.Prev().String(), "2025-12"},
		{m.Add(13).String(), "2027-02"},
		{m.First().Format("2006-01-02"), "2026-01-01"},
		{Month(0).String(), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	for _, bad := range []string{"", "2026", "2026-13", "2026-1", "10-2026"} {
		if _, err := ParseMonth(bad); err == nil {
			t.Errorf("ParseMonth(%q): no error", bad)
		}
	}
}
