package pipeline

import (
	"context"
	"path/filepath"
	"strings"

	"tongbao"
	"tongbao/warehouse"
)

// quote writes a text as an SQL literal.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Status has one row a month: what was taken in for it, and what it became.
func (h *House) Status(ctx context.Context) (warehouse.Rows, error) {
	rows, err := h.db.Rows(ctx, `with loads as (
			select date_trunc('month', earliest_month)::date as month, count(*) as loads,
				sum(rows_in) as rows_in, sum(rows_loaded) as rows_loaded,
				sum(rows_duplicate) as rows_duplicate, sum(rows_quarantined) as rows_quarantined
			from core.load group by all
		), months as (
			select month from meta.built union select month from loads where month is not null
		)
		select strftime(months.month, '%Y-%m') as month, loads.* exclude (month),
			coalesce((select max(rubric_version) from core.month_info as info where info.month = months.month), '') as rubric,
			built.month is not null as computed, '' as published
		from months
		left join loads using (month)
		left join meta.built as built using (month)
		order by months.month`)
	if err != nil {
		return rows, err
	}
	for _, row := range rows.Cells {
		month, err := tongbao.ParseMonth(row[0].String)
		if err != nil {
			return rows, err
		}
		if dir, _, err := h.Current(month); err == nil {
			row[len(row)-1].String = filepath.Base(dir)
		}
	}
	return rows, nil
}
