package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tongbao/register"
	"tongbao/warehouse"
	"tongbao/warehouse/hostile"
)

// TestHostileDoors sends the list of hostile statements through the page and
// through the JSON API: each is refused or bounded with the words of its rule,
// and the portal answers as before after each. Under SOAK all of them, and all
// that people need; else those with a star.
func TestHostileDoors(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	r := p.as(register.RoleStatistician)
	r.get("/sql/tokens")
	token := findToken(t, r.postAll("/sql/tokens", url.Values{"title": {"hostile"}, "days": {"1"}, "scope": {"query"}}).text)
	dir := filepath.Join(demoTown(t), "data", "published", "2026-10", "v1")
	params := map[string]string{"month": "2026-10", "community": "锦苑社区", "top": "3"}
	list := hostile.Hostile(dir)
	sent := 0
	for i, one := range slices.Concat(list, hostile.Welcome(dir)) {
		if !one.IsShort && os.Getenv("SOAK") == "" {
			continue
		}
		if i < len(list) {
			sent++
		}
		p.clock.move(10 * time.Second) // far below the limit of requests
		p.throughAPI(one, token, params)
		p.throughPage(one, r, params)
		if status, _, text := p.api(token, "/api/v1/query", `{"sql":"select 1 as one"}`); status != http.StatusOK || !strings.Contains(string(text), `"rows":[{"one":1}]`) {
			t.Fatalf("after %s: %d %s", one.ID, status, text)
		}
	}
	if sent < 20 {
		t.Errorf("%d hostile statements were sent, want at least 20", sent)
	}
}

func (p *portal) throughAPI(one hostile.Statement, token string, params map[string]string) {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"sql": one.Text, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.Contains(one.Text, "\xff") {
		return // JSON cannot say it
	}
	status, _, text := p.api(token, "/api/v1/query", string(body))
	var answered struct {
		Error struct{ Kind, Code string }
	}
	if err := json.Unmarshal(text, &answered); err != nil {
		p.t.Errorf("%s: %v: %.300s", one.ID, err, text)
	}
	kind := answered.Error.Kind
	if status == http.StatusOK {
		kind = "answered"
	}
	p.holds(one, kind, answered.Error.Code, fmt.Sprintf("api %d %.300s", status, text))
}

func (p *portal) throughPage(one hostile.Statement, r *reader, params map[string]string) {
	p.t.Helper()
	fields := []string{"sql", one.Text}
	for name, value := range params {
		fields = append(fields, paramField+name, value)
	}
	got := r.post("/sql", fields...)
	words := p.words[defaultLocale]
	start := func(key string) string { text, _, _ := strings.Cut(words.text[key], "{1}"); return text }
	kind, code := "", ""
	if got.status == http.StatusOK && strings.Contains(got.text, "<h2>"+words.say("sql.answer")) {
		kind = "answered"
	}
	for _, one := range []warehouse.Kind{warehouse.Refused, warehouse.Failed, warehouse.Stopped, warehouse.Outgrew} {
		if strings.Contains(got.text, start("sql.kind."+string(one))) {
			kind = string(one)
		}
	}
	if one.Code != "" && strings.Contains(got.text, start("sql.code."+one.Code)) {
		code = one.Code
	}
	if strings.Contains(got.text, "<script>") {
		p.t.Errorf("%s: its text stands on the page as it is", one.ID)
	}
	p.holds(one, kind, code, fmt.Sprintf("page %d %.3000s", got.status, got.text))
}

// holds compares an end with the list.
func (p *portal) holds(one hostile.Statement, kind, code, seen string) {
	p.t.Helper()
	switch {
	case one.Code != "" && (kind != string(warehouse.Refused) || code != one.Code):
		p.t.Errorf("%s: %s %s, want refused %s: %s", one.ID, kind, code, one.Code, seen)
	case one.Code == "" && !slices.Contains(one.Ends, kind):
		p.t.Errorf("%s: %s, want one of %s: %s", one.ID, kind, one.Ends, seen)
	}
}
