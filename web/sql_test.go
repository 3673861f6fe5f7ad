package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
)

// TestMain lets the test binary be the process that answers questions.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == warehouse.AskCommand {
		if err := warehouse.Answer(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	removeDemo()
	os.Exit(code)
}

// testReaders reads the demo town.
func testReaders(t testing.TB) Readers {
	t.Helper()
	workspace, err := pipeline.FindWorkspace(demoTown(t))
	if err != nil {
		t.Fatal(err)
	}
	readers, err := workspace.Readers()
	if err != nil {
		t.Fatal(err)
	}
	return readers
}

// testDesk records as the program's own desk does.
func testDesk(reg *register.Register) *warehouse.Desk {
	return warehouse.NewDesk(func(ctx context.Context, asked warehouse.Asked) error {
		entry := register.AuditEntry{At: asked.Began, Account: asked.Account, From: asked.From, Act: register.ActQuery, Object: asked.Door, Detail: map[string]any{"sql": asked.SQL}}
		if !asked.End.IsZero() {
			entry.Act = register.ActQueryEnded
		}
		return reg.Audit(ctx, entry)
	})
}

func askingPortal(t *testing.T) *portal {
	t.Helper()
	p := newPortal(t)
	for _, role := range []register.Role{register.RoleStatistician, register.RoleTaskforce, register.RoleAuditor} {
		p.addAccount(role)
	}
	return p
}

const ranked = "select name, total, place from bulletin.community where month = $month order by place"

// TestSQLPage: a query, its parameters, its refusals, its files and its link,
// without script.
func TestSQLPage(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	r := p.as(register.RoleStatistician)
	if page := r.get("/sql"); page.status != http.StatusOK || !strings.Contains(page.text, "bulletin.community") || strings.Contains(page.text, "core.ticket") || strings.Contains(page.text, "ranking.building") {
		t.Fatalf("the page: %d\n%.500s", page.status, page.text)
	}
	for _, one := range []struct {
		fields []string
		status int
		says   string
	}{
		{[]string{"sql", ranked, "p.month", "2026-10"}, http.StatusOK, "<td>锦苑社区</td><td class=\"n\">98.52</td>"},
		{[]string{"sql", ranked}, http.StatusUnprocessableEntity, "参数 $month 没有值"},
		{[]string{"sql", "drop table bulletin.community"}, http.StatusUnprocessableEntity, "只回答 SELECT"},
		{[]string{"sql", "from core.month_ticket"}, http.StatusUnprocessableEntity, "没有“core.month_ticket”这张表"},
		{[]string{"sql", "select nothing_such from bulletin.community"}, http.StatusUnprocessableEntity, "nothing_such"},
		{[]string{"sql", "from range(2000)"}, http.StatusOK, "只显示前 1000 行"},
		{[]string{"sql", "select '<script>alert(1)</script>' as x"}, http.StatusOK, "&lt;script&gt;alert(1)"},
		{[]string{"sql", ranked, "p.month", "2026-10", "do", "plan"}, http.StatusOK, "community"},
		{[]string{"sql", ranked, "do", "save", "title", ""}, http.StatusUnprocessableEntity, "未保存"},
	} {
		if got := r.post("/sql", one.fields...); got.status != one.status || !strings.Contains(got.text, one.says) {
			t.Errorf("%q: %d, want %d and %q\n%.3000s", one.fields, got.status, one.status, one.says, got.text)
		}
	}
	linked := r.get("/sql?" + url.Values{"sql": {ranked}, "p.month": {"2026-09"}}.Encode())
	if !strings.Contains(linked.text, "from bulletin.community where") || !strings.Contains(linked.text, `name="p.month" value="2026-09"`) || strings.Contains(linked.text, "锦苑社区") {
		t.Errorf("a link fills the form and runs nothing:\n%.2000s", linked.text)
	}
	if page := r.get("/sql"); !strings.Contains(page.text, `class="history"`) || !strings.Contains(page.text, "p.month=2026-10") && !strings.Contains(page.text, "nothing_such") {
		t.Errorf("no history:\n%.2000s", page.text)
	}
	if of := r.get("/sql?of=2026-10"); of.status != http.StatusOK || !strings.Contains(of.text, `name="of" value="2026-10"`) {
		t.Errorf("another month's version: %d", of.status)
	}
	for _, of := range []string{"1999-01", "../../x"} {
		if got := r.get("/sql?of=" + of); got.status != http.StatusNotFound {
			t.Errorf("the version of %s: %d", of, got.status)
		}
	}
	taskforce := p.as(register.RoleTaskforce)
	if got := taskforce.post("/sql", "sql", "select count(*) > 100 as many from core.month_ticket"); !strings.Contains(got.text, "<td>true</td>") {
		t.Errorf("the taskforce's records: %d\n%.2000s", got.status, got.text)
	}
}

// TestSQLFiles: each export is whole and readable, is audited, and is refused
// when it would be cut.
func TestSQLFiles(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	r := p.as(register.RoleStatistician)
	r.get("/sql")
	csv := r.post("/sql", "sql", ranked, "p.month", "2026-10", "do", "csv")
	if !strings.HasPrefix(csv.text, "\ufeffname,total,place\n锦苑社区,98.52,1\n") || !strings.Contains(csv.header.Get("Content-Disposition"), "tongbao-2026-10-20261125-090000.csv") {
		t.Errorf("csv: %d %v\n%.300s", csv.status, csv.header, csv.text)
	}
	xlsx := r.post("/sql", "sql", ranked, "p.month", "2026-10", "do", "xlsx")
	book, err := excelize.OpenReader(strings.NewReader(xlsx.text))
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := book.GetRows("结果"); err != nil || len(rows) != 9 || rows[1][0] != "锦苑社区" || rows[1][1] != "98.52" {
		t.Errorf("xlsx: %v, %v", rows, err)
	}
	if about, err := book.GetRows("说明"); err != nil || about[0][1] != ranked || about[1][1] != "2026-10 v1" {
		t.Errorf("xlsx: about %v, %v", about, err)
	}
	parquet := r.post("/sql", "sql", ranked, "p.month", "2026-10", "do", "parquet")
	file := filepath.Join(t.TempDir(), "answer.parquet")
	if err := os.WriteFile(file, []byte(parquet.text), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := warehouse.Open(context.Background(), "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if rows, err := db.Rows(context.Background(), "select count(*), max(total) from '"+file+"'"); err != nil || rows.Cells[0][0].String != "8" || rows.Cells[0][1].String != "98.52" {
		t.Errorf("parquet: %v, %v", rows, err)
	}
	if cut := r.post("/sql", "sql", "from range(100001)", "do", "csv"); cut.status != http.StatusUnprocessableEntity || !strings.Contains(cut.text, "文件会超过 100000 行") {
		t.Errorf("a file that would be cut: %d\n%.500s", cut.status, cut.text)
	}
	exports := 0
	err = p.Register.EachAudit(context.Background(), register.AuditFilter{Act: register.ActExport}, func(e register.AuditEntry) error { exports++; return nil })
	if err != nil || exports != 3 {
		t.Errorf("%d exports audited, %v", exports, err)
	}
}

const slowQuery = "select count(*) from range(1000000) as a(i), range(1000000) as b(j) where hash(i * j) = 1"

// TestSQLCancel: a query ends when its reader leaves, and when its reader
// cancels it in another window.
func TestSQLCancel(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	r := p.as(register.RoleStatistician)
	r.get("/sql")
	runs := func(want int) {
		t.Helper()
		for range 300 {
			if running, waiting := p.Desk.State(); running+waiting == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("want %d queries", want)
	}
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error, 1)
	request := r.request(http.MethodPost, "/sql", strings.NewReader(url.Values{"form_token": {r.token}, "sql": {slowQuery}}.Encode())).WithContext(ctx)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	go func() { _, err := r.client.Do(request); left <- err }()
	runs(1)
	if second := r.post("/sql", "sql", "select 1"); second.status != http.StatusTooManyRequests || second.header.Get("Retry-After") == "" || !strings.Contains(second.text, "另一条查询还没答完") {
		t.Errorf("a second query: %d\n%.500s", second.status, second.text)
	}
	began := time.Now()
	leave()
	<-left
	runs(0)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the query lived on for %s", took)
	}
	answered := make(chan answer, 1)
	other := &reader{p: p, client: r.client, token: r.token}
	go func() { answered <- other.post("/sql", "sql", slowQuery) }()
	runs(1)
	if got := r.post("/sql/cancel"); got.status != http.StatusSeeOther {
		t.Errorf("cancel: %d", got.status)
	}
	if got := <-answered; !strings.Contains(got.text, "已取消") {
		t.Errorf("the cancelled query: %d\n%.500s", got.status, got.text)
	}
	runs(0)
}

// TestSavedQueries: what one saves all may open, its owner alone removes.
func TestSavedQueries(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	r, other := p.as(register.RoleStatistician), p.as(register.RoleTaskforce)
	r.get("/sql")
	if got := r.post("/sql", "sql", ranked, "do", "save", "title", "名次<b>"); got.status != http.StatusSeeOther {
		t.Fatalf("save: %d\n%.500s", got.status, got.text)
	}
	list := other.get("/saved")
	if !strings.Contains(list.text, "名次&lt;b&gt;") || !strings.Contains(list.text, "某statistician") || strings.Contains(list.text, "/saved/1/remove") || !strings.Contains(list.text, "/sql?titled=lost_most") {
		t.Errorf("the list of another account:\n%.3000s", list.text)
	}
	if opened := other.get("/sql?saved=1"); !strings.Contains(opened.text, "from bulletin.community where month = $month") {
		t.Errorf("opened: %d\n%.500s", opened.status, opened.text)
	}
	if got := other.post("/saved/1/remove"); got.status != http.StatusNotFound {
		t.Errorf("another account removes it: %d", got.status)
	}
	if got := r.post("/saved/1/remove"); got.status != http.StatusSeeOther {
		t.Errorf("its owner removes it: %d", got.status)
	}
	for _, query := range p.titled("saved") {
		r.get("/sql?titled=" + query.Name)
		if got := r.post("/sql", "sql", query.SQL, "p.month", "2026-10"); got.status != http.StatusOK || strings.Contains(got.text, `class="none">没有符合`) {
			t.Errorf("%s: %d\n%.1000s", query.Path, got.status, got.text)
		}
		for _, locale := range localeNames() {
			if locale != defaultLocale && titleOf(query, locale) == query.Header["title"] {
				t.Errorf("%s has no title in %s", query.Path, locale)
			}
		}
	}
}

// TestDictionary: every table that may be asked, and every column, has its
// meaning in three languages, and nothing else is told.
func TestDictionary(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	page := p.as(register.RoleStatistician).get("/dictionary")
	if page.status != http.StatusOK || !strings.Contains(page.text, "社区排名、总分") || strings.Contains(page.text, "example_file") || strings.Contains(page.text, "ranking.building") {
		t.Errorf("%d\n%.2000s", page.status, page.text)
	}
	of, err := p.Readers.Published(context.Background(), register.Taskforce, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range of.Sources {
		for _, relation := range source.Relations {
			for _, name := range localeNames() {
				if p.words[name].text["table."+relation.Name] == "" {
					t.Errorf("%s: no meaning of %s", name, relation.Name)
				}
				_, table, _ := strings.Cut(relation.Name, ".")
				for _, column := range p.words[name].table(relation, table).Columns {
					if column.Meaning == "" {
						t.Errorf("%s: no meaning of %s.%s", name, relation.Name, column.Name)
					}
				}
			}
		}
	}
}

// api sends a request with a token; body "" is a GET.
func (p *portal) api(token, path, body string) (status int, header http.Header, text []byte) {
	p.t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, p.http.URL+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	got := p.reader().do(request)
	return got.status, got.header, []byte(got.text)
}

// TestAPI: tokens and their scopes, every path, filters, refusals.
func TestAPI(t *testing.T) {
	t.Parallel()
	p := askingPortal(t)
	r := p.as(register.RoleStatistician)
	r.get("/sql/tokens")
	made := r.post("/sql/tokens", "title", "看板", "days", "30", "scope", "read")
	token := findToken(t, made.text)
	if again := r.get("/sql/tokens"); strings.Contains(again.text, token) || !strings.Contains(again.text, "看板") {
		t.Error("the token is shown twice, or not listed")
	}
	both := r.postAll("/sql/tokens", url.Values{"title": {"脚本"}, "days": {"1"}, "scope": {"read", "query"}})
	query := findToken(t, both.text)
	for path, least := range map[string]int{"months": 20, "rankings": 20, "lines": 100, "units": 20, "indicators": 500} {
		status, _, text := p.api(token, "/api/v1/"+path+"?month=2026-10", "")
		var answered struct {
			Of, Version string
			Columns     []warehouse.Column
			Rows        []map[string]any
		}
		if err := json.Unmarshal(text, &answered); status != http.StatusOK || err != nil || len(answered.Rows) < least || answered.Of != "2026-10" || answered.Version != "v1" {
			t.Errorf("%s: %d, %d rows, %v\n%.300s", path, status, len(answered.Rows), err, text)
		}
	}
	for _, one := range []struct {
		token, path, body string
		status            int
		says              string
	}{
		{token, "/api/v1", "", 200, "/api/v1/rankings"},
		{token, "/api/v1/rankings?level=2&name=锦苑社区", "", 200, `"rows":[{"level":2,"peer_group":"全部","grid_id":"329118110200","name":"锦苑社区","total":98.52,"place":1,"is_tied":false`},
		{token, "/api/v1/rankings?month=2026-09&level=2&place=1", "", 200, `"rows":[{"level":2`},
		{token, "/api/v1/rankings?month=1999-01", "", 200, `"rows":[]`},
		{token, "/api/v1/rankings?colour=red", "", 400, "no column colour"},
		{token, "/api/v1/rankings?of=1999-01", "", 404, "not published"},
		{token, "/api/v1/rankings?month=../x", "", 400, "want a month"},
		{token, "/api/v1/nothing", "", 404, "not_found"},
		{token, "/api/v2/rankings", "", 404, "not_found"},
		{token, "/api/v1/tables", "", 200, `"name":"bulletin.community"`},
		{"", "/api/v1", "", 401, "unauthorized"},
		{"tongbao_wrong", "/api/v1", "", 401, "unknown, revoked or too old"},
		{token, "/api/v1/query", `{"sql":"select 1"}`, 403, "lacks the scope query"},
		{query, "/api/v1/query", `{"sql":"select 1 as one, 12345678901234567890::hugeint as big, null as none, 'x' as word, 1.50::decimal(5,2) as half"}`, 200, `"rows":[{"one":1,"big":"12345678901234567890","none":null,"word":"x","half":1.50}]`},
		{query, "/api/v1/query", `{"sql":"select name from bulletin.community where month = $month and place = 1","params":{"month":"2026-10"}}`, 200, `{"name":"锦苑社区"}`},
		{query, "/api/v1/query", `{"sql":"from core.month_ticket"}`, 422, `"code":"relation"`},
		{query, "/api/v1/query", `{"sql":"from read_csv('/etc/passwd')"}`, 422, `"code":"source"`},
		{query, "/api/v1/query", `{"sql":1}`, 400, "bad_request"},
		{query, "/api/v1/query", `{"sql":"select 1","other":2}`, 400, "bad_request"},
		{query, "/api/v1/query", `{"sql":"select 1"} x`, 400, "bad_request"},
	} {
		status, header, text := p.api(one.token, one.path, one.body)
		if status != one.status || !bytes.Contains(text, []byte(one.says)) || !strings.HasPrefix(header.Get("Content-Type"), "application/json") || !json.Valid(text) {
			t.Errorf("%s %s: %d, want %d and %q\n%.400s", one.path, one.body, status, one.status, one.says, text)
		}
	}
	r.get("/sql/tokens")
	if got := r.post("/sql/tokens/1/revoke"); got.status != http.StatusSeeOther {
		t.Errorf("revoke: %d", got.status)
	}
	if status, _, _ := p.api(token, "/api/v1", ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", status)
	}
	for _, bad := range []url.Values{{"title": {""}, "days": {"3"}, "scope": {"read"}}, {"title": {"x"}, "days": {"0"}, "scope": {"read"}}, {"title": {"x"}, "days": {"3"}}, {"title": {"x"}, "days": {"3"}, "scope": {"all"}}} {
		if got := r.postAll("/sql/tokens", bad); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, got.status)
		}
	}
}

func findToken(t *testing.T, page string) string {
	t.Helper()
	_, after, found := strings.Cut(page, "tongbao_")
	if !found {
		t.Fatalf("no token on the page:\n%.1000s", page)
	}
	secret, _, _ := strings.Cut(after, "<")
	return "tongbao_" + secret
}

// postAll sends a form whose fields may have several values.
func (r *reader) postAll(path string, form url.Values) answer {
	r.p.t.Helper()
	form.Set("form_token", r.token)
	request := r.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(request)
}
