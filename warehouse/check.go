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

// ReadChecks reads the queries of checks/: their header has a title and a
// severity.
func ReadChecks(files fs.FS) ([]Query, error) {
	checks, err := ReadTitled(files, "checks")
	for _, c := range checks {
		if severity := c.Header["severity"]; severity != "error" && severity != "warn" {
			return nil, fmt.Errorf("%s: header line \"-- severity: %s\": want error or warn", c.Path, severity)
		}
	}
	return checks, err
}

// ReadTitled reads queries that make no table: folders of SELECTs with titles,
// such as saved/ and api/.
func ReadTitled(files fs.FS, folders ...string) ([]Query, error) {
	var titled []Query
	for _, folder := range folders {
		ofFolder, err := readTitled(files, folder)
		if err != nil {
			return nil, err
		}
		titled = append(titled, ofFolder...)
	}
	return titled, nil
}

func readTitled(files fs.FS, folder string) ([]Query, error) {
	paths, err := fs.Glob(files, folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	var titled []Query
	for _, p := range paths {
		text, err := fs.ReadFile(files, p)
		if err != nil {
			return nil, err
		}
		q := Query{
			Layer: folder, Name: strings.TrimSuffix(path.Base(p), ".sql"), Path: p,
			SQL: trimStatement(string(text)), Header: readHeader(string(text)),
		}
		if q.Header["title"] == "" {
			return nil, fmt.Errorf("%s: header needs \"-- title:\"", p)
		}
		if _, err := parse(q.SQL); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		titled = append(titled, q)
	}
	return titled, nil
}

// RunChecks runs the checks for a month; each returns offenders.
func (db *DB) RunChecks(ctx context.Context, files fs.FS, month tongbao.Month) ([]Finding, error) {
	checks, err := ReadChecks(files)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, check := range checks {
		rows, err := db.Rows(ctx, check.Select(month))
		if err != nil {
			return nil, fmt.Errorf("%s for %s: %w", check.Path, month, err)
		}
		if len(rows.Cells) == 0 {
			continue
		}
		finding := Finding{
			Check: check.Name, Title: check.Header["title"],
			Severity: check.Header["severity"], Rows: len(rows.Cells),
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
