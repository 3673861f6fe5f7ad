package pipeline

import (
	"context"
	"fmt"

	"tongbao/etl"
	"tongbao/warehouse"
)

// intake gathers what etl needs: the seeds loaded, the source definitions,
// the queries of the core facts, and the salt.
func (h *House) intake(ctx context.Context) (etl.Intake, error) {
	if err := h.loadSeeds(ctx, h.db); err != nil {
		return etl.Intake{}, err
	}
	definitions, err := h.definitions()
	if err != nil {
		return etl.Intake{}, err
	}
	if len(definitions) == 0 {
		return etl.Intake{}, problemf("%s has no source definition", h.sourcesDir())
	}
	salt, err := h.register.Salt(ctx)
	if err != nil {
		return etl.Intake{}, fmt.Errorf("read the salt: %w", err)
	}
	core := map[string]string{}
	for _, q := range h.Queries {
		if q.Build == warehouse.BuildMerge {
			core[q.Name] = q.SQL
		}
	}
	return etl.Intake{
		Inbox: h.inboxDir(), Raw: h.rawDir(), Definitions: definitions, Core: core, Salt: salt, Settle: etl.SettleTime,
		Now:      h.Now,
		Progress: func(done, total int) { h.Progress("take in", done, total) },
	}, nil
}
