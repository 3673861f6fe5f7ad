package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// TestDemoWorkbooks holds every workbook of the published demo month to its
// size, and lets LibreOffice open and recalculate them: no value may change.
func TestDemoWorkbooks(t *testing.T) {
	t.Parallel()
	books, err := filepath.Glob(filepath.Join(demoTown(t), "data", "published", "2026-10", "v1", "*.xlsx"))
	if err != nil || len(books) == 0 {
		t.Fatalf("no workbooks (%v)", err)
	}
	for _, book := range books {
		if info, err := os.Stat(book); err != nil || info.Size() > 2_000_000 {
			t.Errorf("%s: larger than 2 MB (%v)", filepath.Base(book), err)
		}
	}
	// One community's stands for all: they differ in their rows only.
	books = slices.DeleteFunc(books, func(book string) bool {
		return strings.Contains(book, "单位版") && !strings.HasSuffix(book, "207.xlsx")
	})
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Fatal("no LibreOffice; make setup installs it")
	}
	dir := t.TempDir()
	user := filepath.Join(dir, "profile", "user")
	if err := os.MkdirAll(user, 0o755); err != nil {
		t.Fatal(err)
	}
	// The numbers beside formulas are thrown away when a workbook is opened;
	// reports has the test that shows that this setting works.
	const recalculate = `<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>`
	if err := os.WriteFile(filepath.Join(user, "registrymodifications.xcu"), []byte(recalculate), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := append([]string{"-env:UserInstallation=file://" + filepath.Dir(user), "--headless", "--convert-to", "xlsx", "--outdir", dir}, books...)
	if out, err := exec.CommandContext(ctx, office, args...).CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
	cells := 0
	for _, book := range books {
		drawn, saved := sheetTexts(t, book), sheetTexts(t, filepath.Join(dir, filepath.Base(book)))
		for at, value := range drawn {
			cells++
			if saved[at] != value && !isSameNumber(saved[at], value) {
				t.Errorf("%s, %s: %q became %q", filepath.Base(book), at, value, saved[at])
			}
		}
	}
	t.Logf("%d workbooks, %d cells", len(books), cells)
}

// isSameNumber compares what two offices write differently: 7E-05 and 0.00007.
func isSameNumber(a, b string) bool {
	first, err1 := strconv.ParseFloat(a, 64)
	second, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && first == second
}

// sheetTexts are the raw values of a workbook by sheet and cell.
func sheetTexts(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	texts := map[string]string{}
	for _, sheet := range file.GetSheetList() {
		rows, err := file.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j, value := range row {
				at, err := excelize.CoordinatesToCellName(j+1, i+1)
				if err != nil {
					t.Fatal(err)
				}
				if value = strings.TrimSpace(value); value != "" {
					texts[sheet+"!"+at] = value
				}
			}
		}
	}
	return texts
}
