package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tongbao/queries"
	"tongbao/warehouse"
)

// TestSQLDocs: docs/sql.md names the limits that hold, docs/api.md every path
// and every kind of error.
func TestSQLDocs(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	thousands := func(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
	page, file := warehouse.PageLimits, warehouse.FileLimits
	desk := warehouse.NewDesk(nil)
	sql := read("sql.md")
	for _, line := range []string{
		fmt.Sprintf("| rows | %s | %s |", thousands(page.Rows), thousands(file.Rows)),
		fmt.Sprintf("| size of the answer | %d MiB | %d MiB |", page.Bytes>>20, file.Bytes>>20),
		fmt.Sprintf("| time | %.0f seconds | %.0f seconds |", page.Time.Seconds(), file.Time.Seconds()),
		fmt.Sprintf("| memory | %s MB of the engine, %d GiB of address space |", strings.TrimSuffix(page.Memory, "MB"), page.Space>>30),
		fmt.Sprintf("| CPU time of all threads | %.0f seconds | %.0f seconds |", page.CPU.Seconds(), file.CPU.Seconds()),
		fmt.Sprintf("| at the same time | %d in all, 1 for each account, %d waiting |", desk.Running, desk.Waiting),
	} {
		if !strings.Contains(sql, line) {
			t.Errorf("docs/sql.md lacks %q", line)
		}
	}
	api := read("api.md")
	paths, err := warehouse.ReadTitled(queries.FS, "api")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 5 {
		t.Fatalf("%d queries of the API", len(paths))
	}
	for _, query := range paths {
		if !strings.Contains(api, "GET `/api/v1/"+query.Name+"`") {
			t.Errorf("docs/api.md lacks /api/v1/%s", query.Name)
		}
	}
	for _, kind := range []warehouse.Kind{warehouse.Refused, warehouse.Failed, warehouse.Stopped, warehouse.Outgrew, warehouse.Busy, warehouse.Cancelled} {
		if !strings.Contains(api, "`"+string(kind)+"`") {
			t.Errorf("docs/api.md lacks the kind %s", kind)
		}
		for _, name := range localeNames() {
			words, err := readWords()
			if err != nil {
				t.Fatal(err)
			}
			if words[name].text["sql.kind."+string(kind)] == "" {
				t.Errorf("%s: no words for %s", name, kind)
			}
		}
	}
}
