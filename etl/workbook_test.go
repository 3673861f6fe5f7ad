package etl

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "rewrite testdata/messy-xlsx.txt")

// sheetXML wraps rows in the parts that a workbook must have.
func bookOf(t testing.TB, rows string, more ...string) string {
	t.Helper()
	members := append([]string{
		"_rels/.rels", `<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook><sheets><sheet name="表" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/worksheets/sheet1.xml", rows,
	}, more...)
	return pack(t, members...)
}

const bookSource = `source: book
name: book
target: ticket
files: '^工单.*\.xlsx$'
format: xlsx
key: [ticket_id]
columns:
  - {from: 编号, to: ticket_id, required: true}
  - {from: 时间, to: reported_at}
  - {from: 次数, to: rework_count}
  - {from: 正文, to: summary}
`

// head is a sheet's header row of bookSource.
const head = `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>编号</t></is></c><c r="B1" t="inlineStr"><is><t>时间</t></is></c><c r="C1" t="inlineStr"><is><t>次数</t></is></c><c r="D1" t="inlineStr"><is><t>正文</t></is></c></row>`
const tail = `</sheetData></worksheet>`

// TestCells: what each kind of cell becomes, and what is quarantined because
// its value is lost.
func TestCells(t *testing.T) {
	w := newTown(t, bookSource)
	rows := head
	for i, cells := range []string{
		`<c r="A%d"><v>1</v></c><c r="B%[1]d"><v>46327.5</v></c><c r="C%[1]d"><v>1.0</v></c><c r="D%[1]d" t="b"><v>1</v></c>`,
		`<c r="A%d" t="str"><v>250912101108115409</v></c><c r="B%[1]d" t="d"><v>2026-11-01T08:00:00</v></c><c r="D%[1]d"><v>1.1000000000000001</v></c>`,
		`<c r="A%d"><v>2.50912101108115E+17</v></c>`,
		`<c r="A%d" s=""><v>4</v></c><c r="D%[1]d" t="e"><v>#N/A</v></c>`,
		`<c r="A%d"><v>5</v></c><c r="C%[1]d"><f>1+1</f></c>`,
		`<c r="A%d"><v>6</v></c><c r="C%[1]d"><f>1+1</f><v>2</v></c><c r="D%[1]d" t="inlineStr"><is><r><t>甲_x000D_</t></r><rPh><t>jia</t></rPh><r><t>乙</t></r></is></c>`,
		`<c r="A%d"><v>7</v></c><c r="C%[1]d"><v>2.5</v></c>`,
		`<c t="inlineStr"><is><t>０８</t></is></c><c t="inlineStr"><is><t>2026年11月1日 8:30</t></is></c><c r="C%[1]d" t="inlineStr"><is><t>１２</t></is></c>`,
		`<c r="A%d"><v>1.7876956E7</v></c><c r="B%[1]d" t="inlineStr"><is><t>2026-11-01T00:30:00Z</t></is></c>`,
	} {
		number := i + 3 // row 2 is left out
		if strings.Contains(cells, "%") {
			cells = fmt.Sprintf(cells, number)
		}
		rows += fmt.Sprintf(`<row r="%d">%s</row>`, number, cells)
	}
	w.put("工单.xlsx", bookOf(t, rows+tail))
	w.pull()
	got := w.scalar("select string_agg(concat_ws('|', row_no, ticket_id, reported_at, rework_count, replace(summary, chr(13), '<CR>')), chr(10) order by row_no) from core.ticket")
	want := `3|1|2026-11-01 12:00:00|1|TRUE
4|250912101108115409|2026-11-01 08:00:00|1.1
8|6|2|甲<CR>乙
10|08|2026-11-01 08:30:00|12
11|17876956|2026-11-01 08:30:00`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.want("select string_agg(concat_ws('|', sheet, row_no, column_name, reason, value), chr(10) order by row_no) from core.quarantine",
		"表|5|编号|bad_number|2.50912101108115E+17\n表|6|正文|bad_value|#N/A\n表|7|次数|bad_value|a formula without a stored result\n表|9|次数|bad_number|2.5")
}

// TestSheets: all visible sheets by pattern, each with its own header, the
// unit named by the sheet; columns under merged groups by group and name.
func TestSheets(t *testing.T) {
	book := excelize.NewFile()
	fill := func(sheet string, rows ...[]any) {
		t.Helper()
		if _, err := book.NewSheet(sheet); err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if err := book.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill("东湖社区", []any{"某镇月报"}, []any{"项目", "上半年", nil, "下半年", nil}, []any{nil, "完成", "应完成", "完成", "应完成"}, []any{"走访", 3, 4, 5, "６"}, []any{"合计", 3, 4, 5, 6})
	fill("西湖社区", []any{"项目", "上半年", nil, nil, "下半年", nil}, []any{nil, "完成", "备注", "应完成", "完成", "应完成"}, []any{"走访", 1, "x", 2, 7, 8})
	fill("空白社区")
	fill("说明", []any{"填表人不得改动"})
	fill("旧社区", []any{"项目", "完成"}, []any{"走访", 9})
	if err := book.SetSheetVisible("旧社区", false); err != nil {
		t.Fatal(err)
	}
	book.SetActiveSheet(1)
	if err := book.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if err := book.Write(&content); err != nil {
		t.Fatal(err)
	}
	text := `source: sheets
name: sheets
target: return
files: '^月报_(?P<month>\d{4}-\d{2})\.xlsx$'
format: xlsx
sheets: '.*社区'
skip: {column: 项目, matches: 合计}
key: [month, grid_id, item]
columns:
  - {capture: month, to: month}
  - {from: '@sheet', to: grid, required: true}
  - {from: 项目, to: item, required: true}
  - {from: 下半年/完成, to: numerator, required: true}
  - {from: 下半年/应完成, to: denominator, required: true}
`
	w := newTown(t, text)
	w.alias("东湖社区", "西湖社区")
	w.put("月报_2026-10.xlsx", content.String())
	w.pull()
	w.want(`select string_agg(concat_ws('|', sheet, row_no, grid_id, item, numerator::bigint, denominator::bigint), chr(10) order by sheet) from core."return"`,
		"东湖社区|4|东湖社区|走访|5|6\n西湖社区|3|西湖社区|走访|7|8")
	for change, want := range map[string]string{
		"'.*'": "sheet 说明, row 1: the header lacks 项目", "'.*村'": `has no sheet ".*村"; it has 东湖社区, 西湖社区`,
	} {
		w := newTown(t, strings.Replace(text, "'.*社区'", change, 1))
		w.put("月报_2026-10.xlsx", content.String())
		if got := w.refused().Error(); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", change, got, want)
		}
	}
	// A name that stands under both groups must be told apart.
	w = newTown(t, strings.Replace(text, "下半年/完成", "完成", 1))
	w.put("月报_2026-10.xlsx", content.String())
	if got := w.refused().Error(); !strings.Contains(got, "the header has the column 完成 twice") {
		t.Errorf("got %s", got)
	}
}

// TestPercent: a percentage as text is what a cell formatted as one holds;
// what would have to be rounded is not taken.
func TestPercent(t *testing.T) {
	w := newTown(t)
	for text, want := range map[string]string{
		"93.72%": "0.9372", "100%": "1.0000", "９３．７２％": "0.9372", "0.9372": "0.9372", "93.725%": "", "%": "", "1%%": "", "-5%": "-0.0500", "": "",
	} {
		got := w.scalar("select coalesce(cast(" + numberSQL(literal(text), "DECIMAL(18,4)") + " as varchar), '')")
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	w.want("select coalesce(cast("+numberSQL("'100%'", integer)+" as varchar), 'null')", "null")
}

// TestHostileWorkbooks: entities, texts, columns and sizes beyond the limits.
func TestHostileWorkbooks(t *testing.T) {
	lol := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>`
	for name, c := range map[string]struct{ book, want string }{
		"entities":     {bookOf(t, lol+strings.Replace(head, "编号", "&b;", 1)+tail), "it declares <!DOCTYPE"},
		"entity":       {bookOf(t, head+`<row r="2"><c r="A2" t="str"><v>&b;</v></c></row>`+tail), "invalid character entity &b;"},
		"long text":    {bookOf(t, head+`<row r="2"><c r="A2" t="str"><v>`+strings.Repeat("x", MaxFieldBytes+1)+`</v></c></row>`+tail), "has a cell of more than 1024 KiB; shorten it"},
		"long token":   {bookOf(t, head+`<row r="2"><c r="A2" t="`+strings.Repeat("x", 5*MaxFieldBytes)+`"/></row>`+tail), "a text is longer than 4 MiB"},
		"far right":    {bookOf(t, head+`<row r="2"><c r="XFD2"><v>1</v></c></row>`+tail), "row 2: has text beyond column 256"},
		"far down":     {bookOf(t, head+`<row r="1048577"/>`+tail), `has the number "1048577"`},
		"backwards":    {bookOf(t, head+`<row r="3"/><row r="2"/>`+tail), `has the number "2"`},
		"cut":          {bookOf(t, head+`<row r="2"><c r="A2"><v>1</v></c></row>`), "the sheet is cut short"},
		"no such text": {bookOf(t, head+`<row r="2"><c r="A2" t="s"><v>7</v></c></row>`+tail), "names the shared text \"7\", which the workbook lacks"},
		"no sheet":     {pack(t, "_rels/.rels", "<r/>", "xl/_rels/workbook.xml.rels", "<r/>", "xl/workbook.xml", "<w/>"), "has no sheet with cells"},
		"no part":      {pack(t, "a.txt", "x"), "it lacks its part _rels/.rels"},
		"bomb":         {bookOf(t, head+tail, "xl/media/x.xml", strings.Repeat("a", 100<<20)), "unpacks to 100 MiB"},
		"shared text":  {bookOf(t, head+tail, "xl/sharedStrings.xml", "<sst>"+strings.Repeat("<si/>", 64)+"</sst>"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, bookSource)
			w.put("工单.xlsx", c.book)
			if c.want == "" {
				w.pull()
			} else if got := w.refused().Error(); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// kinds of cells as testdata/messy-xlsx.txt marks them.
var cellMarks = map[cellForm]string{textCell: "", numberCell: "#", boolCell: "?", errorCell: "!", dateCell: "@", formulaCell: "="}

// TestMessyWorkbooks holds the first rows and the count of every sheet of
// every file as written down in testdata/messy-xlsx.txt: # before a number,
// ? a truth value, ! an error, @ an ISO date, = a formula without a result.
// Sheets with people's names have their count only.
func TestMessyWorkbooks(t *testing.T) {
	golden := filepath.Join("testdata", "messy-xlsx.txt")
	var text strings.Builder
	for _, path := range glob(t, "real/messy-xlsx/*.xlsx") {
		book, err := openWorkbook(path)
		if err != nil {
			fmt.Fprintf(&text, "== %s: %v\n", filepath.Base(path), err)
			continue
		}
		for _, sheet := range book.sheets {
			fmt.Fprintf(&text, "== %s / %s\n", filepath.Base(path), sheet.name)
			if sheet.part == "" {
				text.WriteString("   charts\n")
				continue
			}
			isPersonal := strings.Contains(path, "arrests") || strings.Contains(path, "Ekaterinburg")
			if err := dump(&text, book, sheet, isPersonal); err != nil {
				fmt.Fprintf(&text, "   %v\n", err)
			}
		}
		if err := book.close(); err != nil {
			t.Error(err)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text.String(), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func dump(text *strings.Builder, book *workbook, sheet sheetPart, isPersonal bool) error {
	source, err := book.open(sheet)
	if err != nil {
		return err
	}
	defer source.close()
	rows := 0
	for {
		number, cells, err := source.next()
		if number == 0 && err != nil {
			if rows > 0 {
				fmt.Fprintf(text, "   %d rows\n", rows)
			}
			if err.Error() == "EOF" {
				return nil
			}
			return err
		}
		if len(cells) == 0 {
			continue
		}
		if rows++; rows > 8 || isPersonal {
			continue
		}
		var shown []string
		for _, c := range cells[:min(len(cells), 12)] {
			shown = append(shown, cellMarks[c.kind]+c.text)
		}
		fmt.Fprintf(text, "   %d %q\n", number, shown)
	}
}

// TestMessyTables takes the files that are tables through a definition and
// holds cells of them as they are typed.
func TestMessyTables(t *testing.T) {
	deaths := "  - {from: Name, to: ticket_id, required: true}\n  - {from: Profession, to: summary}\n  - {from: Date of death, to: reported_at}\n"
	for name, c := range map[string]struct{ settings, columns, query, want string }{
		"inst__extdata__deaths.xlsx": {"sheets: .*\nskip: {column: Profession, matches: ''}", deaths, "count(*) || ' ' || max(reported_at) filter (where ticket_id = 'Carrie Fisher')", "20 2016-12-27 00:00:00"},
		"tests__merge_cells.xlsx":    {"", "  - {from: Row Merge, to: ticket_id, required: true}\n  - {from: Not Merged, to: summary}\n", "count(*)", "1"},
		"tests__testthat__sheets__datetime-rounding.xlsx": {"", "  - {from: dttm, to: reported_at}\n  - {from: dttm_string, to: ticket_id, required: true}\n",
			"count(*) filter (where reported_at = ticket_id::timestamp)", "4"},
		"tests__testthat__sheets__sheet-xml-lookup.xlsx": {"sheets: .*", "  - {from: country, to: ticket_id, required: true}\n  - {from: year, to: site_key}\n  - {from: pop, to: rework_count}\n",
			"count(*) || ' ' || sum(rework_count) filter (where ticket_id in ('China', 'Algeria')) || ' ' || count(distinct sheet)", "22 565543052 5"},
		"tests__testthat__sheets__types.xlsx": {"sheet: guess_me", "  - {from: text, to: ticket_id, required: true}\n  - {from: boolean, to: is_resolved}\n  - {from: date, to: reported_at}\n  - {from: numeric, to: rework_count}\n",
			"string_agg(concat_ws(' ', ticket_id, is_resolved, reported_at::date, rework_count), ', ' order by row_no)", "hello true 2017-02-27 1, world false 2017-02-28 2, HELLO true 2017-02-28 3, wor false 2017-02-27 6"},
		"tests__header-row.xlsx": {"", "  - {from: Column A, to: ticket_id, required: true}\n", "count(*)", "1"},
		"easyexcel-test__src__test__resources__dataformat__dataformat.xlsx": {"", "  - {from: date, to: reported_at}\n  - {from: dateStringCn, to: ticket_id, required: true}\n", "count(*) || ' ' || count(*) filter (where reported_at = timestamp '2020-01-01 01:01:01')", "22 22"},
		"tests__testthat__sheets__missing-v-node-xlsx.xlsx":                 {"", "  - {from: A, to: ticket_id, required: true}\n  - {from: A + B, to: rework_count}\n", "count(*) || (select reason || ' ' || value from core.quarantine)", "0bad_value a formula without a stored result"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, "source: m\nname: m\ntarget: ticket\nfiles: '.*'\nformat: xlsx\nkey: [ticket_id]\n"+c.settings+"\ncolumns:\n"+c.columns)
			w.copy(shared(t, "real/messy-xlsx/"+name))
			if report, err := Pull(context.Background(), w.db, w.in); err != nil {
				t.Fatalf("%v %v", report, err)
			}
			w.want("select "+c.query+" from core.ticket", c.want)
		})
	}
}

// TestAgainstLibrary reads every real workbook a second time with excelize
// and wants the same cells; but for a sheet that the library loses whole,
// because its cells carry an empty style attribute, and one that we refuse
// because it reaches beyond column 256.
func TestAgainstLibrary(t *testing.T) {
	compared := 0
	for _, pattern := range []string{"vancouver311", "tipdm", "messy-xlsx"} {
		for _, path := range glob(t, "real/"+pattern+"/*.xlsx") {
			if strings.Contains(path, "empty_s_attribute") {
				continue
			}
			theirs, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			book, err := openWorkbook(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, sheet := range book.sheets {
				if sheet.part == "" || sheet.name == "warning_AKE6" {
					continue
				}
				want := map[string]string{}
				rows, err := theirs.GetRows(sheet.name)
				if err != nil {
					t.Fatal(err)
				}
				for i, row := range rows {
					for j, text := range row {
						if text != "" {
							want[fmt.Sprint(i+1, " ", j)] = text
						}
					}
				}
				got := map[string]string{}
				source, err := book.open(sheet)
				if err != nil {
					t.Fatal(err)
				}
				for {
					number, cells, err := source.next()
					if err != nil {
						break
					}
					for i, c := range cells {
						if c.text != "" {
							got[fmt.Sprint(number, " ", i)] = c.text
						}
					}
				}
				source.close()
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s / %s: (-library +ours)\n%s", filepath.Base(path), sheet.name, diff)
				}
				compared += len(want)
			}
			if err := errors.Join(theirs.Close(), book.close()); err != nil {
				t.Error(err)
			}
		}
	}
	if compared < 100_000 {
		t.Errorf("only %d cells were compared", compared)
	}
}
