package register

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestSavedQueries: a title is its owner's once, others may not remove it, and
// every act is in the audit log.
func TestSavedQueries(t *testing.T) {
	ctx := context.Background()
	r, _ := openTest(t)
	addTest(t, r, Account{Name: "stat", Display: "统计员", Role: RoleStatistician})
	addTest(t, r, Account{Name: "other", Role: RoleTaskforce})
	own, other := By{Account: "stat", At: testBy.At}, By{Account: "other", At: testBy.At}
	first, err := r.SaveQuery(ctx, own, " 排名  前三 ", "select 1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.SaveQuery(ctx, own, "排名 前三", "select 2")
	if err != nil || again != first {
		t.Errorf("saving again gave %d, %v; want %d replaced", again, err, first)
	}
	if _, err := r.SaveQuery(ctx, other, "排名 前三", "select 3"); err != nil {
		t.Error(err)
	}
	for _, bad := range [][2]string{{"", "select 1"}, {"x", "  "}, {strings.Repeat("长", MaxSavedTitle+1), "select 1"}, {"x", strings.Repeat(" x", 40<<10)}} {
		if _, err := r.SaveQuery(ctx, own, bad[0], bad[1]); !errors.Is(err, ErrSavedTitle) {
			t.Errorf("%.20q: %v", bad[0], err)
		}
	}
	if err := r.RemoveQuery(ctx, other, first); !errors.Is(err, ErrNoSavedQuery) {
		t.Errorf("another account removes it: %v", err)
	}
	saved, err := r.SavedQueries(ctx)
	if err != nil || len(saved) != 2 {
		t.Fatalf("%v, %v", saved, err)
	}
	if own := saved[1]; own.SQL != "select 2" || own.OwnerShown != "统计员" || own.Title != "排名 前三" {
		t.Errorf("%+v", own)
	}
	if err := r.RemoveQuery(ctx, own, first); err != nil {
		t.Error(err)
	}
	acts := map[string]int{}
	if err := r.EachAudit(ctx, AuditFilter{}, func(e AuditEntry) error { acts[e.Act]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if acts[ActQuerySaved] != 3 || acts[ActQueryRemoved] != 1 {
		t.Errorf("audited %v", acts)
	}
}
