package warehouse

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"tongbao"
)

// Case is one SQL case: words, input tables as CSV, wanted rows as CSV.
type Case struct {
	Path   string
	Query  Query
	Month  tongbao.Month
	Inputs []txtar.File // input/<schema>.<table>.csv
	Want   string       // want.csv
}

// caseMonth is the $month of a case that names none.
var caseMonth = tongbao.NewMonth(2026, 10)

// ReadCases finds testdata/<layer>/<table>/*.txtar for the queries, and names
// the queries that have none.
func ReadCases(files fs.FS, queries []Query) (cases []Case, without []string, err error) {
	for _, q := range queries {
		paths, err := fs.Glob(files, path.Join("testdata", q.Layer, q.Name, "*.txtar"))
		if err != nil {
			return nil, nil, err
		}
		if len(paths) == 0 {
			without = append(without, q.Path)
		}
		for _, p := range paths {
			one, err := readCase(files, p, q)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p, err)
			}
			cases = append(cases, one)
		}
	}
	return cases, without, nil
}

func readCase(files fs.FS, p string, q Query) (Case, error) {
	text, err := fs.ReadFile(files, p)
	if err != nil {
		return Case{}, err
	}
	archive := txtar.Parse(text)
	one := Case{Path: p, Query: q, Month: caseMonth}
	for line := range strings.Lines(string(archive.Comment)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), "month:"); found {
			if one.Month, err = tongbao.ParseMonth(strings.TrimSpace(value)); err != nil {
				return Case{}, err
			}
		}
	}
	for _, file := range archive.Files {
		switch {
		case file.Name == "want.csv":
			one.Want = string(file.Data)
		case strings.HasPrefix(file.Name, "input/") && strings.HasSuffix(file.Name, ".csv"):
			one.Inputs = append(one.Inputs, file)
		default:
			return Case{}, fmt.Errorf("file %q: want want.csv or input/<schema>.<table>.csv", file.Name)
		}
	}
	if one.Want == "" {
		return Case{}, errors.New("has no want.csv")
	}
	return one, nil
}

// RunCase fills the inputs into empty tables, runs the query and returns what
// came out as CSV with the columns of the case's want.csv. Nothing stays.
func (db *DB) RunCase(ctx context.Context, c Case) (got string, err error) {
	done := errors.New("roll back")
	err = db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		for _, input := range c.Inputs {
			if err := fillTable(ctx, tx, input); err != nil {
				return fmt.Errorf("%s: %w", input.Name, err)
			}
		}
		wanted, _, _ := strings.Cut(c.Want, "\n")
		columns := strings.Split(strings.TrimSpace(wanted), ",")
		if _, err := tx.Exec(ctx, "create temp table case_answer as\n"+c.Query.Select(c.Month)); err != nil {
			return err
		}
		order := "rowid"
		if !strings.Contains(c.Query.SQL, "order by") {
			order = "all"
		}
		quoted := `"` + strings.Join(columns, `", "`) + `"`
		if order == "rowid" {
			// The answer keeps the order of the query's own "order by".
			quoted += " from case_answer order by rowid"
		} else {
			quoted += " from case_answer order by all"
		}
		rows, err := textRows(ctx, tx.conn, "select "+quoted)
		if err != nil {
			return err
		}
		got = formatCSV(columns, rows.Cells)
		return done
	})
	if errors.Is(err, done) {
		err = nil
	}
	return got, err
}

// fillTable inserts the CSV as text; the engine casts it to the columns' types.
func fillTable(ctx context.Context, tx *Tx, input txtar.File) error {
	records, err := csv.NewReader(strings.NewReader(string(input.Data))).ReadAll()
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return errors.New("has no header row")
	}
	table := strings.TrimSuffix(path.Base(input.Name), ".csv")
	marks := strings.Repeat(", ?", len(records[0]))[2:]
	statement := fmt.Sprintf("insert into %s (\"%s\") values (%s)", quoteTable(table), strings.Join(records[0], `", "`), marks)
	for _, record := range records[1:] {
		values := make([]any, len(record))
		for i, value := range record {
			if value != "" && value != "NULL" {
				values[i] = value
			}
		}
		if _, err := tx.Exec(ctx, statement, values...); err != nil {
			return err
		}
	}
	return nil
}

func formatCSV(columns []string, cells [][]sql.NullString) string {
	var text strings.Builder
	writer := csv.NewWriter(&text)
	writer.Write(columns)
	for _, row := range cells {
		record := make([]string, len(row))
		for i, cell := range row {
			record[i] = cell.String
		}
		writer.Write(record)
	}
	writer.Flush()
	return text.String()
}

// SameCSV compares two CSV texts cell by cell; "NULL" and an empty cell mean
// the same.
func SameCSV(a, b string) bool {
	left, errLeft := csv.NewReader(strings.NewReader(a)).ReadAll()
	right, errRight := csv.NewReader(strings.NewReader(b)).ReadAll()
	if errLeft != nil || errRight != nil || len(left) != len(right) {
		return false
	}
	for i := range left {
		same := slices.EqualFunc(left[i], right[i], func(x, y string) bool {
			return x == y || x == "" && y == "NULL" || x == "NULL" && y == ""
		})
		if !same {
			return false
		}
	}
	return true
}

// RewriteCase returns the case's text with another want.csv.
func RewriteCase(text []byte, want string) []byte {
	archive := txtar.Parse(text)
	for i := range archive.Files {
		if archive.Files[i].Name == "want.csv" {
			archive.Files[i].Data = []byte(want)
		}
	}
	return txtar.Format(archive)
}
