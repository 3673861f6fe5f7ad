package reports

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// book writes the workbook: a first page, the charts with their figures, then
// the sections of the page, a sheet each.
type book struct {
	*bulletin
	file    *excelize.File
	styles  map[cellStyle]int
	figures figures          // where the charts find their numbers
	places  map[string]table // and the sections of theirs, by their ids
}

func (m *bulletin) book() (*excelize.File, error) {
	b := &book{bulletin: m, file: excelize.NewFile(), styles: map[cellStyle]int{}, places: map[string]table{}}
	if err := b.write(); err != nil {
		return nil, errors.Join(err, b.file.Close())
	}
	return b.file, nil
}

func (b *book) write() error {
	first := b.sheetName("summary")
	if err := errors.Join(b.file.SetDefaultFont(bookSans), b.file.SetSheetName("Sheet1", first)); err != nil {
		return err
	}
	// The sheets stand in the order in which they are read; they are
	// written in another order, because charts point to what is written.
	names := []string{b.sheetName("charts")}
	for _, s := range b.Sheets {
		names = append(names, b.sheetName(s.ID))
	}
	for _, name := range append(names, b.sheetName("figures")) {
		if _, err := b.file.NewSheet(name); err != nil {
			return err
		}
	}
	if err := b.writeFigures(b.sheetName("figures")); err != nil {
		return fmt.Errorf("sheet %s: %w", b.sheetName("figures"), err)
	}
	for _, s := range b.Sheets {
		if err := b.writeSheet(b.sheetName(s.ID), s); err != nil {
			return fmt.Errorf("sheet %s: %w", b.sheetName(s.ID), err)
		}
	}
	if err := b.writeFirst(first); err != nil {
		return fmt.Errorf("sheet %s: %w", first, err)
	}
	if err := b.writeCharts(b.sheetName("charts")); err != nil {
		return fmt.Errorf("sheet %s: %w", b.sheetName("charts"), err)
	}
	b.file.SetActiveSheet(0)
	return b.properties()
}

// sheetName is the name of a sheet in the locale's words.
func (b *book) sheetName(id string) string { return b.words.Sheets[id] }

// properties are what a file manager shows. Their time is the month's end, so
// that the same month gives the same file.
func (b *book) properties() error {
	moment := b.Month.Next().First().Format("2006-01-02T15:04:05Z")
	return b.file.SetDocProps(&excelize.DocProperties{
		Title: b.text("title"), Subject: b.text("issue") + " · " + b.state(), Creator: b.text("office"), LastModifiedBy: b.text("office"),
		Description: b.text("foot"), Version: fmt.Sprint(b.Options.Version), Language: "zh-CN", Created: moment, Modified: moment,
	})
}

// communities are those that the edition names: in a unit's only its own.
func (b *book) communities() []row {
	return b.rows(section{Table: "community", Own: "name"})
}

// value is what a cell of a section holds: numbers as numbers, days as days,
// everything else in the words of the page; and how it looks.
func (b *book) value(c column, one row) (any, cellStyle, error) {
	raw, look := one.get(c.Key), b.cellStyleOf(c.Kind)
	switch {
	case raw == "":
		look.Format, look.Wrap = "@", true
		return show(raw, c.Kind, b.words, one), look.muted(), nil
	case c.Kind == date || c.Kind == month:
		day, err := time.Parse(time.DateOnly, raw[:min(len(raw), len(time.DateOnly))])
		if err != nil {
			return nil, look, fmt.Errorf("column %s: %q is no day", c.Key, raw)
		}
		return serial(day), look, nil
	case !isNumber(c.Kind):
		return show(raw, c.Kind, b.words, one), look, nil
	}
	number, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return nil, look, fmt.Errorf("column %s: %q is no number", c.Key, raw)
	}
	if c.Kind == rank && one.get("is_tied") == "true" {
		look.Format = fmt.Sprintf(`0" %s"`, b.words.Text["tied"])
	}
	if c.Key == "total" && one.get("is_provisional") == "true" {
		look.Format = fmt.Sprintf(`"%s "0.00`, b.words.Text["provisional"])
	}
	if isSmall(one) && !c.Heat {
		look.Color = mutedColor
	}
	return number, look, nil
}

// isSmall says whether a row's points stand on too few cases of its own month.
func isSmall(one row) bool { return slices.Contains([]string{"pooled", "no_sample"}, one.get("state")) }

// serial is a day as workbooks count it.
func serial(day time.Time) int {
	return int(day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24)
}
