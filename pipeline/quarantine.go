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

// Aliases lists the spellings of a grid, of all with grid "", by the seeds as
// they stand; whoever works in the workspace is not in the way.
func (w Workspace) Aliases(ctx context.Context, grid string) (warehouse.Rows, error) {
	db, err := warehouse.Open(ctx, "", w.engine())
	if err != nil {
		return warehouse.Rows{}, err
	}
	defer db.Close()
	if err := w.loadSeeds(ctx, db); err != nil {
		return warehouse.Rows{}, err
	}
	return db.Rows(ctx, `select alias.alias as spelling, alias.grid_id, max(grid.name) as name, alias.valid_from, alias.valid_to
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
