package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
)

// sharedDesk is a desk of the service: its bounds hold for the portal and the
// PostgreSQL door together, though each is a process of its own.
func sharedDesk(w pipeline.Workspace, reg *register.Register) *warehouse.Desk {
	desk := newDesk(reg)
	desk.Hold = w.Hold
	return desk
}

// newDesk lets questions in for a door, and writes each into the audit log:
// before it is run, so that none runs unseen, and how it ended.
func newDesk(reg *register.Register) *warehouse.Desk {
	return warehouse.NewDesk(func(ctx context.Context, asked warehouse.Asked) error {
		entry := register.AuditEntry{At: asked.Began, Account: asked.Account, From: asked.From, Act: register.ActQuery, Object: asked.Door}
		sum := sha256.Sum256([]byte(asked.SQL))
		entry.Detail = map[string]any{"sha256": hex.EncodeToString(sum[:8])}
		if asked.End.IsZero() {
			entry.Detail["sql"] = asked.SQL
			if len(asked.Params) > 0 {
				params := map[string]string{}
				for _, param := range asked.Params {
					params[param.Name] = param.Value
				}
				entry.Detail["params"] = params
			}
			if asked.Form != warehouse.Table {
				entry.Detail["form"] = string(asked.Form)
			}
			return reg.Audit(ctx, entry)
		}
		entry.At, entry.Act = asked.End, register.ActQueryEnded
		entry.Detail["ms"], entry.Detail["rows"], entry.Detail["bytes"] = asked.Summary.Took.Milliseconds(), asked.Summary.Rows, asked.Summary.Bytes
		if asked.Err != nil {
			entry.Detail["outcome"], entry.Detail["rule"] = string(asked.Err.Kind), asked.Err.Code
		}
		return reg.Audit(ctx, entry)
	})
}
