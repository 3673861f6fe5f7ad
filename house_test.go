package tongbao_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says who may import whom of ours; ARCHITECTURE.md has the same table
// with the reasons. "*" means every room.
var arrows = map[string][]string{
	".":          {},
	"queries":    {},
	"templates":  {},
	"confidence": {},
	"data":       {"."},
	"warehouse":  {"."},
	// The list that the tests of every door read.
	"warehouse/hostile": {},
	"register":          {"."},
	"etl":               {".", "warehouse", "data"},
	"reports":           {".", "warehouse", "templates"},
	"reports/forms":     {"."},
	"pipeline":          {".", "data", "etl", "warehouse", "register", "queries", "confidence", "reports"},
	"web":               {".", "warehouse", "register", "reports/forms", "templates"},
	"web/pgwire":        {".", "warehouse", "register", "reports/forms", "templates"},
	"cmd/tongbao":       {"*"},
}

// keepers names the only rooms that may import a module from outside.
var keepers = map[string][]string{
	"github.com/duckdb/duckdb-go/v2":        {"warehouse"},
	"modernc.org/sqlite":                    {"register"},
	"github.com/xuri/excelize/v2":           {"data", "etl", "reports", "reports/forms"},
	"github.com/goccy/go-yaml":              {"etl"},
	"github.com/go-echarts/go-echarts/v2":   {"reports"},
	"github.com/gofrs/flock":                {"pipeline"},
	"github.com/spf13/cobra":                {"cmd/tongbao"},
	"github.com/schollz/progressbar/v3":     {"cmd/tongbao"},
	"gonum.org/v1/gonum":                    {"confidence"},
	"github.com/robfig/cron/v3":             {"pipeline"},
	"github.com/jackc/pgx/v5":               {"etl", "web/pgwire"},
	"github.com/go-sql-driver/mysql":        {"etl"},
	"github.com/prometheus/client_golang":   {"pipeline"},
	"github.com/coreos/go-oidc/v3":          {"web"},
	"github.com/hashicorp/go-retryablehttp": {"etl"},
	"golang.org/x/text":                     {"data", "etl"},
	"golang.org/x/crypto":                   {"register"},
	"golang.org/x/term":                     {"cmd/tongbao"},
	"golang.org/x/oauth2":                   {"web"},
	"golang.org/x/time":                     {"web"},
	"filippo.io/age":                        {"pipeline"},
	"gopkg.in/natefinch/lumberjack.v2":      {"pipeline"},
	"github.com/klauspost/compress":         {"pipeline"},
}

// TestArrows reads the imports of every file that is not a test.
func TestArrows(t *testing.T) {
	for file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		room := path.Dir(file)
		allowed, known := arrows[room]
		if !known {
			t.Errorf("%s: a room that the map does not know: %s", file, room)
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ours, isOurs := roomOf(imported); isOurs {
				if !slices.Contains(allowed, "*") && !slices.Contains(allowed, ours) {
					t.Errorf("%s: %s may not import %s", file, room, ours)
				}
				continue
			}
			for module, rooms := range keepers {
				if (imported == module || strings.HasPrefix(imported, module+"/")) && !slices.Contains(rooms, room) {
					t.Errorf("%s: only %s may import %s", file, strings.Join(rooms, ", "), module)
				}
			}
		}
	}
}

func roomOf(imported string) (string, bool) {
	if imported == "tongbao" {
		return ".", true
	}
	return strings.CutPrefix(imported, "tongbao/")
}

// TestTopLevel holds that nothing else stands at the top of the house.
func TestTopLevel(t *testing.T) {
	known := []string{
		".ci", ".git", ".gitignore", "ARCHITECTURE.md", "CONTRIBUTING.md", "Makefile", "README.md",
		"README.zh-CN.md", "bin", "cmd", "confidence", "data", "demo", "docs", "etl", "go.mod", "go.sum",
		"house_test.go", "month.go", "month_test.go", "node_modules", "package-lock.json", "package.json",
		"pipeline", "queries", "register", "reports", "templates", "tongbao.go", "warehouse", "web",
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !slices.Contains(known, entry.Name()) {
			t.Errorf("%s: unknown at the top of the house", entry.Name())
		}
	}
}

// TestFileSizes holds the bounds of CONTRIBUTING.md: a Go file under 500
// lines, an SQL file under 100.
func TestFileSizes(t *testing.T) {
	for file, lines := range goFiles(t) {
		if lines > 500 {
			t.Errorf("%s: %d lines, want at most 500", file, lines)
		}
	}
	queries, err := fs.Glob(os.DirFS("queries"), "*/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range queries {
		if lines := countLines(t, path.Join("queries", file)); lines > 100 {
			t.Errorf("queries/%s: %d lines, want at most 100", file, lines)
		}
	}
}

// goFiles lists the Go files of the house with their lines.
func goFiles(t *testing.T) map[string]int {
	t.Helper()
	files := map[string]int{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (name == "node_modules" || name == "demo" || name == ".git") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			files[name] = countLines(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func countLines(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}
