package etl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"tongbao/warehouse"
)

// exportedRow is a waiting row with the cells of its untouched delivery.
type exportedRow struct {
	load, file string
	heldRow
	cells []string // of the definition's sources()
}

// Export writes the waiting rows of a choice into a workbook that a person can
// correct and give back. Its cells come from the untouched deliveries, so it
// holds personal data: only the owner may read it. words puts a reason into the
// reader's words. It returns how many rows were written.
func Export(ctx context.Context, db *warehouse.DB, in Intake, w Waiting, path string, words func(string) string) (int, error) {
	if _, err := os.Stat(path); err == nil {
		return 0, &FileError{File: path, What: "exists", Do: "choose another name"}
	}
	waiting, err := waitingRows(ctx, db, w)
	if err != nil {
		return 0, err
	}
	items, err := in.landedByLoad()
	if err != nil {
		return 0, err
	}
	bySource := map[string][]exportedRow{}
	count := 0
	for _, load := range byDelivery(waiting, items) {
		item, isLanded := items[load]
		d := in.definition(item.Source)
		if !isLanded || d == nil {
			return 0, &FileError{File: load, What: "is not in raw/ any more, or its source has no definition", Do: "narrow the export with --source"}
		}
		rows, err := in.cellsOf(ctx, db, d, item, waiting[load])
		if err != nil {
			return 0, fmt.Errorf("read %s again: %w", item.Name, err)
		}
		bySource[item.Source] = append(bySource[item.Source], rows...)
		count += len(rows)
	}
	if count == 0 {
		return 0, nil
	}
	book := excelize.NewFile()
	defer book.Close()
	for _, source := range sortedKeys(bySource) {
		if err := writeExport(book, in.definition(source), bySource[source], words); err != nil {
			return 0, err
		}
	}
	if err := book.DeleteSheet("Sheet1"); err != nil {
		return 0, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	if err := book.Write(file); err != nil {
		file.Close()
		return 0, err
	}
	return count, file.Close()
}

// cellsOf reads rows of a delivery again from raw/.
func (in Intake) cellsOf(ctx context.Context, db *warehouse.DB, d *Definition, item delivery, rows []heldRow) ([]exportedRow, error) {
	names := d.sources()
	scratch, err := in.scratch()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if item.Answers != nil {
		d = d.forFixes()
	}
	path, err := in.fileOf(item, scratch)
	if err != nil {
		return nil, err
	}
	l := &loader{d: d, item: item}
	if l.st, err = d.read(ctx, db, path, scratch, item); err != nil {
		return nil, err
	}
	cells, err := l.readCells(ctx, db, rows, len(names))
	if errors.Is(err, errMiscounted) && l.st.isFile && l.st.reader == "" {
		if l.st, err = d.readCSVCarefully(l.st.path, filepath.Join(scratch, "stage.csv")); err != nil {
			return nil, err
		}
		cells, err = l.readCells(ctx, db, rows, len(names))
	}
	var all []exportedRow
	for _, row := range rows {
		texts := cells[[2]string{row.Sheet, fmt.Sprint(row.Row)}]
		if texts == nil {
			texts = make([]string, len(names))
		}
		all = append(all, exportedRow{item.loadID(), item.Name, row, texts})
	}
	return all, err
}

// readCells returns the first cells of rows of a staged delivery, by sheet and
// row.
func (l *loader) readCells(ctx context.Context, db *warehouse.DB, rows []heldRow, width int) (map[[2]string][]string, error) {
	cells := map[[2]string][]string{}
	return cells, db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		typed := newTyping(l.d, l.st, momentLiteral(l.item.DeliveredAt))
		if _, err := tx.Exec(ctx, fmt.Sprintf("create or replace temp table typed as select %s from %s", typed.cells(), typed.reader())); err != nil {
			return l.unreadable(ctx, err)
		}
		if err := l.countTyped(ctx, tx); err != nil {
			return err
		}
		if err := listRows(ctx, tx, "wanted_row", rows); err != nil {
			return err
		}
		var shown []string
		for i := range width {
			shown = append(shown, fmt.Sprintf("coalesce(r%d, '')", i))
		}
		found, err := tx.Query(ctx, fmt.Sprintf("select coalesce(typed.sheet, ''), cast(%s as varchar), [%s] from typed where %s in (select (sheet, row_no) from wanted_row)",
			l.rowNumber(), strings.Join(shown, ", "), l.place()))
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var sheet, row string
			var list []any
			if err := found.Scan(&sheet, &row, &list); err != nil {
				return err
			}
			var texts []string
			for _, cell := range list {
				texts = append(texts, fmt.Sprint(cell))
			}
			cells[[2]string{sheet, row}] = texts
		}
		return found.Err()
	})
}

func writeExport(book *excelize.File, d *Definition, rows []exportedRow, words func(string) string) error {
	if _, err := book.NewSheet(d.Source); err != nil {
		return err
	}
	asText, err := book.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return err
	}
	wrong, err := book.NewStyle(&excelize.Style{NumFmt: 49, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFE699"}}})
	if err != nil {
		return err
	}
	stream, err := book.NewStreamWriter(d.Source)
	if err != nil {
		return err
	}
	// Who the row is stays out of sight; what is wrong stands beside the cell.
	if err := stream.SetColVisible(1, slices.Index(fixLead, fixSum)+1, false); err != nil {
		return err
	}
	sources, names := d.sources(), slices.Clone(fixLead)
	for _, name := range sources {
		names = append(names, name)
		if slices.ContainsFunc(rows, func(r exportedRow) bool { return r.Column == name }) {
			names = append(names, name+reasonMark)
		}
	}
	line := func(at int, texts []string, style func(i int) int) error {
		var cells []any
		for i, text := range texts {
			cells = append(cells, excelize.Cell{StyleID: style(i), Value: text})
		}
		return stream.SetRow(fmt.Sprintf("A%d", at), cells)
	}
	if err := line(1, names, func(int) int { return asText }); err != nil {
		return err
	}
	for i, r := range rows {
		reason := words(r.Reason)
		if r.Detail != "" {
			reason += "：" + r.Detail
		}
		texts := []string{r.load, r.Sheet, fmt.Sprint(r.Row), "", r.file, reason}
		if slices.Contains(sources, r.Column) {
			texts[5] = r.Column + "：" + words(r.Reason)
		}
		for _, name := range names[len(fixLead):] {
			switch at := slices.Index(sources, name); {
			case at >= 0:
				texts = append(texts, r.cells[at])
			case name == r.Column+reasonMark:
				texts = append(texts, reason)
			default:
				texts = append(texts, "")
			}
		}
		texts[slices.Index(fixLead, fixSum)] = fixedSum(names, texts)
		err := line(i+2, texts, func(at int) int {
			if names[at] == r.Column || names[at] == r.Column+reasonMark {
				return wrong
			}
			return asText
		})
		if err != nil {
			return err
		}
	}
	return stream.Flush()
}

// Import takes a fixed file in: its rows are deliveries of their sources, and
// the quarantined rows that they answer are closed.
func Import(ctx context.Context, db *warehouse.DB, in Intake, path string) (Report, error) {
	var report Report
	info, err := os.Stat(path)
	if err != nil {
		return report, err
	}
	items, err := in.fixedItems(path, info)
	if err := report.note(err, "", info.Name()); err != nil {
		return report, err
	}
	if len(items) == 0 && len(report.Errors) == 0 {
		report.Errors = append(report.Errors, &FileError{File: info.Name(), What: "has no corrected row of a quarantine export",
			Do: "make one with \"tongbao quarantine export\", correct its cells and keep its first columns"})
	}
	if err := in.takeAll(ctx, db, items, &report); err != nil {
		return report, err
	}
	return report, report.Err()
}

// closeFixed closes the rows that a fixed file answers. A row that nobody
// waits for any more is refused, so that every row is answered once.
func (l *loader) closeFixed(ctx context.Context, tx *warehouse.Tx) error {
	answers := "select (coalesce(t_fix_sheet, ''), try_cast(t_fix_row as bigint)) from typed where not is_note"
	var lost, twice string
	err := tx.QueryRow(ctx, fmt.Sprintf(`with answer as (select answer from (%s) as given(answer))
select coalesce((select string_agg(cast(answer as varchar), ', ') from answer where answer not in (
    select (coalesce(sheet, ''), row_no) from core.quarantine where load_id = %s and state = 'open')), ''),
  coalesce((select string_agg(cast(answer as varchar), ', ') from (select answer from answer group by answer having count(*) > 1)), '')`,
		answers, literal(l.item.Answers.Load))).Scan(&lost, &twice)
	switch {
	case err != nil:
		return err
	case lost != "" || twice != "":
		what := "answers rows that wait no more, or never did: " + lost
		if lost == "" {
			what = "answers rows twice: " + twice
		}
		return &FileError{Where: "sheet " + l.d.Source, What: what + " (sheet, row of " + l.item.Answers.Load + ")", Do: "take these rows out, or export anew"}
	}
	_, err = tx.Exec(ctx, "update core.quarantine set state = 'fixed', closed_at = ?, closed_by = ? where load_id = ? and state = 'open' and (coalesce(sheet, ''), row_no) in ("+answers+")",
		l.item.DeliveredAt, l.load.ID, l.item.Answers.Load)
	return err
}
