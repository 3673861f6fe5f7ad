package web

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao/register"
	"tongbao/warehouse"
)

// maxRecords is how many records a page lists; whoever needs all asks with SQL.
const maxRecords = 1000

// among narrows records: a row's column is one of the values.
type among struct {
	Column string
	Values []string
}

func (a among) not(r row) bool { return !slices.Contains(a.Values, r.Get(a.Column)) }

func (a among) sql() string {
	var quoted []string
	for _, value := range a.Values {
		quoted = append(quoted, "'"+strings.ReplaceAll(value, "'", "''")+"'")
	}
	return fmt.Sprintf("%s in (%s)", a.Column, strings.Join(quoted, ", "))
}

// selectFrom are the rows of a bulletin table of the version's month as a
// statement.
func selectFrom(of *version, table, columns string, by []among) string {
	text := fmt.Sprintf("select %s from bulletin.%s where month = date '%s'", columns, table, of.Month.First().Format(time.DateOnly))
	for _, one := range by {
		text += " and " + one.sql()
	}
	return text
}

// opened says which figures of an indicator open to the records that they
// count: work against a plan has records of what was done, a density none of
// its households.
type opened struct{ Numerator, Denominator bool }

// readOpened reads that of the file that has the records.
func (of *version) readOpened(ctx context.Context, db *warehouse.DB) error {
	rows, err := db.Rows(ctx, selectFrom(of, "counted_record", "indicator, bool_or(is_base) as is_base", nil)+" group by indicator")
	if err != nil {
		return fmt.Errorf("bulletin.counted_record: %w", err)
	}
	of.opened = map[string]opened{}
	for _, cells := range rows.Cells {
		of.opened[cells[0].String] = opened{Numerator: true, Denominator: cells[1].String == "true"}
	}
	return nil
}

// toCounted gives a figure the address of the records that it counts, where it
// has some and the reader may see them. One that is pooled over months has those
// of its own month under another name (own_…).
func (v *visit) toCounted(of *version, key string, code func(row) string) func(row) string {
	return func(r row) string {
		opens, found := of.opened[r.Get("indicator")]
		isOwnLine := v.account.Role != register.RoleLine || r.Get("line") == v.account.Line
		isPooled := r.Get("state") == "pooled" && !strings.HasPrefix(key, "own_")
		if !found || !v.may(register.DoorRecords) || !isOwnLine || isPooled || strings.HasSuffix(key, "denominator") && !opens.Denominator {
			return ""
		}
		return v.to("/records?grid=%s&indicator=%s&counted=1", code(r), r.Get("indicator"))
	}
}

// countedRecords are what numbers count, as many as a page lists, and figures of
// all.
type countedRecords struct {
	Rows               []row
	Count, Lost, Basis int
}

// counted reads the counted records that the reader may see. They are too many
// to be held with the version's other tables.
func (v *visit) counted(of *version, by []among) (countedRecords, error) {
	const table = "counted_record"
	view, found := register.Views(v.account)[table]
	if !found {
		return countedRecords{}, nil
	}
	if view.Own != "" {
		by = append(by, among{view.Own, []string{v.community(of)}})
	}
	if view.Line != "" {
		by = append(by, among{view.Line, []string{v.account.Line}})
	}
	ctx := v.r.Context()
	db, err := warehouse.Open(ctx, filepath.Join(of.dir, "records.duckdb"), warehouse.Options{ReadOnly: true})
	if err != nil {
		return countedRecords{}, err
	}
	defer db.Close()
	sums, err := db.Rows(ctx, selectFrom(of, table, "count(*), count(*) filter (is_against), coalesce(sum(weight) filter (is_base or kind = 'activity'), 0)", by))
	if err != nil {
		return countedRecords{}, fmt.Errorf("bulletin.%s: %w", table, err)
	}
	var counted countedRecords
	for i, into := range []*int{&counted.Count, &counted.Lost, &counted.Basis} {
		if *into, err = strconv.Atoi(sums.Cells[0][i].String); err != nil {
			return counted, err
		}
	}
	listed, err := db.Rows(ctx, fmt.Sprintf("%s order by is_against desc, community_id, indicator, grid_id, day, source, record limit %d", selectFrom(of, table, "*", by), maxRecords))
	if err != nil {
		return counted, fmt.Errorf("bulletin.%s: %w", table, err)
	}
	t := newTable(listed)
	for _, cells := range t.cells {
		counted.Rows = append(counted.Rows, row{t, cells, view.Without})
	}
	return counted, nil
}
