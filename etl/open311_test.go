package etl

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// georeport is a GeoReport v2 server on loopback that keeps the limits of the
// specification: 90 days and the first so many requests, nothing said.
type georeport struct {
	*httptest.Server
	at    []time.Time // when each request was made
	cap   int
	asked int
	wrong string
}

func startGeoreport(t *testing.T, cap int, at ...time.Time) *georeport {
	g := &georeport{at: at, cap: cap}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

type geoRequest struct {
	XMLName   xml.Name `xml:"request" json:"-"`
	ID        string   `xml:"service_request_id" json:"service_request_id"`
	Status    string   `xml:"status" json:"status"`
	Code      string   `xml:"service_code" json:"service_code"`
	Address   *string  `xml:"address" json:"address"`
	Requested string   `xml:"requested_datetime" json:"requested_datetime"`
}

func (g *georeport) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("jurisdiction_id") != "town.example" || query.Get("api_key") != "s3cret" {
		http.Error(w, "<errors><error><code>403</code><description>no key</description></error></errors>", http.StatusForbidden)
		return
	}
	isXML := strings.HasSuffix(r.URL.Path, ".xml")
	if strings.HasPrefix(r.URL.Path, "/v2/services.") {
		if isXML {
			fmt.Fprint(w, `<?xml version="1.0" encoding="utf-8"?><services><service><service_code>1</service_code><service_name>渗漏</service_name></service></services>`)
		} else {
			fmt.Fprint(w, `[{"service_code": "1", "service_name": "渗漏"}]`)
		}
		return
	}
	g.asked++
	from, err := time.Parse(time.RFC3339, query.Get("start_date"))
	to, err2 := time.Parse(time.RFC3339, query.Get("end_date"))
	if err != nil || err2 != nil || to.Sub(from) > 90*24*time.Hour {
		g.wrong = r.URL.RawQuery
	}
	requests := []geoRequest{}
	for i, at := range g.at {
		if !at.Before(from) && !at.After(to) && len(requests) < g.cap {
			requests = append(requests, geoRequest{ID: fmt.Sprint(i), Status: "open", Code: "1", Requested: at.UTC().Format("2006-01-02T15:04:05Z")})
		}
	}
	if isXML {
		fmt.Fprint(w, xml.Header)
		xml.NewEncoder(w).EncodeElement(struct{ Requests []geoRequest }{requests}, xml.StartElement{Name: xml.Name{Local: "service_requests"}})
		return
	}
	json.NewEncoder(w).Encode(requests)
}

func requestsFrom(url, form, more string) string {
	return fmt.Sprintf(`source: open311
name: Open311
target: repair
key: [repair_id]
connect: {kind: open311, url: '%s/v2', form: %s, jurisdiction_id: town.example, token_env: TONGBAO_TEST_TOKEN, start: '2024-01-01'%s}
columns:
  - {from: service_request_id, to: repair_id, required: true}
  - {from: status, to: state, required: true}
  - {from: service.service_name, to: kind}
  - {from: requested_datetime, to: reported_at, required: true}
`, url, form, more)
}

func TestOpen311(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	start := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	var at []time.Time
	for i := range 300 { // one every nine hours: 112 days, more than an answer spans
		at = append(at, start.Add(time.Duration(i)*9*time.Hour))
	}
	for i := range 40 { // and a storm: 40 in 20 seconds
		at = append(at, start.Add(50*24*time.Hour+time.Duration(i/2)*time.Second))
	}
	for _, form := range []string{"json", "xml"} {
		t.Run(form, func(t *testing.T) {
			g := startGeoreport(t, 20, at...)
			w := newServed(t, requestsFrom(g.URL, form, ", cap: 20"))
			w.in.Now = func() time.Time { return start.Add(200 * 24 * time.Hour) }
			w.pull(t)
			if got := countRepairs(t, w); got != "340 340" || g.wrong != "" {
				t.Errorf("got %s requests, want 340; asked wrongly: %s", got, g.wrong)
			}
			if got, want := ask(t, w.db, "select reported_at, kind from core.repair where source_key = '0'"), "2024-01-02 08:00:00|渗漏"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			// The next pull goes back 90 days for what became of older requests.
			last := at[299].In(time.FixedZone("", 8*3600))
			if watermark, _ := Watermark(t.Context(), w.db, "open311"); watermark != last.Format(civilForm) {
				t.Errorf("got watermark %s, want %s", watermark, last)
			}
			g.at = append(g.at, at[299].Add(time.Hour))
			report := w.pull(t)
			if load := report.Loads[0]; load.Loaded != 1 || report.Fetches[0].From != last.Add(-90*24*time.Hour).Format(civilForm) {
				t.Errorf("got %+v %+v", load, report.Fetches[0])
			}
		})
	}
	t.Run("a full second", func(t *testing.T) {
		g := startGeoreport(t, 20, slices.Repeat([]time.Time{start}, 30)...)
		w := newServed(t, requestsFrom(g.URL, "json", ", cap: 20"))
		_, err := w.tryPull()
		wantError(t, err, "in one second", "connect.cap")
	})
	t.Run("no key", func(t *testing.T) {
		g := startGeoreport(t, 20)
		t.Setenv("TONGBAO_TEST_TOKEN", "geheim")
		w := newServed(t, requestsFrom(g.URL, "xml", ""))
		_, err := w.tryPull()
		wantError(t, err, "403", "no key", "open311 (open311 at ")
	})
}

func TestOpen311Errors(t *testing.T) {
	for _, c := range []struct{ name, xml, want string }{
		{"an error with status 200", "<errors><error><code>400</code><description>base is a duplicate</description></error></errors>", "400: base is a duplicate"},
		{"cut", "<service_requests><request><service_request_id>1</service_request_id>", "no whole XML"},
		{"entities", `<!DOCTYPE x [<!ENTITY a "aaaa">]><service_requests/>`, "entities"},
		{"an entity", `<service_requests><request><status>&a;</status></request></service_requests>`, "no whole XML"},
	} {
		if _, err := xmlItems([]byte(c.xml), "request"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// sharedFolder is the folder of test input that is not part of the project.
func sharedFolder(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(orElse(os.Getenv("TONGBAO_SHARED"), "../../shared"), name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("skipped: no test input at %s", dir)
	}
	return dir
}

// TestOpen311Fixtures reads the specification's own examples, and holds what
// was read against its schema.
func TestOpen311Fixtures(t *testing.T) {
	dir := sharedFolder(t, "real/open311")
	for _, c := range []struct {
		file, element string
		want          int
		first         string
	}{
		{"spec__fixtures__service_requests.json", "request", 2, "14-01100669"},
		{"spec__fixtures__files__requests_many.xml", "request", 2, "101005420892"},
		{"spec__fixtures__files__requests_single.xml", "request", 1, "101005420892"},
		{"test__mocks__service-request.xml", "request", 1, "638344"},
		{"test__mocks__service-requests.xml", "request", 2, "638344"},
		{"spec__fixtures__service_list.json", "service", 3, "001"},
		{"spec__fixtures__files__services_giessen.xml", "service", 8, "015"},
		{"test__mocks__dc-services.xml", "service", 2, "CSRREPIS"},
	} {
		t.Run(c.file, func(t *testing.T) {
			answer, err := os.ReadFile(filepath.Join(dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			source := open311{&webClient{c: &Connect{Form: strings.TrimPrefix(filepath.Ext(c.file), ".")}}}
			items, err := source.items(answer, c.element)
			if err != nil {
				t.Fatal(err)
			}
			if c.file == "test__mocks__dc-services.xml" {
				c.want = strings.Count(string(answer), "<service>")
			}
			name := map[string]string{"request": "service_request_id", "service": "service_code"}[c.element]
			if len(items) != c.want || items[0].value(name) != c.first {
				t.Errorf("got %d items, the first %s; want %d, %s", len(items), items[0].value(name), c.want, c.first)
			}
			checkSchema(t, filepath.Join(dir, "schema__georeport-v2__"+c.element+".json"), items)
		})
	}
	answer, err := os.ReadFile(filepath.Join(dir, "test__mocks__boston-err-submitrequest-base_is_duplicate.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := xmlItems(answer, "request"); err == nil || !strings.Contains(err.Error(), "base is a duplicate") {
		t.Errorf("got %v, want the server's own words", err)
	}
}

// checkSchema holds items against what a schema requires and enumerates.
func checkSchema(t *testing.T, file string, items []item) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Required   []string
		Properties map[string]struct {
			Enum []string
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if len(schema.Required) == 0 || len(schema.Properties) == 0 {
		t.Fatalf("%s says nothing", file)
	}
	for i, o := range items {
		for _, name := range schema.Required {
			if o.value(name) == "" {
				t.Errorf("item %d lacks %s", i+1, name)
			}
		}
		for j, name := range o.names {
			property, found := schema.Properties[name]
			if !found {
				t.Errorf("item %d has %s, which the schema does not know", i+1, name)
			}
			if len(property.Enum) > 0 && !slices.Contains(property.Enum, string(o.values[j])) {
				t.Errorf("item %d: %s is %s, not one of %q", i+1, name, o.values[j], property.Enum)
			}
		}
	}
}
