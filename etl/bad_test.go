package etl

import (
	"os"
	"strings"
	"testing"
)

// TestBadInput: every file that cannot be taken gives one message that says
// what, where and what to do, and leaves nothing half loaded.
func TestBadInput(t *testing.T) {
	csvSource := strings.Replace(plainSource, `^工单_(?P<delivered>\d{8})\.csv$`, `^工单\.csv$`, 1)
	with := func(settings string) string { return strings.Replace(csvSource, "format: csv", settings, 1) }
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
	html := "<!DOCTYPE html><html><body>登录已过期</body></html>"
	book := bookOf(t, head+`<row r="2"><c r="A2"><v>1</v></c></row>`+tail)
	for name, c := range map[string]struct{ source, file, content, want string }{
		"empty csv":           {csvSource, "工单.csv", "", "工单.csv: is empty; export it again"},
		"blank csv":           {csvSource, "工单.csv", " \n\n", "工单.csv: is empty; export it again"},
		"web page":            {csvSource, "工单.csv", "\ufeff\n" + html, "工单.csv: is a web page, not a table; the sign-in of the platform may have expired; export it again"},
		"workbook as csv":     {csvSource, "工单.csv", book, "工单.csv: is an Excel workbook or an archive, not text; save it under its own kind of name, or let the definition say format: xlsx"},
		"wrong header":        {csvSource, "工单.csv", "编码,正文\n1,甲\n", "工单.csv, row 1: the header lacks 编号 (nearest: 编码); check that it is a delivery of plain, or add the new name to test.yaml"},
		"wrong delimiter":     {csvSource, "工单.csv", "编号;正文\n1;甲\n", `工单.csv, row 1: has no "," between its columns, but ';'; change delimiter in test.yaml, or export it again`},
		"column twice":        {csvSource, "工单.csv", "编号,正文,编号\n1,甲,2\n", "工单.csv, row 1: the header has the column 编号 twice; rename one of them, or name it with its group (group/name) in test.yaml"},
		"neither encoding":    {csvSource, "工单.csv", "编号,正文\n1,\xff\xfe\xff\n", "工单.csv, byte 16: is neither UTF-8 (first wrong byte 16) nor GB18030; export it again; the file is damaged or in another encoding"},
		"GB18030 declared":    {with("format: csv\nencoding: gb18030"), "工单.csv", "\xb1\xe0\xba\xc5,a\n1,\x80\n", "工单.csv, byte 9: is not valid GB18030; export it again; the file is damaged or in another encoding"},
		"UTF-8 declared":      {with("format: csv\nencoding: utf-8"), "工单.csv", "\xb1\xe0\xba\xc5,a\n", "工单.csv, byte 0: is not valid UTF-8; save it as UTF-8, or let the definition say encoding: auto or gb18030"},
		"UTF-16 without mark": {with("format: csv\nencoding: utf-16"), "工单.csv", "1,2\n", "工单.csv, byte 0: has no byte order mark, so it is not the UTF-16 that the definition says; export it again as Unicode text, or change encoding in the definition"},
		"Big5 by mistake":     {csvSource, "工单.csv", "\xbd\x73\xb8\xb9,\xa5\xbf\xa4\xe5\n1,\xa5\xd2\n", "the header lacks 编号"},
		"NUL":                 {csvSource, "工单.csv", "编号,正文\n1,\x00\n", "工单.csv, row 2: holds a NUL byte; export it again; the file is damaged"},
		"open quote":          {csvSource, "工单.csv", "编号,正文\n1,甲\n2,\"乙\n3,丙\n", "工单.csv, row 3: a quote is opened and never closed; close or double the quote, or export the file again"},
		"many columns":        {csvSource, "工单.csv", "编号,正文" + strings.Repeat(",x", MaxColumns) + "\n1,甲\n", "工单.csv, row 1: has 258 columns, at most 256 are read; export only the columns that are needed"},
		"empty xlsx":          {bookSource, "工单.xlsx", "", "工单.xlsx: is empty; export it again"},
		"encrypted xlsx":      {bookSource, "工单.xlsx", ole, "工单.xlsx: is protected by a password or an old .xls workbook; open it in Excel and save it as .xlsx without a password"},
		"web page as xlsx":    {bookSource, "工单.xlsx", html, "工单.xlsx: is a web page or XML, not an xlsx workbook; open it in Excel and save it as .xlsx"},
		"csv as xlsx":         {bookSource, "工单.xlsx", "编号,正文\n", "工单.xlsx: is no xlsx workbook; open it in Excel and save it as .xlsx"},
		"cut xlsx":            {bookSource, "工单.xlsx", book[:len(book)/2], "工单.xlsx: is a damaged workbook: zip: not a valid zip file; export or copy it again"},
		"damaged part":        {bookSource, "工单.xlsx", strings.Replace(book, "\x00xl/workbook.xml", "\x00xl/workbook.xmm", 2), "it lacks its part xl/workbook.xml; open it in Excel and save it again"},
		"no header in xlsx":   {bookSource, "工单.xlsx", bookOf(t, strings.Replace(head, "编号", "编码", 1)+tail), "工单.xlsx, sheet 表, row 1: the header lacks 编号 (nearest: 编码)"},
		"no rows in xlsx":     {bookSource, "工单.xlsx", bookOf(t, "<worksheet><sheetData/></worksheet>"), "工单.xlsx, sheet 表: has no rows; export it again"},
		"empty parquet":       {with("format: parquet"), "工单.csv", "", "工单.csv: is empty; export it again"},
		"csv as parquet":      {with("format: parquet"), "工单.csv", "编号\n", "工单.csv: is no Parquet file; export it again, or change format in the definition"},
		"cut parquet":         {with("format: parquet"), "工单.csv", "PAR1xxxx", "工单.csv: is cut short; export or copy it again"},
		"damaged parquet":     {with("format: parquet"), "工单.csv", "PAR1xxxxxxxxPAR1", "工单.csv: is no readable Parquet file: "},
		"list as jsonl":       {with("format: jsonl"), "工单.csv", `[{"编号": 1}]`, "工单.csv, row 1: is one list, not an object a line; export it as JSON lines"},
		"no json":             {with("format: jsonl"), "工单.csv", "编号,正文\n", "工单.csv: holds no line that is a JSON object; export it as JSON lines, one object a line"},
		"json without key":    {with("format: jsonl"), "工单.csv", `{"编码": 1}`, "工单.csv: the header lacks 编号 (nearest: 编码)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, c.source)
			w.put(c.file, c.content)
			got := w.refused()
			if text := got.Error(); !strings.HasPrefix(text, c.want) && !(strings.Contains(text, c.want) && !strings.HasPrefix(c.want, c.file)) {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
			if got.Do == "" || got.Source == "" {
				t.Errorf("it does not say what to do: %+v", got)
			}
		})
	}
	t.Run("real page", func(t *testing.T) {
		w := newTown(t, csvSource)
		content, err := os.ReadFile(shared(t, "real/messy-csv/html_page_saved_as_311.csv"))
		if err != nil {
			t.Fatal(err)
		}
		w.put("工单.csv", string(content))
		if got := w.refused().What; got != "is a web page, not a table" {
			t.Errorf("got %s", got)
		}
	})
}

// TestJSONLines: nested objects, long numbers, lists, and lines that are no
// object.
func TestJSONLines(t *testing.T) {
	w := newTown(t, strings.NewReplacer(`^工单_(?P<delivered>\d{8})\.csv$`, `.*\.jsonl$`, "format: csv", "format: jsonl", "from: 正文", "from: [内容.正文, 正文]").Replace(plainSource))
	w.put("a.jsonl", "\ufeff"+`{"编号": 250912101108115409, "内容": {"正文": "甲\n乙"}}
{"编号": "2", "正文": [1, {"a": 2}]}

{"编号": 3, "正文": null, "多余": true}
{"编号": 4, "编号": 5}
{"编号": 6
{"编号": 7} {"编号": 8}
{"编号": 9, "正文": "\ud800"}
{"编号": 10, "正文": "\u0000"}
{"编号": 11, "a": `+strings.Repeat(`{"a":`, 20)+`1`+strings.Repeat(`}`, 20)+`}
{"编号": 1.50, "正文": "\ufffd😀"}`)
	w.pull()
	w.want("select string_agg(concat_ws('|', row_no, ticket_id, replace(summary, chr(10), '/')), ' ; ' order by row_no) from core.ticket",
		`1|250912101108115409|甲/乙 ; 2|2|[1, {"a": 2}] ; 4|3 ; 11|1.50|`+"\ufffd😀")
	w.want("select string_agg(row_no || ' ' || value, '; ' order by row_no) from core.quarantine",
		`5 the column 编号 stands twice; 6 the JSON object is cut short; 7 text follows the JSON object; 8 the column 正文 holds half a character; 9 the column 正文 holds a NUL character; 10 objects lie in each other more than 8 deep`)
}

// TestParquetTypes: each type comes in as the text that is typed again, and
// what is no single value is refused by name.
func TestParquetTypes(t *testing.T) {
	w := newTown(t, strings.NewReplacer(`^工单_(?P<delivered>\d{8})\.csv$`, `.*\.parquet$`, "format: csv", "format: parquet", "编号", "id", "正文", "text").Replace(plainSource)+
		"  - {from: at, to: reported_at}\n  - {from: n, to: rework_count}\n  - {from: ok, to: is_resolved}\n")
	w.exec("copy (select 250912101108115409 as id, 'a''b' as text, timestamptz '2026-10-01 00:30:00+00' as at, 3.0::double as n, true as ok, [1, 2] as list union all select 2, null, null, null, null, null) to '" + w.in.Inbox + "/a.parquet' (format parquet)")
	w.pull()
	w.want("select string_agg(concat_ws('|', row_no, ticket_id, summary, reported_at, rework_count, is_resolved), ';' order by row_no) from core.ticket",
		"1|250912101108115409|a'b|2026-10-01 08:30:00|3|true;2|2")
	other := newTown(t, strings.NewReplacer(`^工单_(?P<delivered>\d{8})\.csv$`, `.*\.parquet$`, "format: csv", "format: parquet", "编号", "id", "正文", "list").Replace(plainSource))
	other.exec("copy (select 1 as id, [1, 2] as list) to '" + other.in.Inbox + "/a.parquet' (format parquet)")
	if got := other.refused().Error(); !strings.Contains(got, "column list: is of the type INTEGER[], which is no single text") {
		t.Errorf("got %s", got)
	}
}

// TestOffsets: a moment with an offset is the time that clocks showed in the
// zone, one without is taken as it stands.
func TestOffsets(t *testing.T) {
	w := newTown(t)
	for _, c := range [][3]string{
		{"2026-10-01T00:30:00Z", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"2026-10-01T00:30Z", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"2026-10-01 00:30:00.250+00:00", "Asia/Shanghai", "2026-10-01 08:30:00.25"},
		{"2026-10-01 00:30:00+0000", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"2026-10-01 00:30:00+00", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"2026-07-01T12:00:00-04:00", "America/Vancouver", "2026-07-01 09:00:00"},
		{"2026-03-08T10:30:00Z", "America/Vancouver", "2026-03-08 03:30:00"},
		{"2026-10-01 00:30:00", "America/Vancouver", "2026-10-01 00:30:00"},
		{"2026-10-01T00:30:00", "Asia/Shanghai", "2026-10-01 00:30:00"},
		{"2026年10月1日 8时30分", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"2026/10/1 8:30", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"20261001083000", "Asia/Shanghai", "2026-10-01 08:30:00"},
		{"1889-10-01", "Asia/Shanghai", ""},
		{"2026-13-01", "Asia/Shanghai", ""},
		{"2026-10-01T00:30:00+99:00", "Asia/Shanghai", ""},
	} {
		if got := w.scalar(readDate(literal(c[0]), c[1])); got != c[2] {
			t.Errorf("%s in %s: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// readDate is a query that types a text as a moment of the zone, "" if it is none.
func readDate(text, zone string) string {
	return "select coalesce(cast(t_at as varchar), '') from (select " + boundDate("t_at", moment, text, false) +
		" from (select " + dateSQL(text, nil, zone) + " as t_at))"
}
