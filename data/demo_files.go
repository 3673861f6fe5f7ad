package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// csvFile writes a delivery as CSV. encoding is "gb18030", "bom" or "" for
// plain UTF-8.
type csvFile struct {
	file   *os.File
	buffer *bufio.Writer
	encode *transform.Writer
	csv    *csv.Writer
	rows   int // records written, the header included
	name   string
	truth  *FileTruth
}

func (m *maker) newCSV(name, source, encoding string, useCRLF bool, header []string) (*csvFile, error) {
	file, err := os.Create(m.inbox(name))
	if err != nil {
		return nil, err
	}
	f := &csvFile{file: file, buffer: bufio.NewWriterSize(file, 1<<20), name: name, truth: m.truth.file(name, source)}
	switch encoding {
	case "gb18030":
		f.encode = transform.NewWriter(f.buffer, simplifiedchinese.GB18030.NewEncoder())
		f.csv = csv.NewWriter(f.encode)
	case "bom":
		if _, err := f.buffer.WriteString("\ufeff"); err != nil {
			return nil, err
		}
		f.csv = csv.NewWriter(f.buffer)
	default:
		f.csv = csv.NewWriter(f.buffer)
	}
	f.csv.UseCRLF = useCRLF
	f.rows = 1
	return f, f.csv.Write(header)
}

func (f *csvFile) row(cells []string) error {
	f.rows++
	f.truth.Rows++
	return f.csv.Write(cells)
}

// bad writes a row that quarantine must name.
func (f *csvFile) bad(cells []string, column, reason string) error {
	if err := f.row(cells); err != nil {
		return err
	}
	f.truth.Bad = append(f.truth.Bad, BadRow{f.rows, column, reason})
	return nil
}

func (f *csvFile) close() error {
	f.csv.Flush()
	err := f.csv.Error()
	if f.encode != nil {
		err = errors.Join(err, f.encode.Close())
	}
	return errors.Join(err, f.buffer.Flush(), f.file.Close())
}

// sheetFile writes a delivery as a workbook of one sheet.
type sheetFile struct {
	book   *excelize.File
	stream *excelize.StreamWriter
	path   string
	row    int // the last row written
	truth  *FileTruth
	date   int // style of true dates
}

// newSheet begins a workbook with head rows as they are; merges are ranges of
// the head.
func (m *maker) newSheet(name, source, sheet string, head [][]any, merges [][2]string) (*sheetFile, error) {
	book := excelize.NewFile()
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return nil, err
	}
	date, err := book.NewStyle(&excelize.Style{NumFmt: 22})
	if err != nil {
		return nil, err
	}
	stream, err := book.NewStreamWriter(sheet)
	if err != nil {
		return nil, err
	}
	f := &sheetFile{book: book, stream: stream, path: m.inbox(name), truth: m.truth.file(name, source), date: date}
	for _, row := range head {
		if err := f.note(row); err != nil {
			return nil, err
		}
	}
	for _, merge := range merges {
		if err := stream.MergeCell(merge[0], merge[1]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// note writes a row that is no data: a title, a header, a total.
func (f *sheetFile) note(cells []any) error {
	f.row++
	at, err := excelize.CoordinatesToCellName(1, f.row)
	if err != nil {
		return err
	}
	return f.stream.SetRow(at, cells)
}

func (f *sheetFile) data(cells []any) error {
	f.truth.Rows++
	return f.note(cells)
}

func (f *sheetFile) bad(cells []any, column, reason string) error {
	if err := f.data(cells); err != nil {
		return err
	}
	f.truth.Bad = append(f.truth.Bad, BadRow{f.row, column, reason})
	return nil
}

func (f *sheetFile) close() error {
	if err := f.stream.Flush(); err != nil {
		return err
	}
	defer f.book.Close()
	// Not SaveAs: it takes no path of more than 207 characters.
	file, err := os.Create(f.path)
	if err != nil {
		return err
	}
	f.book.Path = f.path // its ending names the kind of book
	return errors.Join(f.book.Write(file), file.Close())
}

// trueDate is a cell with a date number; a zero time is an empty cell.
func (f *sheetFile) trueDate(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return excelize.Cell{StyleID: f.date, Value: float64(t.Unix()+25569*86400) / 86400}
}

// stamp is a time as most platforms write it; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04:05")
}

// looseStamp is a time as people write it: 2026/4/5 9:2:9.
func looseStamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006/1/2 15:4:5")
}

func yes(is bool) string {
	if is {
		return "是"
	}
	return "否"
}

// wide writes digits in full width, as some input methods do.
func wide(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '０'
		}
		return r
	}, text)
}
