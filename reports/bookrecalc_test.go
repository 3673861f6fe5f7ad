package reports

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// alwaysRecalculate is the office's setting that throws away the numbers
// beside formulas when a workbook is opened.
const alwaysRecalculate = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>`

// recalculate opens workbooks in LibreOffice, which calculates every formula
// again, and returns what it saves.
func recalculate(t *testing.T, paths ...string) []string {
	t.Helper()
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Fatal("no LibreOffice; make setup installs it")
	}
	dir := t.TempDir()
	user := filepath.Join(dir, "profile", "user")
	if err := os.MkdirAll(user, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(user, "registrymodifications.xcu"), []byte(alwaysRecalculate), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := append([]string{"-env:UserInstallation=file://" + filepath.Dir(user), "--headless", "--convert-to", "xlsx", "--outdir", dir}, paths...)
	if out, err := exec.CommandContext(ctx, office, args...).CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
	var saved []string
	for _, path := range paths {
		saved = append(saved, filepath.Join(dir, filepath.Base(path)))
	}
	return saved
}

// TestRecalculatingChangesNothing lets LibreOffice calculate every edition
// again; a workbook with a wrong number beside its formula shows that it does.
func TestRecalculatingChangesNothing(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "wrong.xlsx")
	writeWrong(t, wrong)
	paths := []string{wrong}
	// 60 communities, half of them with sums that end in half a cent.
	made := madeTables(60, 40, 7)
	for _, edition := range []Edition{Leaders, Taskforce, Public} {
		_, path := madeBook(t, made, edition)
		paths = append(paths, path)
	}
	saved := recalculate(t, paths...)
	if value, err := openBook(t, saved[0]).GetCellValue("Sheet1", "A3"); err != nil || value != "3" {
		t.Fatalf("LibreOffice did not recalculate: 1 + 2 = %s (%v)", value, err)
	}
	for i, path := range paths[1:] {
		compareBooks(t, filepath.Base(path), openBook(t, path), openBook(t, saved[i+1]))
	}
}

func writeWrong(t *testing.T, path string) {
	t.Helper()
	file := excelize.NewFile()
	defer file.Close()
	stream, err := file.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i, cell := range []excelize.Cell{{Value: 1}, {Value: 2}, {Value: 4, Formula: "A1+A2"}} {
		if err := stream.SetRow(cellName(1, i+1), []any{cell}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.SaveAs(path); err != nil {
		t.Fatal(err)
	}
}

// compareBooks holds every cell of the saved workbook against the drawn one.
func compareBooks(t *testing.T, name string, drawn, saved *excelize.File) {
	t.Helper()
	formulas := 0
	for _, sheet := range drawn.GetSheetList() {
		again := map[string]string{}
		eachCell(t, saved, sheet, func(at, value, _ string) { again[at] = value })
		eachCell(t, drawn, sheet, func(at, value, formula string) {
			if formula != "" {
				formulas++
			}
			if value != again[at] && !sameNumber(value, again[at]) {
				t.Errorf("%s, %s!%s: %q became %q (formula %s)", name, sheet, at, value, again[at], formula)
			}
		})
	}
	if formulas < 50 {
		t.Errorf("%s: only %d formulas", name, formulas)
	}
}

func sameNumber(a, b string) bool {
	first, err1 := strconv.ParseFloat(a, 64)
	second, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && first == second
}
