package warehouse

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"tongbao"
)

// Finding is what one check found wrong in a month: offenders, not a verdict
// in words. A finding of severity "error" stops publishing.
type Finding struct {
	Check    string // file name without .sql
	Title    string
	Severity string // error | warn
	Rows     int    // offenders in all
	Samples  []string
}

// maxSamples bounds the offenders that a message names.
const maxSamples = 5

// RunChecks runs the queries of checks/ for a month; each returns offenders.
func (db *DB) RunChecks(ctx context.Context, files fs.FS, month tongbao.Month) ([]Finding, error) {
	paths, err := fs.Glob(files, "checks/*.sql")
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, p := range paths {
		text, err := fs.ReadFile(files, p)
		if err != nil {
			return nil, err
		}
		header := readHeader(string(text))
		severity := header["severity"]
		if header["title"] == "" || severity != "error" && severity != "warn" {
			return nil, fmt.Errorf("%s: header needs \"-- title:\" and \"-- severity: error\" or \"warn\"", p)
		}
		check := Query{SQL: trimStatement(string(text))}
		rows, err := db.Rows(ctx, check.Select(month))
		if err != nil {
			return nil, fmt.Errorf("%s for %s: %w", p, month, err)
		}
		if len(rows.Cells) == 0 {
			continue
		}
		finding := Finding{
			Check: strings.TrimSuffix(path.Base(p), ".sql"), Title: header["title"],
			Severity: severity, Rows: len(rows.Cells),
		}
		for _, row := range rows.Cells[:min(maxSamples, len(rows.Cells))] {
			var parts []string
			for i, cell := range row {
				parts = append(parts, rows.Columns[i]+"="+cell.String)
			}
			finding.Samples = append(finding.Samples, strings.Join(parts, " "))
		}
		findings = append(findings, finding)
	}
	return findings, nil
}
