package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEditionsShowTheirsOnly looks for what an edition must not hold in the
// whole file of it: codes of building grids and of staff, ids of tickets, the
// areas of other communities. The page holds its charts' data as text too.
func TestEditionsShowTheirsOnly(t *testing.T) {
	t.Parallel()
	version := publishedVersion(t, demoTown(t))
	files := openVersion(t, version)
	column := func(db int, query string) []string {
		var values []string
		for _, one := range ask(t, files[db], query) {
			values = append(values, one[0])
		}
		return values
	}
	buildings := column(0, "select grid_id from core.month_unit where month = date '2026-10-01' and level = 4")
	staff := column(1, "select distinct staff_id from ranking.staff where month = date '2026-10-01'")
	tickets := column(1, "select ticket_id from core.month_ticket where month = date '2026-10-01'")
	communities := column(0, "select grid_id from core.month_unit where month = date '2026-10-01' and level = 2 order by grid_id")
	others := column(0, "select distinct path from core.month_unit where month = date '2026-10-01' and level = 3 and community_id <> '"+communities[0]+"'")
	if len(buildings) < 100 || len(staff) < 100 || len(tickets) < 100 || len(others) < 10 {
		t.Fatalf("the demo town is too small: %d buildings, %d staff, %d tickets, %d areas", len(buildings), len(staff), len(tickets), len(others))
	}
	for _, edition := range []struct {
		name   string
		hidden [][]string
	}{
		{"公示版", [][]string{buildings, staff, tickets, others}},
		{"统计版", [][]string{buildings, staff, tickets}},
		{"领导版", [][]string{staff, tickets}},
		{"单位版-" + communities[0], [][]string{staff, others}},
	} {
		html, err := os.ReadFile(filepath.Join(version, "通报-2026-10-"+edition.name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		book := strings.Join(slices.Collect(maps.Values(sheetTexts(t, filepath.Join(version, "通报-2026-10-"+edition.name+".xlsx")))), "\n")
		for _, values := range edition.hidden {
			for _, value := range values {
				if strings.Contains(string(html), value) {
					t.Errorf("%s: the page holds %q", edition.name, value)
					break
				}
				if strings.Contains(book, value) {
					t.Errorf("%s: the workbook holds %q", edition.name, value)
					break
				}
			}
		}
	}
}

// TestStatisticiansFile: warehouse.duckdb and parquet/ hold no single ticket
// and nothing about one member of staff.
func TestStatisticiansFile(t *testing.T) {
	version := publishedVersion(t, demoTown(t))
	tables, err := openVersion(t, version)[0].Tables(context.Background(), "seed", "core", "indicator", "score", "ranking", "bulletin")
	if err != nil {
		t.Fatal(err)
	}
	ofMonth := []string{"indicator", "score", "ranking", "bulletin"}
	for table, columns := range tables {
		for _, column := range columns {
			switch column {
			case "staff_id", "ticket_id", "repair_id", "record", "home_key", "caller_key", "object_key":
				t.Errorf("warehouse.duckdb: %s.%s", table, column)
			}
		}
		if _, err := os.Stat(filepath.Join(version, "parquet", table+".parquet")); (err == nil) != slices.Contains(ofMonth, strings.Split(table, ".")[0]) {
			t.Errorf("%s: is it in parquet/? %v", table, err)
		}
	}
	if tables["bulletin.community"] == nil || tables["bulletin.long"] == nil {
		t.Error("warehouse.duckdb lacks what statisticians may see")
	}
}
