package etl

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// platform is a ticket platform on loopback that pages as such platforms do,
// and misbehaves on request.
type platform struct {
	*httptest.Server
	mu     sync.Mutex
	rows   []map[string]any                                    // in the order of the list
	asked  []string                                            // addresses with their parameters
	faults []func(w http.ResponseWriter, r *http.Request) bool // each is used once; true: it answered
	before func(page int)                                      // runs before a page is cut out of rows
	size   int
}

func startPlatform(t testing.TB, rows int) *platform {
	t.Helper()
	p := &platform{size: 10}
	for i := range rows {
		p.rows = append(p.rows, row(i+1))
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func row(id int) map[string]any {
	at := time.Date(2024, 10, 1, 0, 0, id, 0, time.UTC)
	return map[string]any{"id": id, "所属网格": "一号楼", "reported": at.Format(time.RFC3339), "updated_at": at.Format(time.RFC3339), "where": map[string]any{"lat": json.Number("31.10")}}
}

func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.URL.RequestURI())
	if len(p.faults) > 0 {
		fault := p.faults[0]
		p.faults = p.faults[1:]
		if fault(w, r) {
			return
		}
	}
	if r.Header.Get("Authorization") != "Bearer s3cret" && r.Header.Get("X-Token") != "s3cret" {
		http.Error(w, "no token, no rows", http.StatusUnauthorized)
		return
	}
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	if p.before != nil {
		p.before(page)
	}
	rows := p.rows
	if since, err := time.Parse(time.RFC3339, query.Get("since")); err == nil {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row map[string]any) bool { return row["updated_at"].(string) < since.UTC().Format(time.RFC3339) })
	}
	start := min(max(page-1, 0)*p.size, len(rows))
	end := min(start+p.size, len(rows))
	answer := map[string]any{"data": map[string]any{"rows": append([]map[string]any{}, rows[start:end]...), "total": len(rows)}}
	if end < len(rows) {
		next := *r.URL
		query.Set("page", strconv.Itoa(max(page, 1)+1))
		next.RawQuery = query.Encode()
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="first", <%s>; title="a"; rel="next"`, "/list?page=1", next.RequestURI()))
		answer["next"] = strconv.Itoa(max(page, 1) + 1)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(answer)
}

// listFrom is a definition of the platform's list.
func listFrom(p *platform, page string) string {
	return repairsFrom(fmt.Sprintf("  {kind: http, url: '%s/list', token_env: TONGBAO_TEST_TOKEN, items: data.rows, cursor: updated_at, since: since, overlap: 5s%s}", p.URL, page))
}

const (
	byNumber = ", page: {by: number, param: page, total: data.total}"
	byGuess  = ", page: {by: number, param: page}"
	byCursor = ", page: {by: cursor, param: page, next: next, total: data.total}"
	byLink   = ", page: {by: link, total: data.total}"
)

func countRepairs(t testing.TB, w *served) string {
	t.Helper()
	return ask(t, w.db, "select count(*) || ' ' || count(distinct source_key) from core.repair")
}

func TestHTTPPages(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	for name, page := range map[string]string{"number": byNumber, "number without total": byGuess, "cursor": byCursor, "link": byLink} {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t, 34)
			w := newServed(t, listFrom(p, page))
			w.pull(t)
			if got := countRepairs(t, w); got != "34 34" {
				t.Fatalf("got %s rows, want 34", got)
			}
			if got, want := ask(t, w.db, "select reported_at, updated_at from core.repair where source_key = '34'"), "2024-10-01 08:00:34|2024-10-01 08:00:34"; got != want {
				t.Errorf("got %s, want %s in the town's own time", got, want)
			}
			p.rows = append(p.rows, row(35), row(36))
			p.rows[33]["finished"] = "2024-10-02 08:00:00"
			p.asked = nil
			report := w.pull(t)
			if load := report.Loads[0]; load.In != 8 || load.Loaded != 3 || load.Duplicate != 5 {
				t.Errorf("got %+v, want 8 in, of which 2 new and 1 changed", load)
			}
			if !strings.Contains(p.asked[0], "since=2024-10-01T08%3A00%3A29%2B08%3A00") {
				t.Errorf("asked %s", p.asked[0])
			}
			if got := countRepairs(t, w); got != "36 36" {
				t.Errorf("got %s rows, want 36", got)
			}
		})
	}
}

// TestHTTPShifting lets rows leave and join the list while it is walked: a
// walk that may have lost a row does not count.
func TestHTTPShifting(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	for _, c := range []struct {
		name, page string
		shift      func(p *platform)
		want       string
	}{
		{"a row leaves", byNumber, func(p *platform) { p.rows = p.rows[1:] }, "33 33"},
		{"a row leaves unseen", byGuess, func(p *platform) { p.rows = p.rows[1:] }, "33 33"},
		{"a row joins in front", byNumber, func(p *platform) { p.rows = append([]map[string]any{row(99)}, p.rows...) }, "35 35"},
		// The total stays the same, and yet row 11 slips from page 2 to page 1.
		{"one leaves and one joins", byNumber, func(p *platform) { p.rows = append(p.rows[1:], row(99)) }, "34 34"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startPlatform(t, 34)
			isDone := false
			p.before = func(page int) {
				if page == 2 && !isDone {
					isDone = true
					c.shift(p)
				}
			}
			w := newServed(t, listFrom(p, c.page))
			w.pull(t)
			if got := countRepairs(t, w); got != c.want {
				t.Errorf("got %s rows, want %s", got, c.want)
			}
			if got := ask(t, w.db, "select count(*) from core.repair where source_key = '11'"); got != "1" {
				t.Error("row 11 was lost at the edge of a page")
			}
		})
	}
	t.Run("it never rests", func(t *testing.T) {
		p := startPlatform(t, 34)
		id := 1000
		p.before = func(int) { id++; p.rows = append([]map[string]any{row(id)}, p.rows...) }
		w := newServed(t, listFrom(p, byNumber))
		_, err := w.tryPull()
		wantError(t, err, "changed in each of 6 walks", "cursor")
		if got := countRepairs(t, w); got != "0 0" {
			t.Errorf("got %s rows of a list that could not be walked", got)
		}
	})
}

// answer makes a fault that gives one answer.
func answer(status int, header, value, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

// cutBody promises more than it sends, with and without a length.
func cutBody(isChunked bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		if !isChunked {
			w.Header().Set("Content-Length", "1000")
		}
		fmt.Fprint(w, `{"data": {"rows": [{"id": 1}`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// closeDelimited sends a part of the answer and an orderly end, as servers of
// HTTP/1.0 do: nothing but the JSON itself tells that it was cut.
func closeDelimited(w http.ResponseWriter, _ *http.Request) bool {
	conn, buffer, _ := w.(http.Hijacker).Hijack()
	buffer.WriteString("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"data\": {\"rows\": [{\"id\": 1}")
	buffer.Flush()
	conn.Close()
	return true
}

func TestHTTPFaults(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("another server was asked: %v", r.Header) }))
	defer elsewhere.Close()
	type fault = func(http.ResponseWriter, *http.Request) bool
	many := func(f fault) []fault { return slices.Repeat([]fault{f}, webTries) }
	for _, c := range []struct {
		name   string
		faults []fault
		want   []string // of the error; none: the pull succeeds
	}{
		{"500 three times", slices.Repeat([]fault{answer(500, "", "", "oops")}, 3), nil},
		{"429 with Retry-After", []fault{answer(429, "Retry-After", "0", "")}, nil},
		{"cut, with a length", []fault{cutBody(false)}, nil},
		{"cut, in chunks", []fault{cutBody(true)}, nil},
		{"500 for ever", many(answer(500, "", "", "oops s3cret")), []string{"500", "5 tries"}},
		{"cut for ever", many(cutBody(true)), []string{"cut after"}},
		{"cut with an orderly end", []fault{closeDelimited}, []string{"no JSON"}},
		{"wait a day", []fault{answer(503, "Retry-After", "86400", "")}, []string{"24h0m0s", "later"}},
		{"no right", []fault{answer(403, "", "", `{"message": "no"}`)}, []string{"403", "check the token"}},
		{"a sign-in page", []fault{answer(200, "Content-Type", "text/html", "<html>")}, []string{"web page", "expired"}},
		{"to another server", []fault{answer(302, "Location", elsewhere.URL+"/list", "")}, []string{"another server"}},
		{"a link to another server", []fault{answer(200, "Link", "<"+elsewhere.URL+`/x>; rel="next"`, `{"data":{"rows":[],"total":0}}`)}, []string{"another server"}},
		{"no JSON", []fault{answer(200, "", "", `{"data"`)}, []string{"no JSON"}},
		{"two answers in one", []fault{answer(200, "", "", `{"data":{"rows":[],"total":0}}{}`)}, []string{"goes on after"}},
		{"no list", []fault{answer(200, "", "", `{"data":{"total":0}}`)}, []string{"no data.rows"}},
		{"no objects", []fault{answer(200, "", "", `{"data":{"rows":[1],"total":1}}`)}, []string{"item 1", "no object"}},
		{"no total", []fault{answer(200, "", "", `{"data":{"rows":[]}}`)}, []string{"no data.total"}},
		{"fewer than told", []fault{answer(200, "", "", `{"data":{"rows":[],"total":7}}`)}, []string{"tells of 7 items but gives 0"}},
		{"in a circle", []fault{answer(200, "Link", `</list>; rel="next"`, `{"data":{"rows":[],"total":0}}`)}, []string{"circle"}},
		{"too much", []fault{func(w http.ResponseWriter, _ *http.Request) bool {
			for range MaxAnswerBytes>>20 + 1 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					break
				}
			}
			return true
		}}, []string{fmt.Sprint(MaxAnswerBytes)}},
		{"a NUL", []fault{answer(200, "", "", `{"data":{"rows":[{"id":"a\u0000b"}],"total":1}}`)}, []string{"column id", "NUL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startPlatform(t, 12)
			p.faults = c.faults
			w := newServed(t, listFrom(p, byLink))
			_, err := w.tryPull()
			if c.want == nil {
				if got := countRepairs(t, w); err != nil || got != "12 12" {
					t.Errorf("got %s rows and %v, want 12", got, err)
				}
				return
			}
			wantError(t, err, append(c.want, "repairs_db (http at "+strings.TrimPrefix(p.URL, "http://"))...)
			if got := countRepairs(t, w); got != "0 0" {
				t.Errorf("got %s rows of a broken answer", got)
			}
			p.faults = nil
			w.pull(t)
			if got := countRepairs(t, w); got != "12 12" {
				t.Errorf("after the repair: got %s rows, want 12", got)
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		p := startPlatform(t, 3)
		p.faults = []fault{func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }}
		w := newServed(t, strings.Replace(listFrom(p, byLink), "token_env", "timeout: 1s, token_env", 1))
		_, err := w.tryPull()
		wantError(t, err, "timeout of 1s", "connect.timeout")
		w.pull(t)
		if got := countRepairs(t, w); got != "3 3" {
			t.Errorf("got %s rows, want 3", got)
		}
	})
	t.Run("a header of its own", func(t *testing.T) {
		p := startPlatform(t, 3)
		w := newServed(t, strings.Replace(listFrom(p, byLink), "token_env", "header: X-Token, token_env", 1))
		w.pull(t)
	})
}

func TestJSONText(t *testing.T) {
	items, err := jsonItems([]byte(`[{"id": 900719925474099312345, "n": 1.10, "t": true, "z": null, "s": "a\u4e00\"", "l": [1, {"a": 2}], "o": {"p": {"q": 1e2}, "r": ""}}]`), "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, name := range items[0].names {
		got = append(got, fmt.Sprintf("%s=%s/%t", name, items[0].values[i], items[0].values[i] == nil))
	}
	want := []string{"id=900719925474099312345/false", "n=1.10/false", "t=true/false", "z=/true", `s=a一"/false`, `l=[1,{"a":2}]/false`, "o.p.q=1e2/false", "o.r=/false"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{`[{"a": 1, "a": 2}]`, `[[1]]`, `{}`, `[{"a": 1},]`, strings.Repeat(`[{"a":`, 1) + strings.Repeat(`{"a":`, 10) + "1" + strings.Repeat("}", 11) + "]"} {
		if _, err := jsonItems([]byte(bad), ""); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}
