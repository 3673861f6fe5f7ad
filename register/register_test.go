package register

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"tongbao"
)

func TestRegister(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "register.db")
	now := time.Date(2026, 11, 4, 9, 0, 0, 0, time.UTC)
	month := tongbao.NewMonth(2026, 10)

	reg, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	salt, err := reg.Salt(ctx)
	if err != nil || len(salt) != 64 {
		t.Fatalf("salt %q, %v", salt, err)
	}
	for _, state := range []State{Provisional, Locked} {
		if err := reg.SetState(ctx, month, state, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := reg.SetState(ctx, month, Provisional, now); !errors.Is(err, ErrLocked) {
		t.Errorf("a locked month was opened: %v", err)
	}
	reg.Close()

	reg, err = Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	if again, err := reg.Salt(ctx); err != nil || again != salt {
		t.Errorf("the salt changed on opening again: %v", err)
	}
	if err := reg.SetSalt(ctx, "other"); err == nil {
		t.Error("the salt could be replaced")
	}
	periods, err := reg.Periods(ctx)
	if err != nil || len(periods) != 1 || periods[0] != (Period{month, Locked}) {
		t.Errorf("got periods %v, %v", periods, err)
	}
}
