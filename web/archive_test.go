package web

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tongbao"
	"tongbao/register"
)

// demoPortal is a portal of the demo town with all roles.
func demoPortal(t *testing.T) *portal {
	t.Helper()
	p := newPortal(t)
	for _, role := range register.Roles() {
		p.addAccount(role)
	}
	return p
}

// TestFilesByRole: every role gets the files of its own, byte for byte, and no
// other, by whatever address; and each that it gets is in the audit log.
func TestFilesByRole(t *testing.T) {
	p := demoPortal(t)
	manifest, err := p.library.manifest(tongbao.NewMonth(2026, 10), 1)
	if err != nil {
		t.Fatal(err)
	}
	may := map[register.Role]func(name string) bool{
		register.RoleLeader:       func(n string) bool { return strings.Contains(n, "领导版") },
		register.RoleLine:         func(n string) bool { return strings.Contains(n, "领导版") },
		register.RoleTaskforce:    func(string) bool { return true },
		register.RoleUnit:         func(n string) bool { return strings.Contains(n, "单位版-"+testUnit) },
		register.RoleStatistician: isForStatisticians,
		register.RoleAuditor:      isForStatisticians,
		register.RoleOperator:     func(string) bool { return false },
		register.RoleAdmin:        func(string) bool { return false },
	}
	for _, role := range register.Roles() {
		r := p.as(role)
		archive, got := r.get("/archive").text, 0
		for _, file := range manifest.Outputs {
			path := "/archive/2026-10/v1/" + (&url.URL{Path: file.Name}).EscapedPath()
			want := may[role](file.Name) || strings.Contains(file.Name, "公示版") && register.AudienceOf(role) != ""
			answer := r.get(path)
			p.clock.move(1e9)
			if want {
				got++
			}
			if (answer.status == http.StatusOK) != want || !want && answer.status != http.StatusForbidden {
				t.Errorf("%s: %s: got %d, want it: %v", role, file.Name, answer.status, want)
			}
			if strings.Contains(archive, path+`"`) != want {
				t.Errorf("%s: the archive lists %s: %v", role, file.Name, !want)
			}
			if sum := sha256.Sum256([]byte(answer.text)); want && hex.EncodeToString(sum[:]) != file.SHA256 {
				t.Errorf("%s: %s is not what was published", role, file.Name)
			}
			if policy := manifest.Policies[file.Name]; want && policy != "" && answer.header.Get("Content-Security-Policy") != policy {
				t.Errorf("%s: %s under %q, want %q", role, file.Name, answer.header.Get("Content-Security-Policy"), policy)
			}
		}
		noted := 0
		err := p.Register.EachAudit(t.Context(), register.AuditFilter{Account: string(role), Act: register.ActExport}, func(register.AuditEntry) error { noted++; return nil })
		if err != nil || noted != got {
			t.Errorf("%s took %d files, and the audit log has %d (%v)", role, got, noted, err)
		}
	}
}

func isForStatisticians(name string) bool {
	return strings.Contains(name, "统计版") || name == "warehouse.duckdb" || name == "queries.zip" || strings.HasPrefix(name, "parquet/")
}

var linkPattern = regexp.MustCompile(`href="(/[^"#]*)"`)

// TestEveryLink follows every link that each role is shown: none is broken,
// none leads to a refusal.
func TestEveryLink(t *testing.T) {
	p := demoPortal(t)
	for _, role := range register.Roles() {
		r := p.as(role)
		seen, waiting := map[string]bool{"/": true}, []string{"/"}
		kinds := map[string]int{} // pages of the same kind are enough
		for len(waiting) > 0 {
			path := waiting[0]
			waiting = waiting[1:]
			p.clock.move(1e9)
			got := r.get(path)
			if got.status == http.StatusSeeOther {
				waiting = append(waiting, got.header.Get("Location"))
				continue
			}
			if got.status != http.StatusOK {
				t.Errorf("%s: a link leads to %s: %d", role, path, got.status)
			}
			if !strings.Contains(got.header.Get("Content-Type"), "html") || strings.HasPrefix(path, "/archive/") {
				continue
			}
			for _, found := range linkPattern.FindAllStringSubmatch(got.text, -1) {
				to := strings.ReplaceAll(found[1], "&amp;", "&")
				kind := regexp.MustCompile(`\d{6,}|=[^&]*|[A-Z]{2}\d+[A-Z]?|[^/]+\.(parquet|duckdb|html|xlsx|css|js)`).ReplaceAllString(to, "*")
				if kinds[kind]++; !seen[to] && kinds[kind] <= 12 {
					seen[to] = true
					waiting = append(waiting, to)
				}
			}
		}
		if len(seen) < 2 {
			t.Errorf("%s: %d pages; the test would find nothing", role, len(seen))
		}
	}
}

// TestUnitSeesItsOwn: a community's account sees of other communities what the
// ranking says, and no area, building grid, indicator or record.
func TestUnitSeesItsOwn(t *testing.T) {
	p := demoPortal(t)
	r := p.as(register.RoleUnit)
	for _, path := range []string{"/unit/329118110202901", "/unit/329118110202001", "/records?grid=329118110202901"} {
		if got := r.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
	for _, path := range []string{"/records", "/records?grid=329118110202", "/unit/329118110202", "/line/city", "/indicator/cg1", "/coordination", "/"} {
		got := r.get(path)
		if regexp.MustCompile(`32911811020[02-7]\d{3}`).MatchString(got.text) {
			t.Errorf("%s shows a building grid or area of others", path)
		}
	}
	if got := r.get("/records"); !strings.Contains(got.text, testUnit) || strings.Contains(got.text, ".csv") || strings.Contains(got.text, ".xlsx") {
		t.Errorf("its own records, without files and rows: %s", got.text)
	}
	of, err := p.library.current(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{Server: p.Server, account: register.Account{Role: register.RoleUnit, Unit: testUnit}}
	for _, one := range v.rows(of, "lost_record") {
		if one.Get("file")+one.Get("evidence")+one.Get("row_no") != "" || one.Get("record") == "" {
			t.Fatalf("a hidden column can be read, or a shown one cannot: %+v", one)
		}
	}
	line := p.as(register.RoleLine)
	if got := line.get("/records"); !strings.Contains(got.text, "CG") || strings.Contains(got.text, "/indicator/DQ") || strings.Contains(got.text, ".xlsx") {
		t.Error("the owner of a line sees its records, and those only")
	}
}

// TestCaching: what the reader has is not sent again, what is sent is
// compressed, and another reader never gets a kept page of more rights.
func TestCaching(t *testing.T) {
	p := demoPortal(t)
	leader, unit := p.as(register.RoleLeader), p.as(register.RoleUnit)
	first := leader.get("/unit/329118110202")
	request := leader.request(http.MethodGet, "/unit/329118110202", nil)
	request.Header.Set("If-None-Match", first.header.Get("ETag"))
	if got := leader.do(request); got.status != http.StatusNotModified || got.text != "" {
		t.Errorf("again: got %d with %d bytes", got.status, len(got.text))
	}
	if got := unit.get("/unit/329118110202"); strings.Contains(got.text, "32911811020290") {
		t.Error("a community got a leader's page")
	}
	request = leader.request(http.MethodGet, "/unit", nil)
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := leader.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	zipper, err := gzip.NewReader(response.Body)
	if err != nil {
		t.Fatalf("not compressed: %v", err)
	}
	if page, err := io.ReadAll(zipper); err != nil || !strings.Contains(string(page), "</html>") {
		t.Errorf("the compressed page is not whole: %v", err)
	}
}

// TestPointer: a new version is seen at once, and what is beyond the pointer is
// not.
func TestPointer(t *testing.T) {
	p := demoPortal(t)
	town := t.TempDir()
	if err := os.CopyFS(town, os.DirFS(p.Published)); err != nil {
		t.Fatal(err)
	}
	p = newPortal(t, func(o *Options) { o.Published = town })
	p.addAccount(register.RoleTaskforce)
	r := p.as(register.RoleTaskforce)
	if got := r.get("/"); !strings.Contains(got.text, "第 1 版") {
		t.Fatalf("version 1 is not there:\n%s", got.text)
	}
	month := filepath.Join(town, "2026-10")
	if err := os.CopyFS(filepath.Join(month, "v2"), os.DirFS(filepath.Join(month, "v1"))); err != nil {
		t.Fatal(err)
	}
	if got := r.get("/"); strings.Contains(got.text, "第 2 版") {
		t.Error("a version is shown before the pointer names it")
	}
	if got := r.get("/archive/2026-10/v2/warehouse.duckdb"); got.status != http.StatusNotFound {
		t.Errorf("its files can be had: %d", got.status)
	}
	if err := os.WriteFile(filepath.Join(month, "CURRENT"), []byte("v2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := r.get("/"); !strings.Contains(got.text, "第 2 版") {
		t.Error("the new version is not seen")
	}
	if got := r.get("/archive"); !strings.Contains(got.text, "/archive/2026-10/v1/") || !strings.Contains(got.text, "/archive/2026-10/v2/") {
		t.Error("the archive does not have both")
	}
}

// TestOwnQueries: an indicator's page shows the query that made the version,
// whatever the workspace has now.
func TestOwnQueries(t *testing.T) {
	p := demoPortal(t)
	leader := p.as(register.RoleLeader)
	if got := leader.get("/indicator/cg2").text; !strings.Contains(got, "from core.month_ticket as ticket") {
		t.Errorf("the page lacks the query: %.300s", got)
	}
	if got := p.as(register.RoleStatistician).get("/archive").text; !strings.Contains(got, "queries.zip") {
		t.Error("statisticians may not have the queries")
	}
	if got := leader.get("/archive").text; strings.Contains(got, "queries.zip") {
		t.Error("leaders are offered the queries")
	}
}
