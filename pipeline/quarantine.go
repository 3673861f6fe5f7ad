package pipeline

import (
	"context"

	"tongbao/etl"
	"tongbao/warehouse"
)

// Quarantine lists the rows of a choice that could not be taken in, or counts
// them by source, reason and state. state "" is those that still wait, "all"
// every row that ever waited.
func (h *House) Quarantine(ctx context.Context, w etl.Waiting, state string, counts bool) (warehouse.Rows, error) {
	if state == "" {
		state = "open"
	}
	from := "from core.quarantine as quarantine where " + w.Where()
	if state != "all" {
		from += " and quarantine.state = " + quote(state)
	}
	if counts {
		return h.db.Rows(ctx, "select source, reason, state, count(*) as rows "+from+" group by all order by all")
	}
	return h.db.Rows(ctx, `select file, sheet, row_no as row, column_name as "column", value, reason, detail,
		state, closed_at, closed_by, note `+from+` order by file, sheet, row_no, column_name`)
}

// ExportQuarantine writes the waiting rows of a choice into a workbook.
func (h *House) ExportQuarantine(ctx context.Context, w etl.Waiting, path string, words func(string) string) (int, error) {
	intake, err := h.intake(ctx)
	if err != nil {
		return 0, err
	}
	return etl.Export(ctx, h.db, intake, w, path, words)
}

// ImportFixes takes a corrected workbook in.
func (h *House) ImportFixes(ctx context.Context, path string) (etl.Report, error) {
	intake, err := h.intake(ctx)
	if err != nil {
		return etl.Report{}, err
	}
	return etl.Import(ctx, h.db, intake, path)
}

// Replay takes the waiting rows of a choice by the present definitions and
// seeds.
func (h *House) Replay(ctx context.Context, w etl.Waiting, by string) (etl.Report, error) {
	intake, err := h.intake(ctx)
	if err != nil {
		return etl.Report{}, err
	}
	return etl.Replay(ctx, h.db, intake, w, h.Now(), by)
}

// Dismiss closes the waiting rows of a choice for good.
func (h *House) Dismiss(ctx context.Context, w etl.Waiting, by, why string) (int, error) {
	intake, err := h.intake(ctx)
	if err != nil {
		return 0, err
	}
	return etl.Dismiss(ctx, h.db, intake, w, h.Now(), by, why)
}

// Aliases lists the spellings of a grid, of all with grid "".
func (h *House) Aliases(ctx context.Context, grid string) (warehouse.Rows, error) {
	if err := h.seed(ctx); err != nil {
		return warehouse.Rows{}, err
	}
	return h.db.Rows(ctx, `select alias.alias as spelling, alias.grid_id, max(grid.name) as name, alias.valid_from, alias.valid_to
		from seed.grid_alias as alias left join seed.grid as grid using (grid_id)
		where `+quote(grid)+` in ('', alias.grid_id, grid.name)
			or alias.grid_id in (select grid_id from seed.grid_alias where alias = `+quote(grid)+`)
		group by alias.alias, alias.grid_id, alias.valid_from, alias.valid_to
		order by alias.grid_id, alias.alias, alias.valid_from`)
}

// Unmatched lists the names that stand for no grid, with the nearest known
// spellings; a person accepts one with AddAlias.
func (h *House) Unmatched(ctx context.Context) (warehouse.Rows, error) {
	return h.db.Rows(ctx, `select quarantine.value as spelling, count(*) as rows, string_agg(distinct quarantine.source, ', ') as sources,
			min(load.delivered_at)::date as first_delivered, max(quarantine.detail) as nearest
		from core.quarantine as quarantine inner join core.load as load using (load_id)
		where quarantine.reason = 'unknown_grid' and quarantine.state = 'open'
		group by quarantine.value order by rows desc, spelling`)
}

// AddAlias writes a spelling into the workspace's seeds.
func (h *House) AddAlias(ctx context.Context, alias etl.Alias) ([]string, error) {
	db, err := warehouse.Open(ctx, "", h.engine())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	row, err := etl.AddAlias(ctx, db, h.seedsDir(), alias)
	if err != nil {
		return nil, &Problem{err}
	}
	return row, nil
}
