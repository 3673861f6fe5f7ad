package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"tongbao/pipeline"
	"tongbao/reports"
	"tongbao/warehouse"
)

// TestPrint prints the leaders' edition: its first page is one page, and
// nothing is shrunk to fit.
func TestPrint(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	b := newBrowser(t)
	version := publishedVersion(t, town)
	for _, locale := range reports.Locales() {
		p := b.open(t, draw(t, town, pipeline.Edition{Edition: "leaders", Locale: locale}, version), 1366, 768)
		first := eval[[]string](p, `[document.querySelector("h1").textContent, document.querySelector(".foot").textContent.slice(-6), document.querySelector("#document h2").textContent]`)
		pages := p.print()
		if len(pages) < 10 || len(pages) > 40 {
			t.Errorf("%s: %d pages, want 10 to 40", locale, len(pages))
		}
		packed := func(text string) string { return strings.Join(strings.Fields(text), "") }
		if one := packed(pages[0]); !strings.Contains(one, packed(first[0])) || !strings.Contains(one, packed(first[1])) || strings.Contains(one, packed(first[2])) {
			t.Errorf("%s: the first page is not whole:\n%s", locale, pages[0])
		}
		if two := packed(pages[1]); !strings.Contains(two, packed(first[2])) {
			t.Errorf("%s: the second page does not begin with the document", locale)
		}
		p.quiet()
	}
}

// TestPaper lays every table out as paper does, A4 less its margins: what is
// wider than its page would make the printer shrink all pages, and texts are
// not set in less than 8 points. Nor are they in the workbook beside it, where
// that is a matter of how wide a sheet is.
func TestPaper(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	b := newBrowser(t)
	version := publishedVersion(t, town)
	unit := pagesOf(t, openVersion(t, version)[0])[3].of.Unit
	for _, of := range []pipeline.Edition{
		{Edition: "leaders", Locale: "en"}, {Edition: "taskforce", Locale: "zh-Hans"}, {Edition: "taskforce", Locale: "en"}, {Edition: "statisticians", Locale: "en"},
		{Edition: "statisticians", Locale: "zh-Hant"}, {Edition: "unit", Unit: unit, Locale: "en"}, {Edition: "public", Locale: "en"},
	} {
		file := draw(t, town, of, version)
		checkSheets(t, strings.TrimSuffix(file, "html")+"xlsx")
		p := b.open(t, file, 1009, 768) // 267 mm
		p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			return err
		}))
		for _, bad := range eval[[]string](p, `(() => {
			const found = [], upright = 156 / 25.4 * 96;
			document.querySelectorAll(".sheet:not(.across), .first").forEach(e => { e.style.width = upright + "px"; });
			document.querySelectorAll(".sheet table, .first table").forEach(table => {
				const page = table.closest(".across") ? 1009 : upright, width = table.getBoundingClientRect().width;
				if (width > page + 1) found.push((table.dataset.section || table.className) + " is " + Math.round(width) + " px wide on a page of " + Math.round(page));
			});
			document.querySelectorAll(".sheet td").forEach(cell => {
				if (parseFloat(getComputedStyle(cell).fontSize) < 8 / 72 * 96 - 0.1) found.push("small type: " + cell.textContent);
			});
			return found.slice(0, 5) })()`) {
			t.Errorf("%s, %s: %s", of.Edition, of.Locale, bad)
		}
		p.quiet()
	}
}

// checkSheets looks for sheets that are printed in less than 8 points: A4 lying
// across takes 132 characters in 10 points, so 165 in 8.
func checkSheets(t *testing.T, file string) {
	t.Helper()
	book, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for _, sheet := range book.GetSheetList() {
		wide := 0.0
		for col := range 30 {
			name, _ := excelize.ColumnNumberToName(col + 1)
			width, err := book.GetColWidth(sheet, name)
			if err != nil {
				t.Fatal(err)
			}
			isShown, _ := book.GetColVisible(sheet, name)
			if isShown && width != excelizeWidth {
				wide += width
			}
		}
		if wide > 165.01 {
			t.Errorf("%s: the sheet %s is %.1f characters wide", filepath.Base(file), sheet, wide)
		}
	}
}

// excelizeWidth is what it says of a column without a width of its own.
const excelizeWidth = 9.140625

// TestManyCommunities prints the leaders' edition of towns with more
// communities than the demo has: the first page stays one page, and when there
// are too many for it the scores begin the second; nothing is cut or shrunk.
func TestManyCommunities(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	b := newBrowser(t)
	for _, c := range []struct{ communities, pages int }{{12, 1}, {20, 2}} {
		t.Run(fmt.Sprint(c.communities), func(t *testing.T) {
			copied := copyVersion(t, publishedVersion(t, town))
			addCommunities(t, filepath.Join(copied, "warehouse.duckdb"), c.communities)
			file := draw(t, town, pipeline.Edition{Edition: "leaders", Locale: "zh-Hans"}, copied)
			if dir := os.Getenv("TONGBAO_ARTEFACTS"); dir != "" {
				for _, made := range []string{file, strings.TrimSuffix(file, "html") + "xlsx"} {
					content, err := os.ReadFile(made)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("leaders-%d%s", c.communities, filepath.Ext(made))), content, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			p := b.open(t, file, 1366, 768)
			if rows := eval[int](p, `document.querySelectorAll(".board tbody tr").length`); rows != c.communities {
				t.Fatalf("%d communities are ranked, want %d", rows, c.communities)
			}
			pages := p.print()
			packed := func(text string) string { return strings.Join(strings.Fields(text), "") }
			last := packed(eval[string](p, `[...document.querySelectorAll(".board tbody th")].pop().textContent`))
			if !strings.Contains(packed(pages[0]), last) {
				t.Errorf("the first page does not rank %s:\n%s", last, pages[0])
			}
			document := packed(eval[string](p, `document.querySelector("#document h2").textContent`))
			if !strings.Contains(packed(pages[c.pages]), document) {
				t.Errorf("page %d is not the document's first: the first page takes more than %d", c.pages+1, c.pages)
			}
			p.keep(fmt.Sprintf("leaders-%d-communities", c.communities))
			p.quiet()
		})
	}
}

// addCommunities copies communities under other names and codes until there
// are so many, in every table that the first page and the charts draw by name.
func addCommunities(t *testing.T, file string, want int) {
	t.Helper()
	ctx := context.Background()
	db, err := warehouse.Open(ctx, file, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names := ask(t, db, "select grid_id, name from bulletin.community where month = date '2026-10-01' order by position")
	for i := range want - len(names) {
		from := names[i%len(names)]
		for _, table := range []string{"community", "trend", "line_unit", "waterfall", "move_top"} {
			replaced := "'第" + fmt.Sprint(i+1) + "新社区' as name"
			if len(ask(t, db, "select 1 from information_schema.columns where table_schema = 'bulletin' and table_name = '"+table+"' and column_name = 'grid_id'")) > 0 {
				replaced += fmt.Sprintf(", '9%s%02d' as grid_id", from[0][:6], i)
			}
			query := fmt.Sprintf("insert into bulletin.%[1]s select * replace (%[2]s) from bulletin.%[1]s where name = ?", table, replaced)
			err := db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
				_, err := tx.Exec(ctx, query, from[1])
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
