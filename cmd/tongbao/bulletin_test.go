package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/warehouse"
)

const demoMonth = "2026-10"

// edition is a page to look at.
type edition struct {
	name    string
	of      pipeline.Edition
	charts  int // that it draws
	hasTree bool
}

func pagesOf(t *testing.T, db *warehouse.DB) []edition {
	t.Helper()
	unit := ask(t, db, "select grid_id from bulletin.community where month = date '2026-10-01' order by position limit 1")[0][0]
	return []edition{
		{"leaders", pipeline.Edition{Edition: "leaders", Locale: "zh-Hans"}, 9, true},
		{"taskforce", pipeline.Edition{Edition: "taskforce", Locale: "zh-Hans"}, 9, true},
		{"statisticians", pipeline.Edition{Edition: "statisticians", Locale: "zh-Hans"}, 9, false},
		{"unit", pipeline.Edition{Edition: "unit", Unit: unit, Locale: "zh-Hans"}, 1, true},
		{"public", pipeline.Edition{Edition: "public", Locale: "zh-Hans"}, 2, false},
		{"leaders-en", pipeline.Edition{Edition: "leaders", Locale: "en"}, 9, true},
		{"leaders-Hant", pipeline.Edition{Edition: "leaders", Locale: "zh-Hant"}, 9, true},
	}
}

// draw writes a page from the published demo town into a folder of the test.
func draw(t *testing.T, town string, of pipeline.Edition, version string) string {
	t.Helper()
	month, err := tongbao.ParseMonth(demoMonth)
	if err != nil {
		t.Fatal(err)
	}
	files, err := pipeline.Redraw(context.Background(), town, version, month, of, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return files[0]
}

func publishedVersion(t *testing.T, town string) string {
	t.Helper()
	workspace, err := pipeline.FindWorkspace(town)
	if err != nil {
		t.Fatal(err)
	}
	dir, _, err := workspace.Current(0)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// openVersion opens the two files of a version: what statisticians may see,
// and what the taskforce alone may.
func openVersion(t *testing.T, version string) []*warehouse.DB {
	t.Helper()
	var files []*warehouse.DB
	for _, name := range []string{"warehouse.duckdb", "records.duckdb"} {
		db, err := warehouse.Open(context.Background(), filepath.Join(version, name), warehouse.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		files = append(files, db)
	}
	return files
}

// TestPages opens every edition as a reader would: it draws, asks for nothing,
// complains about nothing, fits its window, and is usable without a mouse or
// eyes.
func TestPages(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	b := newBrowser(t)
	version := publishedVersion(t, town)
	for _, e := range pagesOf(t, openVersion(t, version)[0]) {
		t.Run(e.name, func(t *testing.T) {
			file := draw(t, town, e.of, version)
			if info, err := os.Stat(file); err != nil || info.Size() > 2_500_000 {
				t.Errorf("%s: %v, %d bytes; want at most 2.5 MB", file, err, info.Size())
			}
			widths := []int64{1366, 390}
			if e.of.Locale == "zh-Hant" {
				widths = widths[:1] // as long as zh-Hans
			}
			for _, width := range widths {
				p := b.open(t, file, width, 768)
				charts := p.ink("chart")
				if len(charts) != e.charts {
					t.Errorf("%d px: %d charts, want %d", width, len(charts), e.charts)
				}
				for id, ink := range charts {
					if ink < 500 {
						t.Errorf("%d px: %s has %d drawn pixels", width, id, ink)
					}
				}
				if wide := eval[int64](p, "document.scrollingElement.scrollWidth"); wide > width {
					t.Errorf("the page is %d px wide in a window of %d", wide, width)
				}
				p.keep(fmt.Sprintf("%s-%d", e.name, width))
				p.quiet()
				if width == widths[0] && e.of.Locale != "zh-Hant" { // built as zh-Hans is
					p.accessible()
				}
				p.close()
			}
		})
	}
}

// TestPageHands picks a community, sorts a table and goes down the tree, by
// key and click.
func TestPageHands(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	b := newBrowser(t)
	p := b.open(t, draw(t, town, pipeline.Edition{Edition: "leaders", Locale: "zh-Hans"}, publishedVersion(t, town)), 1366, 768)
	got := eval[[]string](p, `(() => { const pick = document.getElementById("pick"); pick.selectedIndex = 2; pick.dispatchEvent(new Event("change"));
		return [...new Set([...document.querySelectorAll("tr.mine")].map(r => r.dataset.unit))].concat(String(document.querySelectorAll("tr.mine").length > 20), pick.value) })()`)
	if len(got) != 3 || got[0] != got[2] || got[1] != "true" {
		t.Errorf("picked: marked rows %v, want many of one community, the picked one", got)
	}
	got = eval[[]string](p, `(() => { const t = document.querySelector('table[data-section="area-area"]'), at = 2;
		const head = t.tHead.rows[0].cells[at].firstChild; head.focus(); head.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
		return [t.tHead.rows[0].cells[at].getAttribute("aria-sort"), ...[...t.tBodies[0].rows].map(r => r.cells[at].dataset.raw || r.cells[at].textContent)] })()`)
	sorted := slices.Clone(got[1:])
	slices.SortFunc(sorted, func(a, b string) int { return len(a)*1000 + strings.Compare(a, b) - len(b)*1000 })
	if got[0] != "ascending" || !slices.Equal(got[1:], sorted) {
		t.Errorf("sorted households: %v", got)
	}
	got = eval[[]string](p, `(() => { const place = document.getElementById("drill-place"), rows = [];
		for (let i = 0; i < 3; i++) { rows.push(String(place.querySelectorAll("tbody tr").length)); const next = place.querySelector("tbody button"); if (next) next.click(); }
		return rows.concat(String(place.querySelectorAll("tbody button").length)) })()`)
	if got[0] != "8" || got[1] != "2" || got[3] != "0" {
		t.Errorf("tree: %v rows on three levels and buttons at the end, want 8 communities, 2 areas, building grids without a button", got)
	}
	p.quiet()
}

// TestPageFigures reads every cell of every edition's tables back and holds it
// against bulletin.*.
func TestPageFigures(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	version := publishedVersion(t, town)
	files := openVersion(t, version)
	cell := regexp.MustCompile(`<td(?: data-raw="([^"]*)")?[^>]*>([^<]*)</td>`)
	for _, e := range pagesOf(t, files[0]) {
		content, err := os.ReadFile(draw(t, town, e.of, version))
		if err != nil {
			t.Fatal(err)
		}
		tables := regexp.MustCompile(`(?s)<table data-section="([a-z_]+)-([a-z_]+)">(.*?)</table>`).FindAllStringSubmatch(string(content), -1)
		if len(tables) < 10 {
			t.Errorf("%s: %d tables", e.name, len(tables))
		}
		for _, table := range tables {
			name := table[2]
			if name == "long_area" {
				name = "long"
			}
			known := valuesOf(t, files, name)
			keys := regexp.MustCompile(`data-key="([a-z_0-9]+)"`).FindAllStringSubmatch(table[3], -1)
			for i, found := range cell.FindAllStringSubmatch(table[3], -1) {
				raw := found[2]
				if strings.Contains(found[0], "data-raw=") {
					raw = found[1]
				}
				key := keys[i%len(keys)][1]
				if name == "move" && key == "name" {
					continue // named in Go, from bulletin.community
				}
				if !known[key+"="+unescape(raw)] {
					t.Errorf("%s %s: %s %q is not in bulletin.%s", e.name, table[1], key, raw, name)
				}
			}
		}
	}
}

func unescape(text string) string {
	return strings.NewReplacer("&#43;", "+", "&#39;", "'", "&#34;", `"`, "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func valuesOf(t *testing.T, files []*warehouse.DB, table string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	// What statisticians may not have of a table stands in the second file only.
	for _, db := range files {
		if there, err := db.Tables(context.Background(), "bulletin"); err != nil || there["bulletin."+table] == nil {
			continue
		}
		rows, err := db.Rows(context.Background(), "select * from bulletin."+table+" where month = date '2026-10-01'")
		if err != nil {
			t.Fatal(err)
		}
		for _, cells := range rows.Cells {
			for i, cell := range cells {
				known[rows.Columns[i]+"="+cell.String] = true
			}
		}
	}
	return known
}

// copyVersion copies what a bulletin is drawn from into a folder of the test.
func copyVersion(t *testing.T, version string) string {
	t.Helper()
	copied := t.TempDir()
	for _, name := range []string{"warehouse.duckdb", "records.duckdb", "manifest.json"} {
		content, err := os.ReadFile(filepath.Join(version, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// hostile are names as no town has them, but some delivery will.
var hostile = []string{
	`</script><script>alert(1)</script>`, `=cmd|'/c calc'!A1`, strings.Repeat("很长的名字", 60), "👩‍👩‍👧‍👦🏘️社区", "\u202eהשכונה الحي", "𠮷𪚥龘社区",
	`"><img src=x onerror=alert(2)>`, `__f__alert(3)__f__`,
}

// TestHostileNames gives every community such a name in all tables.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	version := publishedVersion(t, town)
	copied := copyVersion(t, version)
	names := ask(t, openVersion(t, version)[0], "select distinct name from bulletin.community where month = date '2026-10-01' order by name")
	for _, name := range []string{"warehouse.duckdb", "records.duckdb"} {
		rename(t, filepath.Join(copied, name), names)
	}
	b := newBrowser(t)
	for _, e := range pagesOf(t, openVersion(t, copied)[0])[:5] {
		p := b.open(t, draw(t, town, e.of, copied), 1366, 768)
		var names []string
		if e.name == "unit" {
			names = eval[[]string](p, `[...document.querySelectorAll('[data-section="ranking-community"] tbody td:nth-child(2)')].map(c => c.textContent)`)
		} else {
			names = eval[[]string](p, `[...document.querySelectorAll('.board tbody th')].map(c => c.textContent)`)
			slices.Sort(names)
			want := slices.Clone(hostile)
			slices.Sort(want)
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("%s: names (-want +got)\n%s", e.name, diff)
			}
		}
		if len(names) == 0 || !slices.Contains(hostile, names[0]) {
			t.Errorf("%s: no hostile name is shown: %v", e.name, names)
		}
		if wide := eval[int64](p, "document.scrollingElement.scrollWidth"); wide > 1366 {
			t.Errorf("%s: a long name makes the page %d px wide", e.name, wide)
		}
		p.keep("hostile-" + e.name)
		p.quiet()
	}
}

// rename writes the hostile names over the communities' own, wherever a text
// of the bulletin is or contains one.
func rename(t *testing.T, file string, names [][]string) {
	t.Helper()
	ctx := context.Background()
	db, err := warehouse.Open(ctx, file, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	columns := ask(t, db, "select table_name, column_name from information_schema.columns where table_schema = 'bulletin' and data_type = 'VARCHAR' order by all")
	for _, column := range columns {
		for i, name := range names {
			query := fmt.Sprintf("update bulletin.%s set %s = replace(%s, ?, ?) where contains(%s, ?)", column[0], column[1], column[1], column[1])
			err := db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
				_, err := tx.Exec(ctx, query, name[0], hostile[i], name[0])
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
