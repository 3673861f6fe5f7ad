package forms

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

func text(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }

func write(t *testing.T, w TableWriter) {
	t.Helper()
	names := []string{"name", "total", "big", "day", "=formula"}
	if err := w.Head(names, []string{"VARCHAR", "DECIMAL(5,2)", "HUGEINT", "DATE", "VARCHAR"}); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]sql.NullString{
		{text("锦苑社区"), text("98.52"), text("170141183460469231731687303715884105727"), text("2026-10-01"), text("=1+1")},
		{{}, text("-3"), text("7"), {}, text("@x")},
	} {
		if err := w.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCSV(t *testing.T) {
	var file bytes.Buffer
	write(t, NewCSV(&file))
	want := "\ufeffname,total,big,day,'=formula\n锦苑社区,98.52,170141183460469231731687303715884105727,2026-10-01,'=1+1\n,-3,7,,'@x\n"
	if diff := cmp.Diff(file.String(), want); diff != "" {
		t.Error(diff)
	}
}

func TestBook(t *testing.T) {
	var file bytes.Buffer
	write(t, NewBook(&file, "结果", "说明", [][2]string{{"SQL", "select 1"}}))
	book, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	raw, err := book.GetRows("结果", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"name", "total", "big", "day", "=formula"}, {"锦苑社区", "98.52", "170141183460469231731687303715884105727", "46296", "=1+1"}, {"", "-3", "7", "", "@x"}}
	if diff := cmp.Diff(raw, want); diff != "" {
		t.Error(diff)
	}
	for cell, kind := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString, "C2": excelize.CellTypeInlineString, "E2": excelize.CellTypeInlineString, "B2": excelize.CellTypeUnset} {
		if got, err := book.GetCellType("结果", cell); err != nil || got != kind {
			t.Errorf("%s: type %v, %v; want %v", cell, got, err, kind)
		}
	}
	if formula, _ := book.GetCellFormula("结果", "E2"); formula != "" {
		t.Errorf("text became the formula %q", formula)
	}
	if about, _ := book.GetCellValue("说明", "B1"); about != "select 1" {
		t.Errorf("about: %q", about)
	}
	long := NewBook(&file, "a", "b", nil)
	if err := long.Head([]string{"x"}, []string{"VARCHAR"}); err != nil {
		t.Fatal(err)
	}
	if err := long.Row([]sql.NullString{text(strings.Repeat("长", maxCell+1))}); err == nil {
		t.Error("a text that does not fit is cut")
	}
}
