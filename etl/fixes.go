package etl

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// A fixed file is a workbook that export wrote and a person corrected: a sheet
// for each source, a row for each quarantined row, led by what tells which row
// it is. What stands in these columns must come back as it was.
const (
	fixLoad   = "隔离批次"
	fixSheet  = "隔离表"
	fixRow    = "隔离行"
	fixSum    = "隔离校验"
	fixFile   = "来源文件"
	fixReason = "隔离原因"
	// reasonMark ends the name of the column beside a faulty one.
	reasonMark = "·原因"
)

var fixLead = []string{fixLoad, fixSheet, fixRow, fixSum, fixFile, fixReason}

// answered is the load whose quarantined rows a fixed file has, and when they
// first came.
type answered struct {
	Load        string    `json:"load"`
	DeliveredAt time.Time `json:"delivered_at"`
}

// suffix tells the loads of one fixed file apart.
func (a *answered) suffix() string {
	if a == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(a.Load))
	return "-fix-" + hex.EncodeToString(sum[:])[:8]
}

// forFixes is the definition by which a fixed file of its source is read.
func (d *Definition) forFixes() *Definition {
	fixed := *d
	fixed.Sheet, fixed.OnUnknown, fixed.OnMissing = d.Source, discardColumn, discardColumn
	fixed.Columns = append(slices.Clone(d.Columns),
		Column{From: Names{fixSheet}, To: "fix_sheet"}, Column{From: Names{fixRow}, To: "fix_row", Required: true})
	return &fixed
}

// fixedItems lists the deliveries of a fixed file: one for each load that it
// answers. Any other file gives none.
func (in Intake) fixedItems(path string, info fs.FileInfo) ([]delivery, error) {
	if !strings.EqualFold(filepath.Ext(path), ".xlsx") || refuseNoXLSX(path) != nil {
		return nil, nil
	}
	book, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true, UnzipSizeLimit: MaxUnzipped})
	if err != nil {
		return nil, nil // what is no workbook is no fixed file
	}
	defer book.Close()
	sum, err := hashFile(path)
	if err != nil {
		return nil, err
	}
	var items []delivery
	var landedItems map[string]delivery
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet)
		if err != nil || len(rows) == 0 || !slices.Equal(rows[0][:min(len(fixLead), len(rows[0]))], fixLead) {
			continue
		}
		if landedItems == nil {
			if landedItems, err = in.landedByLoad(); err != nil {
				return nil, err
			}
		}
		d := in.definition(sheet)
		if d == nil {
			return nil, &FileError{File: info.Name(), Where: "sheet " + sheet, What: "is named after no source", Do: "name it as the export did"}
		}
		seen := map[string]bool{}
		for i, row := range rows[1:] {
			if strings.Join(row, "") == "" || isUntouched(rows[0], row) || seen[row[0]] {
				continue
			}
			seen[row[0]] = true
			original, isLanded := landedItems[row[0]]
			if !isLanded || original.Source != sheet {
				return nil, &FileError{File: info.Name(), Where: fmt.Sprintf("sheet %s, row %d", sheet, i+2),
					What: fmt.Sprintf("%s %q is no delivery of this source", fixLoad, row[0]), Do: "leave the first columns as the export wrote them"}
			}
			since := original.DeliveredAt
			if original.Answers != nil {
				since = original.Answers.DeliveredAt
			}
			item := delivery{Source: sheet, Name: info.Name(), SHA256: sum, Bytes: info.Size(), Captures: original.Captures, Definition: d.hash,
				Answers: &answered{row[0], since}, path: path, DeliveredAt: civil(info.ModTime().Truncate(time.Second))}
			// An answer comes after what it answers, whatever the file's time.
			if !item.DeliveredAt.After(original.DeliveredAt) {
				item.DeliveredAt = original.DeliveredAt.Add(time.Second)
			}
			items = append(items, item)
		}
	}
	return items, nil
}

// fixedSum is the checksum of a row's own cells, by which rows that nobody
// touched are known; they go on waiting where they are.
func fixedSum(names, cells []string) string {
	sum := sha256.New()
	for i, name := range names {
		if slices.Contains(fixLead, name) || strings.HasSuffix(name, reasonMark) {
			continue
		}
		value := ""
		if i < len(cells) {
			value = cells[i]
		}
		fmt.Fprintf(sum, "%s\x00%s\x00", name, strings.ReplaceAll(value, "\r\n", "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

func isUntouched(names, cells []string) bool {
	at := slices.Index(fixLead, fixSum)
	return len(cells) > at && cells[at] == fixedSum(names, cells)
}

// readFixes stages the rows of a fixed file that answer one load.
func (d *Definition) readFixes(path, scratch string, item delivery) (stage, error) {
	book, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true, UnzipSizeLimit: MaxUnzipped})
	if err != nil {
		return stage{}, &FileError{What: "is no readable workbook: " + err.Error(), Do: "open it in Excel and save it again without a password"}
	}
	defer book.Close()
	rows, err := book.GetRows(d.Source)
	if err != nil || len(rows) == 0 {
		return stage{}, &FileError{Where: "sheet " + d.Source, What: "cannot be read", Do: "open it in Excel and save it again"}
	}
	h, err := d.findHeader(rows[:1])
	if err != nil {
		return stage{}, err
	}
	writer, err := newStageWriter(filepath.Join(scratch, "stage.csv"), d, h)
	if err != nil {
		return stage{}, err
	}
	writer.sheet = d.Source
	for i, row := range rows {
		if i == 0 || len(row) == 0 || row[0] != item.Answers.Load || isUntouched(rows[0], row) {
			continue
		}
		harm := d.tidyFixed(h, row)
		if err := writer.write(int64(i+1), row, harm); err != nil {
			return stage{}, err
		}
	}
	return writer.finish()
}

// tidyFixed makes dates of date numbers, which Excel writes for a date that a
// person typed, and finds ids whose last digits Excel lost.
func (d *Definition) tidyFixed(h header, cells []string) (harm damage) {
	for _, c := range d.Columns {
		at, found := h.index[first(c.From)]
		if !found || at >= len(cells) || c.To == "" {
			continue
		}
		number, err := strconv.ParseFloat(cells[at], 64)
		isNumber := err == nil && !math.IsInf(number, 0) && !math.IsNaN(number)
		switch kind := targets[d.Target][c.To]; {
		case (kind == moment || kind == day) && isNumber && number >= 1 && number < 80_000:
			moment := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(math.Round(number*86400)) * time.Second)
			cells[at] = moment.Format("2006-01-02 15:04:05")
		case kind == text && isNumber && strings.ContainsAny(cells[at], "eE+") && strings.Contains(strings.ToUpper(cells[at]), "E+"):
			harm = damage{"bad_number", first(c.From), cells[at]}
		case strings.HasPrefix(cells[at], "#") && strings.ContainsAny(cells[at], "!?/"):
			harm = damage{"bad_value", first(c.From), cells[at]}
		}
	}
	return harm
}

// updatedAt is the SQL of when a row changed. A fixed row without a moment of
// its own says what its first delivery said: a later delivery still wins.
func (l *loader) updatedAt() string {
	value := l.value("updated_at", moment)
	if l.item.Answers != nil {
		value = fmt.Sprintf("coalesce(%s, %s)", value, momentLiteral(l.item.Answers.DeliveredAt))
	}
	return value
}
