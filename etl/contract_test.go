package etl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tongbao/queries"
	"tongbao/warehouse"
)

// ledger is a source that needs no grid: the contract's keys are added to it.
const ledger = `source: ledger
name: 台账
target: fund_entry
files: '^台账_(?P<delivered>\d{8})\.csv$'
format: csv
key: [entry_id]
%s
columns:
  - {from: 凭证号, to: entry_id, required: true%s}
  - {from: 日期, to: day, required: true%s}
  - {from: 金额, to: amount%s}
  - {from: 摘要, to: note, mask: scan%s}
`

// pullLedger takes one delivery in and returns the report and its database.
func pullLedger(t *testing.T, definition, content string) (Report, *warehouse.DB) {
	t.Helper()
	d, err := ParseDefinition("ledger.yaml", []byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "台账_20261103.csv"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openMemory(t)
	files, err := warehouse.ReadQueries(queries.FS)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.MakeTables(context.Background(), files); err != nil {
		t.Fatal(err)
	}
	core := map[string]string{}
	for _, q := range files {
		if q.Build == warehouse.BuildMerge {
			core[q.Name] = q.SQL
		}
	}
	// The error repeats what the report lists.
	report, _ := Pull(context.Background(), db, Intake{Inbox: dir, Raw: filepath.Join(dir, "raw"), Definitions: []Definition{d}, Core: core, Salt: "s"})
	// A rebuild would stumble over a refused delivery in raw/ for ever.
	if left, err := filepath.Glob(filepath.Join(dir, "raw", "ledger", "*")); err != nil || len(report.Errors) > 0 && len(left) > 0 {
		t.Errorf("raw/ holds %v of a refused delivery, %v", left, err)
	}
	return report, db
}

func TestContracts(t *testing.T) {
	const head = "凭证号,日期,金额,摘要\n"
	const good = "a,2026-10-01,5,\nb,2026-10-02,6,\n"
	for _, c := range []struct {
		name, keys             string
		id, day, amount, note  string
		content                string
		waiting, refused, cols string // reasons that wait, part of the refusal, columns noted
	}{
		{name: "all as agreed", content: head + good},
		{name: "unique", id: ", unique: true", content: head + good + "a,2026-10-03,7,\n", waiting: "2 shared_value"},
		{name: "range of numbers", amount: ", range: [0, 100.5]", content: head + good + "c,2026-10-01,-1,\nd,2026-10-01,100.50,\ne,2026-10-01,100.51,\n", waiting: "2 out_of_range"},
		{name: "range without an end", day: ", range: [2026-10-02, ~]", content: head + good, waiting: "1 out_of_range"},
		{name: "pattern of the whole text", id: ", pattern: '[a-z]'", content: head + good + "cc,2026-10-01,1,\n", waiting: "1 bad_pattern"},
		{name: "an empty cell breaks no range or pattern", amount: ", range: [0, 9]", note: ", pattern: 'x+'", content: head + "a,2026-10-01,,\n"},
		{name: "unknown column is noted", content: "凭证号,日期,金额,摘要,新列\na,2026-10-01,5,,x\n", cols: "new 新列"},
		{name: "unknown column frozen", keys: "on_unknown: freeze", content: "凭证号,日期,金额,摘要,新列\na,2026-10-01,5,,x\n", refused: "新列 (on_unknown: freeze)"},
		{name: "unknown column discarded", keys: "on_unknown: discard_column", content: "凭证号,日期,金额,摘要,新列\na,2026-10-01,5,,x\n"},
		{name: "unknown column in quarantine", keys: "on_unknown: quarantine", content: "凭证号,日期,金额,摘要,新列\na,2026-10-01,5,,x\nb,2026-10-01,5,,x\n", waiting: "2 unknown_column"},
		{name: "missing column is noted", content: "凭证号,日期,金额\na,2026-10-01,5\n", cols: "missing 摘要"},
		{name: "missing column frozen", keys: "on_missing: freeze", content: "凭证号,日期,金额\na,2026-10-01,5\n", refused: "摘要 (on_missing: freeze)"},
		{name: "missing column in quarantine", keys: "on_missing: quarantine", content: "凭证号,日期,金额\na,2026-10-01,5\n", waiting: "1 missing_column"},
		{name: "one bad row fails", keys: "on_bad: fail", content: head + good + "c,never,1,\n", refused: "1 of 3 rows are bad (on_bad: fail): 1 bad_date"},
		{name: "above the share", keys: "max_bad_share: 20", content: head + good + "c,never,1,\n", refused: "1 of 3 rows are bad, more than 20 % (max_bad_share): 1 bad_date"},
		{name: "within the share", keys: "max_bad_share: 34", content: head + good + "c,never,1,\n", waiting: "1 bad_date"},
		{name: "few rows have no default share", content: head + "c,never,1,\n", waiting: "1 bad_date"},
		{name: "many rows have one", content: head + good + strings.Repeat("c,never,1,\n", 30) + "d,2026-10-01,x,\n", refused: "31 of 33 rows are bad, more than 50 % (max_bad_share): 30 bad_date, 1 bad_number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, db := pullLedger(t, fmt.Sprintf(ledger, c.keys, c.id, c.day, c.amount, c.note), c.content)
			if c.refused != "" {
				if err := report.Err(); err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v, want a refusal with %q", err, c.refused)
				}
				if n := scalar(t, db, "select (select count(*) from core.load) + (select count(*) from core.fund_entry) + (select count(*) from core.quarantine)"); n != "0" {
					t.Errorf("%s rows of a refused delivery were kept", n)
				}
				return
			}
			if err := report.Err(); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]string{
				"select coalesce(string_agg(rows || ' ' || reason, ', '), '') from (select reason, count(*) as rows from core.quarantine where state = 'open' group by reason)": c.waiting,
				"select coalesce(string_agg(kind || ' ' || column_name, ', '), '') from core.load_column":                                                                       c.cols,
				"select count(*) from core.load where rows_in <> rows_loaded + rows_duplicate + rows_quarantined":                                                               "0",
				"select count(*) from core.load": "1",
			} {
				if got := scalar(t, db, query); got != want {
					t.Errorf("%s: got %q, want %q", query, got, want)
				}
			}
		})
	}
}

func TestContractMistakes(t *testing.T) {
	for _, c := range []struct{ keys, id, amount, want string }{
		{keys: "on_unknown: ignore", want: `on_unknown: "ignore": want one of evolve, freeze, discard_column, quarantine`},
		{keys: "on_bad: freeze", want: `on_bad: "freeze": want one of quarantine, fail`},
		{keys: "max_bad_share: 101", want: "max_bad_share: 101: want 0 to 100"},
		{id: ", range: [1, 2]", want: "only numbers, days and moments have one"},
		{amount: ", range: [1]", want: "want [least, most]"},
		{amount: ", range: [1, many]", want: `"many": want a number`},
		{id: ", pattern: '['", want: "pattern: error parsing regexp"},
	} {
		_, err := ParseDefinition("ledger.yaml", fmt.Appendf(nil, ledger, c.keys, c.id, "", c.amount, ""))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%s%s: got %v, want %q", c.keys, c.id, c.amount, err, c.want)
		}
	}
}

// TestScan holds what is left of personal data in free text.
func TestScan(t *testing.T) {
	db := openMemory(t)
	for text, want := range map[string]string{
		"回电13812345678。":             "回电138****5678。",
		"回电138 1234 5678":            "回电138****5678",
		"回电138-1234-5678":            "回电138****5678",
		"回电１３８１２３４５６７８":              "回电138****5678",
		"回电１３８－１２３４－５６７８":            "回电138****5678",
		"+8613812345678，13987654321": "+86138****5678，139****4321",
		"tel13812345678":             "tel138****5678",
		"座机0571-87654321":            "座机0571-****",
		"座机０５７１－８７６５４３２１":            "座机0571-****",
		"(021)65432109":              "(021-****",
		"联系电话：87654321":              "联系电话：****",
		"身份证330106199001011234":      "身份证3301**********1234",
		"身份证33010619900101123X":      "身份证3301**********123X",
		"身份证３３０１０６１９９００１０１１２３Ｘ":      "身份证3301**********123X",
		"身份证330106 19900101 1234":    "身份证3301**********1234",
		"旧证330106900101123":          "旧证330106******123",
		"家住3-2101室漏水":                "家住**室漏水",
		"家住2101室":                    "家住**室",
		"3幢2单元501漏水":                 "3幢2单元**漏水",
		"3号楼501":                     "3号楼**",
		"家住501房":                     "家住**房",
		"住3-2-501":                   "住**",
		// What is no personal data stays.
		"2026-10-05 09:30:00 巡查": "2026-10-05 09:30:00 巡查",
		"赔偿12000元，涉及120户":        "赔偿12000元，涉及120户",
		"3幢2单元门损坏":               "3幢2单元门损坏",
		"工单20261005001，3幢120户停水": "工单20261005001，3幢120户停水",
		"井盖损坏":                   "井盖损坏",
	} {
		if got := scalar(t, db, "select "+scanned("text")+" from (select "+literal(text)+" as text)"); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestScanSparesNothing: what the cheap tests let pass has nothing to star.
func TestScanSparesNothing(t *testing.T) {
	db := openMemory(t)
	parts := []string{"1", "13", "0571", "3301", "19900101", "８", "-", " ", ") ", "，", "X", "室", "房", "幢", "单元", "电话", "号楼", "2", "501", "甲"}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	var texts []string
	for range 20_000 {
		var text strings.Builder
		for range 1 + random.IntN(12) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		texts = append(texts, literal(text.String()))
	}
	plain := "translate(text, " + wideDigits + ")"
	for _, spared := range []struct {
		test  string
		forms []form
	}{{mayBePersonal, append(slices.Clone(numbers), homes...)}, {mayBeNumber, numbers}} {
		missed := scalar(t, db, fmt.Sprintf("select coalesce(string_agg(text, '; '), '') from (values (%[1]s)) as given(text) where not regexp_matches(text, '%[3]s') and %[2]s <> %[4]s",
			strings.Join(texts, "), ("), plain, spared.test, starred(plain, spared.forms)))
		if missed != "" {
			t.Errorf("%s lets pass: %.200s", spared.test, missed)
		}
	}
}
