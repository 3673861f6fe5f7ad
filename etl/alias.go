package etl

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tongbao/warehouse"
)

// Alias is a spelling of a grid that a person accepted, for days; zero times
// are the grid's own first and last day.
type Alias struct {
	Spelling string
	Grid     string // its id, its name or another known spelling
	From, To time.Time
}

const aliasFile = "grid_alias.csv"

// AddAlias writes a spelling into the seeds of dir, which keep their order. The
// seeds with it must hold, as LoadSeeds checks them; else nothing is written.
// It returns the row. db is an empty database in memory, to check in.
func AddAlias(ctx context.Context, db *warehouse.DB, dir string, a Alias) ([]string, error) {
	a.Spelling = strings.Trim(a.Spelling, " \t\r\n\u00a0\u3000\ufeff")
	if a.Spelling == "" || strings.ContainsAny(a.Spelling, "\r\n") {
		return nil, fmt.Errorf("spelling %q: want one line of text", a.Spelling)
	}
	check := func(seeds string) error {
		return db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error { return LoadSeeds(ctx, tx, seeds) })
	}
	if err := check(dir); err != nil {
		return nil, err
	}
	records, err := readSeedCSV(filepath.Join(dir, aliasFile), aliasColumns())
	if err != nil {
		return nil, err
	}
	row, err := a.row(ctx, db)
	if err != nil {
		return nil, err
	}
	known, err := db.Rows(ctx, "select alias, grid_id, cast(valid_from as varchar), coalesce(cast(valid_to as varchar), '') from seed.grid_alias where alias = "+literal(a.Spelling))
	if err != nil {
		return nil, err
	}
	isWritten := slices.ContainsFunc(records, func(r []string) bool { return r[0] == a.Spelling })
	for _, cells := range known.Cells {
		from, to := cells[2].String, cells[3].String
		if (row[3] == "" || from <= row[3]) && (to == "" || to >= row[2]) {
			return nil, fmt.Errorf("%q names %s from %s to %s already; choose other days with --from and --to, or change %s",
				a.Spelling, cells[1].String, from, or(to, "further notice"), filepath.Join(dir, aliasFile))
		}
		// A written spelling takes the place of the one that the tree gives.
		if !isWritten {
			records = append(records, []string{a.Spelling, cells[1].String, from, to})
		}
	}
	records = append(records, row)
	slices.SortStableFunc(records, func(a, b []string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[2], b[2])
	})
	var content bytes.Buffer
	if err := csv.NewWriter(&content).WriteAll(append([][]string{aliasColumns()}, records...)); err != nil {
		return nil, err
	}
	trial, err := os.MkdirTemp("", "tongbao-seeds-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(trial)
	trial = filepath.Join(trial, "seeds")
	if err := os.CopyFS(trial, os.DirFS(dir)); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(trial, aliasFile), content.Bytes(), 0o600); err != nil {
		return nil, err
	}
	if err := check(trial); err != nil {
		return nil, err
	}
	return row, writeSeed(filepath.Join(dir, aliasFile), content.Bytes())
}

func aliasColumns() []string {
	at := slices.IndexFunc(seedFiles, func(s seedFile) bool { return s.name+".csv" == aliasFile })
	return seedFiles[at].columns
}

// row is the alias as the seed writes it.
func (a Alias) row(ctx context.Context, db *warehouse.DB) ([]string, error) {
	grids, err := db.Rows(ctx, fmt.Sprintf(`select grid_id, cast(min(valid_from) as varchar),
    case when bool_or(valid_to is null) then '' else cast(max(valid_to) as varchar) end
from seed.grid where grid_id = %[1]s or name = %[1]s or grid_id in (select grid_id from seed.grid_alias where alias = %[1]s)
group by grid_id order by grid_id`, literal(a.Grid)))
	if err != nil {
		return nil, err
	}
	switch len(grids.Cells) {
	case 0:
		return nil, fmt.Errorf("%q is no grid; \"tongbao alias list\" lists the known spellings", a.Grid)
	case 1:
	default:
		var ids []string
		for _, cells := range grids.Cells {
			ids = append(ids, cells[0].String)
		}
		return nil, fmt.Errorf("%q names %d grids: %s; give one of these", a.Grid, len(ids), strings.Join(ids, ", "))
	}
	id, from, to := grids.Cells[0][0].String, grids.Cells[0][1].String, grids.Cells[0][2].String
	first, last := from, to
	if !a.From.IsZero() {
		first = a.From.Format(time.DateOnly)
	}
	if !a.To.IsZero() {
		last = a.To.Format(time.DateOnly)
	}
	if last != "" && last < first || to != "" && first > to || last != "" && last < from {
		return nil, fmt.Errorf("%s to %s: %s is a grid from %s to %s", first, or(last, "further notice"), id, from, or(to, "further notice"))
	}
	return []string{a.Spelling, id, first, last}, nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// writeSeed replaces a seed file, whole or not at all, readable as before.
func writeSeed(path string, content []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := writeSynced(path, bytes.NewReader(content)); err != nil {
		return err
	}
	return os.Chmod(path, info.Mode().Perm())
}
