package etl

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// records reads a table of known answers by its header.
func records(t *testing.T, path string) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var found []map[string]string
	for _, row := range rows[1:] {
		record := map[string]string{}
		for i, name := range rows[0] {
			record[name] = row[i]
		}
		found = append(found, record)
	}
	return found
}

// counts is a query's rows as "key|key: n".
func (w *town) counts(query string) map[string]string {
	w.Helper()
	rows, err := w.db.Rows(context.Background(), query)
	if err != nil {
		w.Fatal(err)
	}
	found := map[string]string{}
	for _, row := range rows.Cells {
		var key []string
		for _, value := range row[:len(row)-1] {
			key = append(key, value.String)
		}
		found[strings.Join(key, "|")] = row[len(row)-1].String
	}
	return found
}

// TestTaipei holds the counts of six months by file, month and district. The
// three dispatches outside the city lie in quarantine, in no district.
func TestTaipei(t *testing.T) {
	w := newTown(t, source(t, "taipei1999"))
	known := records(t, shared(t, "real/taipei1999/known_counts.csv"))
	want := map[string]string{}
	for _, row := range known {
		if row["district"] == "" {
			continue
		}
		if want[row["district"]] == "" {
			w.alias(row["district"])
			want[row["district"]] = "known"
		}
	}
	clear(want)
	outside := map[string]string{}
	for _, row := range known {
		if row["district"] == "" {
			outside[row["file"]] = row["rows"]
		} else {
			want[row["file"]+"|"+row["month"]+"|"+row["district"]] = row["rows"]
		}
	}
	for _, file := range glob(t, "real/taipei1999/open1999-*.csv") {
		w.copy(file)
	}
	report := w.pull()
	for _, load := range report.Loads {
		if load.Duplicate != 0 {
			t.Errorf("%s: %d duplicates, want none", load.File, load.Duplicate)
		}
	}
	same(t, w.counts("select file, strftime(reported_at, '%Y%m'), grid_id, count(*) from core.ticket group by all"), want)
	same(t, w.counts("select file, count(*) from core.quarantine where reason = 'unknown_grid' and value like '非台北%' group by all"), outside)
	w.want("select count(*) from core.quarantine", "3")
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Error("nothing to compare with")
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: got %q, want %q", key, got[key], value)
		}
	}
	for key, value := range got {
		if _, found := want[key]; !found {
			t.Errorf("%s: got %q, want nothing", key, value)
		}
	}
}

// TestBoston holds the counts by month and neighbourhood, and that on time is
// what the city says wherever both dates are there. Requests without an area
// are in quarantine: what is not in core is never ranked (month_unit knows
// only grids of the tree).
func TestBoston(t *testing.T) {
	w := newTown(t, source(t, "boston311"))
	want, seen := map[string]string{}, map[string]bool{}
	blank := 0
	for _, row := range records(t, shared(t, "real/boston311-animals/known_answers.csv")) {
		area := strings.TrimSpace(row["neighborhood"])
		if area == "" {
			var n int
			fmt.Sscan(row["opened"], &n)
			blank += n
			continue
		}
		if !seen[area] {
			seen[area] = true
			w.alias(area)
		}
		want[row["month"]+"|"+area] = fmt.Sprintf("%s %s %s", row["opened"], row["ontime_flag"], row["closed"])
	}
	for _, file := range glob(t, "real/boston311-animals/filtered_*.csv") {
		w.copy(file)
	}
	w.pull()
	same(t, w.counts(`select strftime(reported_at, '%Y-%m'), grid_id,
		concat_ws(' ', count(*), count(*) filter (where outcome = 'ontime'), count(closed_at)) from core.ticket group by all`), want)
	w.want("select count(*) from core.ticket where due_given_at is not null and closed_at is not null and (closed_at <= due_given_at) <> (outcome = 'ontime')", "0")
	w.want("select count(*) > 10000 from core.ticket where due_given_at is not null and closed_at is not null", "true")
	w.want("select count(*) || ' ' || any_value(reason) from core.quarantine", fmt.Sprintf("%d missing_value", blank))
	w.want("select count(*) from core.ticket where coalesce(grid_id, '') = ''", "0")
}

// TestVancouver holds that the stamps' offset is turned into the city's own
// time: read as they stand, or in UTC, requests would close before they open.
func TestVancouver(t *testing.T) {
	path := shared(t, "real/vancouver311/service-requests-2024.xlsx")
	text := source(t, "vancouver311")
	for zone, want := range map[string]string{"America/Vancouver": "0", "Europe/Moscow": "some"} {
		w := newTown(t, strings.Replace(text, "America/Vancouver", zone, 1))
		w.copy(path)
		report := w.pull()
		if report.Loads[0].In != 4678 {
			t.Errorf("%d rows, want 4678", report.Loads[0].In)
		}
		got := w.scalar("select count(*) from core.quarantine")
		if want == "some" && got == "0" || want != "some" && got != want {
			t.Errorf("%s: %s requests close before they open, want %s", zone, got, want)
		}
		if want == "0" {
			w.want("select count(*) from core.ticket where closed_at < reported_at or updated_at < reported_at", "0")
			w.want("select min(reported_at) from core.ticket where summary = 'City Services Feedback Case' and site_key = '1556 WILLIAM ST'", "2024-01-23 14:46:04")
		}
	}
}

func TestNewYorkParquet(t *testing.T) {
	path := shared(t, "real/nyc-elevator-2024/clean_requests.parquet")
	w := newTown(t, source(t, "nyc_elevator"))
	w.exec("insert into seed.grid_alias select distinct trim(community_board), trim(community_board), date '1990-01-01', null::date from read_parquet('" + path + "')")
	w.copy(path)
	report := w.pull()
	if load := report.Loads[0]; load.In != 22504 || load.Loaded+load.Quarantined != 22504 || load.Quarantined != 0 {
		t.Errorf("got %+v", load)
	}
	// Every value is what the file holds.
	w.want(`select count(*) from core.repair as repair inner join read_parquet('`+path+`') as file
		on repair.repair_id = file.unique_key::varchar and repair.reported_at = file.created_date
		and repair.finished_at is not distinct from file.closed_date and repair.part is not distinct from file.incident_zip::varchar`, "22504")
	w.want("select max(row_no) - min(row_no) || ' ' || min(row_no) from core.repair", "22503 1")
}

// TestChicago: requests with several work orders count once, rows of commas
// are no rows, and 60649.0 is a ZIP.
func TestChicago(t *testing.T) {
	w := newTown(t, source(t, "chicago_heat"))
	w.copy(shared(t, "real/chicago-no-heat/foia.csv"))
	load := w.pull().Loads[0]
	if load.In != 3484 || load.Loaded != 3455 || load.Duplicate != 29 || load.Quarantined != 0 {
		t.Errorf("got %d in, %d loaded, %d duplicate, %d in quarantine", load.In, load.Loaded, load.Duplicate, load.Quarantined)
	}
	w.want("select count(*) from core.ticket where not regexp_full_match(site_key, '6[0-9]{4}')", "0")
	w.want("select reported_at || ' ' || closed_at from core.ticket where ticket_id = 'SR20-05069003'", "2020-09-15 14:41:00 2020-09-25 14:50:00")
}

// TestTipdm: dates as text and as true dates in one column, texts that begin
// with line breaks and tabs; the taxonomy is no table of messages.
func TestTipdm(t *testing.T) {
	w := newTown(t, source(t, "tipdm"))
	for _, file := range glob(t, "real/tipdm/附件*.xlsx") {
		w.copy(file)
	}
	report, err := Pull(context.Background(), w.db, w.in)
	if err == nil || len(report.Errors) != 1 || report.Errors[0].File != "附件1.xlsx" || !strings.Contains(err.Error(), "lacks 留言编号") {
		t.Errorf("got %v", err)
	}
	in := map[string]int64{}
	for _, load := range report.Loads {
		in[load.File] = load.In
	}
	if in["附件3.xlsx"] != 30 || in["附件4.xlsx"] != 120 {
		t.Errorf("got %v rows", in)
	}
	w.want("select count(*) from core.quarantine", "0")
	w.want("select reported_at from core.ticket where ticket_id = '2549'", "2019-04-25 09:32:09")
	w.want("select reported_at from core.ticket where ticket_id = '2759'", "2019-04-08 08:37:20")
	w.want("select count(*) from core.ticket where regexp_matches(summary, '^\\s') or reported_at is null", "0")
}

// TestPublishedRanking: the printed scores come in to the last digit.
func TestPublishedRanking(t *testing.T) {
	w := newTown(t, source(t, "ranking"))
	path := shared(t, "real/published-rankings/lianyungang_2022_02.csv")
	want := map[string]string{}
	for _, row := range records(t, path) {
		w.alias(row["unit"])
		want[row["unit"]] = row["tickets"] + " " + row["score"]
	}
	w.copy(path)
	w.pull()
	same(t, w.counts(`select grid_id, denominator::bigint || ' ' || rtrim(rtrim(value::varchar, '0'), '.') from core."return"`), want)
}

// TestNoTables: what lies beside the tables is refused with its reason.
func TestNoTables(t *testing.T) {
	for pattern, want := range map[string]string{
		"real/holidays/20*.json":         "holds no line that is a JSON object",
		"real/open311/*.xml":             "is XML, not a table",
		"real/open311/schema*.json":      "holds no line that is a JSON object",
		"real/open311/test__mocks*.json": "",
	} {
		for _, file := range glob(t, pattern) {
			w := newTown(t)
			_, err := w.cells(table(t, "format: jsonl", "service_request_id"), file)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", filepath.Base(file), err, want)
			}
		}
	}
}
