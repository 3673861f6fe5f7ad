// Package reports draws a built or published month as workbook and page. It
// calculates nothing: it prints bulletin.*.
package reports

import (
	"context"
	"fmt"
	"os"

	"tongbao"
	"tongbao/warehouse"
)

// Options say how a month is drawn.
type Options struct {
	Town    string // heads the bulletin
	Version int    // 0 for a build that was not published
}

// Write draws the month from a built warehouse into the two files. The same
// data give the same page byte for byte, and the same cells of the workbook.
func Write(ctx context.Context, db *warehouse.DB, of tongbao.Month, opt Options, xlsxPath, htmlPath string) error {
	m, err := readMonth(ctx, db, of, opt)
	if err != nil {
		return err
	}
	html, err := m.page()
	if err != nil {
		return fmt.Errorf("draw %s: %w", htmlPath, err)
	}
	if err := os.WriteFile(htmlPath, html, 0o644); err != nil {
		return err
	}
	book, err := m.book()
	if err != nil {
		return fmt.Errorf("draw %s: %w", xlsxPath, err)
	}
	defer book.Close()
	return book.SaveAs(xlsxPath)
}
