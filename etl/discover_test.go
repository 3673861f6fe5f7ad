package etl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tongbao/data"
)

func embeddedDefinitions(t *testing.T) []Definition {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sources")
	if err := os.CopyFS(dir, data.Sources); err != nil {
		t.Fatal(err)
	}
	definitions, err := ReadDefinitions(dir)
	if err != nil {
		t.Fatal(err)
	}
	return definitions
}

// TestDiscover proposes definitions for files that nothing is known of; what
// is proposed must be a definition that reads the file, and must show no value.
func TestDiscover(t *testing.T) {
	dir := t.TempDir()
	book := excelize.NewFile()
	for i, row := range [][]any{
		{"2026年10月维修汇总"},
		{"报修单号", "所属网格", "报修人", "联系电话", "报修时间", "维修类型", "状态", "业主门牌", "现场情况说明"},
		{"R1", "一社区", "王小明", "13812345678", "2026-10-01 08:00:00", "渗漏", "处理中", "3-201", "屋顶漏水已经联系施工队伍周三上门"},
		{"R2", "二社区", "李小红", "13987654321", "2026-10-02 08:00:00", "水电", "已完工", "1-101", "电表箱门损坏需要更换新的配件"},
	} {
		if err := book.SetSheetRow("Sheet1", []string{"A1", "A2", "A3", "A4"}[i], &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.SaveAs(filepath.Join(dir, "维修汇总_20261103.xlsx")); err != nil {
		t.Fatal(err)
	}
	calls := "工单编号;诉求类别;所属网格;上报时间;来电人;来电号码;更新时间;状态码\n" +
		"G1;噪声扰民;一社区;2026/10/1 8:00;王小明;13812345678;2026-10-02 09:00:00;3\nG2;噪声扰民;二社区;2026/10/1 9:00;李小红;0571-87654321;2026-10-02 09:00:00;4\n"
	if err := os.WriteFile(filepath.Join(dir, "热线.csv"), []byte(calls), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openMemory(t)
	lines := `{"工单编号": 100000000000000001, "所属网格": "一社区", "上报时间": "2026-10-01 08:00:00", "来电人": {"姓名": "王小明", "电话": "13812345678"}}
{"工单编号": 100000000000000002, "所属网格": "二社区", "上报时间": "2026-10-01 09:00:00", "来电人": {"姓名": "李小红"}, "描述": "电表箱门损坏需要更换新的配件"}`
	if err := os.WriteFile(filepath.Join(dir, "热线.jsonl"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SQL().ExecContext(t.Context(), `copy (select '100000000000000001' as "工单编号", '一社区' as "所属网格", timestamp '2026-10-01 08:00:00' as "上报时间", '13812345678' as "来电号码"
		union all select '100000000000000002', '二社区', timestamp '2026-10-01 09:00:00', null) to '`+filepath.Join(dir, "热线.parquet")+`' (format parquet)`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, source string
		want         []string
		hidden       []string
	}{
		{"维修汇总_20261103.xlsx", "repairs_new", []string{
			"target: repair", "format: xlsx", "sheet: Sheet1", `files: '^维修汇总_(?P<delivered>\d{8})\.xlsx$'`, "key: [repair_id]", "grid_date: reported_at",
			"{from: 报修单号, to: repair_id, required: true}", "{from: 报修人}", "{from: 联系电话}", "{from: 业主门牌} # text, 100 % filled; personal: dropped. To count homes",
			"{from: 现场情况说明} # long text, 100 % filled; not mapped. If you give it a to, add mask: scan",
		}, []string{"王小明", "13812345678", "3-201", "屋顶"}},
		{"热线.csv", "calls", []string{
			"target: ticket", "format: csv", `delimiter: ";"`, "key: [ticket_id]", "to: category, required: true, lookup: category",
			"{from: 来电人}", "{from: 来电号码} # text, 100 % filled; personal: dropped", "{from: 状态码} # number, 100 % filled; not mapped",
		}, []string{"王小明", "13812345678", "87654321"}},
		{"热线.jsonl", "lines", []string{
			"target: ticket", "format: jsonl", "key: [ticket_id]", "{from: 上报时间, to: reported_at, required: true} # moment",
			"{from: '来电人.姓名'} # text, 100 % filled; personal: dropped", "{from: '来电人.电话'} # text, 50 % filled; personal: dropped", "add mask: scan",
		}, []string{"王小明", "13812345678", "电表箱"}},
		{"热线.parquet", "columns", []string{
			"target: ticket", "format: parquet", "key: [ticket_id]", "{from: 上报时间, to: reported_at, required: true} # moment", "{from: 来电号码} # text, 50 % filled; personal: dropped",
		}, []string{"13812345678"}},
	} {
		sample, err := SampleFile(t.Context(), filepath.Join(dir, c.file), "")
		if err != nil {
			t.Fatal(err)
		}
		text, err := Discover(sample, c.source, embeddedDefinitions(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range c.want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", c.file, part, text)
			}
		}
		for _, value := range c.hidden {
			if strings.Contains(text, value) {
				t.Errorf("%s: the proposal shows %s", c.file, value)
			}
		}
		d, err := ParseDefinition(c.source+".yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.file, err, text)
		}
		st, err := d.read(t.Context(), db, filepath.Join(dir, c.file), t.TempDir(), delivery{})
		if err != nil || st.records != 2 {
			t.Errorf("%s: the proposed definition reads %d rows, %v; want 2", c.file, st.records, err)
		}
	}
}

// TestSchema holds that the schema names every key and word.
func TestSchema(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Required   []string
		Properties map[string]struct {
			Enum  []string
			Items struct {
				Properties map[string]struct{ Description string }
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if got := schema.Properties["on_unknown"].Enum; strings.Join(got, " ") != "evolve freeze discard_column quarantine" {
		t.Errorf("on_unknown: got %v", got)
	}
	if got := schema.Properties["columns"].Items.Properties["mask"].Description; !strings.HasPrefix(got, "hash: a salted hash") {
		t.Errorf("columns.mask: got %q", got)
	}
	if got := strings.Join(schema.Required, " "); !strings.HasPrefix(got, "source name target") || strings.Contains(got, "encoding") {
		t.Errorf("required: got %s", got)
	}
}
