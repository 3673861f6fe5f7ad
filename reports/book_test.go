package reports

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"
)

func openBook(t testing.TB, path string) *excelize.File {
	t.Helper()
	file, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// TestBookEqualsBulletinAndPage reads every section of every edition back from
// the workbook and from the page, and holds both against the tables.
func TestBookEqualsBulletinAndPage(t *testing.T) {
	made := madeTables(12, 40, 1)
	for _, edition := range Editions() {
		t.Run(string(edition), func(t *testing.T) {
			m, path := madeBook(t, made, edition)
			file := openBook(t, path)
			page, err := m.page()
			if err != nil {
				t.Fatal(err)
			}
			shown := pageTables(t, page)
			cells := 0
			for _, s := range m.Sheets {
				rows, err := file.GetRows(m.words.Sheets[s.ID])
				if err != nil {
					t.Fatal(err)
				}
				for _, section := range s.Sections {
					got := sectionCells(t, rows, m, section)
					want, raw := wantCells(t, m, section)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("sheet %s, section %s (−bulletin +workbook):\n%s", s.ID, section.ID, diff)
					}
					if onPage, isThere := shown[s.ID+"-"+section.ID]; isThere {
						if diff := cmp.Diff(raw, onPage); diff != "" {
							t.Errorf("section %s (−bulletin +page):\n%s", section.ID, diff)
						}
						cells += len(raw) * len(section.Columns)
					}
				}
			}
			if cells < 100 {
				t.Errorf("only %d cells of the page were compared", cells)
			}
		})
	}
}

// sectionCells are the rows of a section in the workbook: below its title and
// its heads, until a row without cells.
func sectionCells(t *testing.T, rows [][]string, m *bulletin, s section) [][]string {
	t.Helper()
	at := slices.IndexFunc(rows, func(row []string) bool { return len(row) > 0 && row[0] == m.words.Sections[s.ID] })
	if at < 0 {
		t.Fatalf("no title of section %s", s.ID)
	}
	var heads []string
	for _, c := range s.Columns {
		heads = append(heads, m.words.column(s.ID, c.Key))
	}
	for at++; at < len(rows) && !slices.Equal(rows[at], heads); at++ {
	}
	var cells [][]string
	for range m.rows(s) {
		at++
		if at >= len(rows) {
			t.Fatalf("section %s ends after %d rows", s.ID, len(cells))
		}
		row := append([]string(nil), rows[at]...)
		for len(row) < len(s.Columns) {
			row = append(row, "")
		}
		cells = append(cells, row)
	}
	return cells
}

// wantCells are the rows of the tables, as the workbook holds them and as they
// are.
func wantCells(t *testing.T, m *bulletin, s section) (want, raw [][]string) {
	t.Helper()
	for _, one := range m.rows(s) {
		var cells, texts []string
		for _, c := range s.Columns {
			value := one.get(c.Key)
			texts = append(texts, value)
			switch {
			case value == "" || isText(c.Kind):
				cells = append(cells, show(value, c.Kind, m.words, one))
			case isNumber(c.Kind):
				number, err := strconv.ParseFloat(value, 64)
				if err != nil {
					t.Fatal(err)
				}
				cells = append(cells, strconv.FormatFloat(number, 'f', -1, 64))
			default:
				day, err := time.Parse(time.DateOnly, value[:len(time.DateOnly)])
				if err != nil {
					t.Fatal(err)
				}
				first := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) // day 1; the 29th of February 1900 that never was is one more
				cells = append(cells, fmt.Sprint(int(day.Sub(first).Hours())/24+2))
			}
		}
		want, raw = append(want, cells), append(raw, texts)
	}
	return want, raw
}

// pageTables are the raw values of the page's tables by their section: what a
// cell shows, where it does not say another.
func pageTables(t *testing.T, page []byte) map[string][][]string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][][]string{}
	section := ""
	for node := range root.Descendants() {
		switch {
		case node.Data == "table":
			section, _ = attribute(node, "data-section")
		case node.Data == "tr" && node.Parent.Data == "tbody" && section != "":
			found[section] = append(found[section], nil)
		case node.Data == "td" && section != "" && len(found[section]) > 0:
			value, isThere := attribute(node, "data-raw")
			if !isThere {
				for text := range node.Descendants() {
					if text.Type == html.TextNode {
						value += text.Data
					}
				}
			}
			last := len(found[section]) - 1
			found[section][last] = append(found[section][last], value)
		}
	}
	return found
}

func attribute(node *html.Node, name string) (string, bool) {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// TestHostileNamesStayText looks for any formula that is not ours, and for
// the names themselves.
func TestHostileNamesStayText(t *testing.T) {
	_, path := madeBook(t, madeTables(12, 40, 2), Taskforce)
	file := openBook(t, path)
	seen := map[string]bool{}
	for _, sheet := range file.GetSheetList() {
		eachCell(t, file, sheet, func(at, value, formula string) {
			seen[value] = true
			if formula != "" && !strings.HasPrefix(formula, "ROUND(ROUND(") {
				t.Errorf("%s!%s: formula %q", sheet, at, formula)
			}
		})
	}
	for _, name := range hostile {
		if !seen[name] {
			t.Errorf("%q did not come back as it went in", name)
		}
	}
}

func eachCell(t testing.TB, file *excelize.File, sheet string, do func(at, value, formula string)) {
	t.Helper()
	rows, err := file.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for j, value := range row {
			formula, err := file.GetCellFormula(sheet, cellName(j+1, i+1))
			if err != nil {
				t.Fatal(err)
			}
			do(cellName(j+1, i+1), value, formula)
		}
	}
}

// TestBookIsLaidOut holds paper, panes, heads on every page, links and names
// of every sheet.
func TestBookIsLaidOut(t *testing.T) {
	m, path := madeBook(t, madeTables(12, 40, 3), Taskforce)
	file := openBook(t, path)
	titles := map[string]bool{}
	for _, name := range file.GetDefinedName() {
		if name.Name == "_xlnm.Print_Titles" {
			titles[name.Scope] = true
		} else if name.Scope == "Workbook" && !strings.Contains(name.RefersTo, "!$") {
			t.Errorf("name %s refers to %s", name.Name, name.RefersTo)
		}
	}
	first := m.words.Sheets["summary"]
	for _, sheet := range file.GetSheetList() {
		layout, err := file.GetPageLayout(sheet)
		if err != nil {
			t.Fatal(err)
		}
		if *layout.Size != 9 || layout.FitToWidth == nil || *layout.FitToWidth != 1 {
			t.Errorf("%s: not on A4 in its width", sheet)
		}
		if foot, err := file.GetHeaderFooter(sheet); err != nil || !strings.Contains(foot.OddFooter, "&P") || !strings.Contains(foot.OddFooter, "&N") {
			t.Errorf("%s: no page numbers (%v)", sheet, err)
		}
		if sheet == first || sheet == m.words.Sheets["charts"] || sheet == m.words.Sheets["figures"] {
			continue
		}
		if panes, err := file.GetPanes(sheet); err != nil || !panes.Freeze || !titles[sheet] {
			t.Errorf("%s: heads are not kept on screen and paper (%v)", sheet, err)
		}
		if isLinked, target, err := file.GetCellHyperLink(sheet, "A2"); err != nil || !isLinked || target != quoteSheet(first)+"!A1" {
			t.Errorf("%s: no way back to the first page: %q (%v)", sheet, target, err)
		}
	}
	props, err := file.GetDocProps()
	if err != nil || props.Title == "" || props.Creator == "" || props.Created != "2026-11-01T00:00:00Z" {
		t.Errorf("properties %+v (%v)", props, err)
	}
}

// BenchmarkBook draws the taskforce's edition of a town with 5,000 building
// grids, and says how large the file is.
func BenchmarkBook(b *testing.B) {
	made := madeTables(12, 5_000, 5)
	for b.Loop() {
		_, path := madeBook(b, made, Taskforce)
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
}
