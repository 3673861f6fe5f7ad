package pipeline

import (
	"context"
	"path/filepath"
	"strings"

	"tongbao"
	"tongbao/warehouse"
)

// Quarantine lists the rows that could not be taken in, or counts them by
// source and reason; source and reason narrow the list, "" does not.
func (h *House) Quarantine(ctx context.Context, source, reason string, counts bool) (warehouse.Rows, error) {
	where := "where ('' = " + quote(source) + " or source = " + quote(source) + ")" +
		" and ('' = " + quote(reason) + " or reason = " + quote(reason) + ")"
	if counts {
		return h.db.Rows(ctx, "select source, reason, count(*) as rows from core.quarantine "+where+
			" group by all order by all")
	}
	return h.db.Rows(ctx, `select file, sheet, row_no as row, column_name as "column", value, reason, detail
		from core.quarantine `+where+` order by file, sheet, row_no, column_name`)
}

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
