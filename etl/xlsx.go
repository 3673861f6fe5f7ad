package etl

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// readXLSX stages a sheet of a workbook. Cells are read raw; a number in a
// column that is a date becomes one by the workbook's own epoch, so no style
// has to be trusted.
func (d *Definition) readXLSX(path, scratch string) (stage, error) {
	if err := refuseNoXLSX(path); err != nil {
		return stage{}, err
	}
	book, err := excelize.OpenFile(path, excelize.Options{
		RawCellValue: true, UnzipSizeLimit: MaxUnzipped, UnzipXMLSizeLimit: MaxXMLMemory,
	})
	if err != nil {
		return stage{}, &FileError{What: "is no readable workbook: " + err.Error(), Do: "open it in Excel and save it again without a password"}
	}
	defer book.Close()
	sheet, err := d.findSheet(book)
	if err != nil {
		return stage{}, err
	}
	epoch, err := epochOf(book)
	if err != nil {
		return stage{}, err
	}
	rows, err := book.Rows(sheet)
	if err != nil {
		return stage{}, &FileError{Where: "sheet " + sheet, What: "cannot be read: " + err.Error(), Do: "open it in Excel and save it again"}
	}
	defer rows.Close()
	return d.stageSheet(sheetRows{rows: rows, sheet: sheet}, epoch, filepath.Join(scratch, "stage.csv"))
}

// refuseNoXLSX recognises what people save under the name of a workbook, and
// archives that unpack to too much.
func refuseNoXLSX(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	start := make([]byte, 8)
	n, err := io.ReadFull(file, start)
	switch {
	case n == 0:
		return &FileError{What: "is empty", Do: "export it again"}
	case bytes.HasPrefix(start, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return &FileError{What: "is protected by a password or an old .xls workbook", Do: "open it in Excel and save it as .xlsx without a password"}
	case !bytes.HasPrefix(start, []byte("PK")):
		return &FileError{What: "is no xlsx workbook", Do: "open it in Excel and save it as .xlsx"}
	case err != nil && n < len(start):
		return &FileError{What: "is cut short", Do: "export or copy it again"}
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return &FileError{What: "is a damaged workbook: " + err.Error(), Do: "export or copy it again"}
	}
	defer archive.Close()
	var unpacked, packed uint64
	for _, part := range archive.File {
		unpacked += part.UncompressedSize64
		packed += part.CompressedSize64
	}
	if unpacked > MaxUnzipped || unpacked > MaxXMLMemory && unpacked/max(packed, 1) > MaxUnzipRatio {
		return &FileError{What: fmt.Sprintf("unpacks to %d MiB from %d KiB (at most %d MiB and %d times)", unpacked>>20, packed>>10, MaxUnzipped>>20, MaxUnzipRatio),
			Do: "split it into smaller workbooks"}
	}
	return nil
}

func (d *Definition) findSheet(book *excelize.File) (string, error) {
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return "", &FileError{What: "has no sheet", Do: "export it again"}
	}
	if d.Sheet == "" {
		return sheets[0], nil
	}
	if !slices.Contains(sheets, d.Sheet) {
		return "", &FileError{What: fmt.Sprintf("has no sheet %q; it has %s", d.Sheet, strings.Join(sheets, ", ")),
			Do: "name the sheet as before, or change sheet in " + d.file}
	}
	return d.Sheet, nil
}

// epochOf returns day 0 of the workbook's date numbers.
func epochOf(book *excelize.File) (time.Time, error) {
	props, err := book.GetWorkbookProps()
	if err != nil {
		return time.Time{}, err
	}
	if props.Date1904 != nil && *props.Date1904 {
		return time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC), nil
}

// sheetRows reads a sheet row by row.
type sheetRows struct {
	rows  *excelize.Rows
	sheet string
}

// next returns the cells of the next row, io.EOF after the last.
func (s sheetRows) next() ([]string, error) {
	if !s.rows.Next() {
		if err := s.rows.Error(); err != nil {
			return nil, &FileError{Where: "sheet " + s.sheet, What: "cannot be read to its end: " + err.Error(), Do: "open it in Excel and save it again"}
		}
		return nil, io.EOF
	}
	cells, err := s.rows.Columns()
	if err != nil {
		return nil, &FileError{Where: "sheet " + s.sheet, What: "cannot be read: " + err.Error(), Do: "open it in Excel and save it again"}
	}
	return cells, nil
}

func (d *Definition) stageSheet(source sheetRows, epoch time.Time, stagePath string) (stage, error) {
	var head [][]string
	for len(head) < MaxHeaderRow {
		cells, err := source.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return stage{}, err
		}
		head = append(head, cells)
	}
	h, err := d.findHeader(head)
	if err != nil {
		return stage{}, err
	}
	writer, err := newStageWriter(stagePath, d, h)
	if err != nil {
		return stage{}, err
	}
	kinds := d.cellKinds(h)
	cellCount := 0
	for row := int64(h.record + 1); ; row++ {
		var cells []string
		if row <= int64(len(head)) {
			cells = head[row-1]
		} else if len(head) < MaxHeaderRow {
			break
		} else if cells, err = source.next(); err == io.EOF {
			break
		} else if err != nil {
			return stage{}, err
		}
		if cellCount += len(cells); cellCount > MaxCells {
			return stage{}, &FileError{Where: fmt.Sprintf("sheet %s, row %d", source.sheet, row),
				What: fmt.Sprintf("has more than %d cells", MaxCells), Do: "split it into smaller sheets"}
		}
		if err := writer.write(row, cells, convertCells(cells, kinds, epoch)); err != nil {
			return stage{}, err
		}
	}
	return writer.finish()
}

// cellKind says how a field of the sheet is read.
type cellKind struct {
	name string
	kind string // engine type of the target, "" for a column that is not read
}

func (d *Definition) cellKinds(h header) map[int]cellKind {
	kinds := map[int]cellKind{}
	for _, column := range d.Columns {
		if at, found := h.index[first(column.From)]; found && column.And == "" {
			kind := targets[d.Target][column.To]
			if kind == "" {
				kind = text
			}
			kinds[at] = cellKind{first(column.From), kind}
		}
	}
	return kinds
}

var (
	cellErrors  = []string{"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}
	lostDigits  = regexp.MustCompile(`^-?\d(\.\d+)?[Ee]\+\d+$`)
	serialLimit = 80_000.0 // a day in the year 2119; larger numbers are written dates such as 20260405
)

// convertCells turns date numbers into dates, in place, and names the first
// cell whose value is lost: an error value, or a long id kept as a number.
func convertCells(cells []string, kinds map[int]cellKind, epoch time.Time) damage {
	var harm damage
	for i := range cells {
		kind, isRead := kinds[i]
		if !isRead || cells[i] == "" {
			continue
		}
		switch {
		case slices.Contains(cellErrors, cells[i]):
			if harm.reason == "" {
				harm = damage{"bad_value", kind.name, cells[i]}
			}
		case kind.kind == moment || kind.kind == day:
			cells[i] = dateCell(cells[i], epoch)
		case kind.kind == text && lostDigits.MatchString(cells[i]):
			if harm.reason == "" {
				harm = damage{"bad_number", kind.name, cells[i]}
			}
		}
	}
	return harm
}

// dateCell returns a date number as text to the second, any other text as it is.
func dateCell(cell string, epoch time.Time) string {
	serial, err := strconv.ParseFloat(cell, 64)
	if err != nil || serial < 1 || serial >= serialLimit {
		return cell
	}
	seconds := int64(math.Round(serial * 86400))
	return epoch.Add(time.Duration(seconds) * time.Second).Format("2006-01-02 15:04:05")
}
