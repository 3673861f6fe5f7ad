package warehouse

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"tongbao"
)

func TestSnapshotVerifyAndDigest(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db, err := Open(ctx, filepath.Join(dir, "work.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	month := tongbao.NewMonth(2026, 10)
	err = db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Exec(ctx, "create table score.total as select date '2026-10-01' as month, i as grid_id from range(3) as r(i)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before, err := db.Digest(ctx, []string{"score.total"}, month)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "published.duckdb")
	copies := []Copy{{"score.total", "select * from score.total"}, {"core.load", "select * from core.load"}}
	if err := db.Snapshot(ctx, path, copies); err != nil {
		t.Fatal(err)
	}
	if err := db.Snapshot(ctx, path, copies); err == nil {
		t.Error("a second snapshot took the name of the first")
	}
	if err := Verify(ctx, path); err != nil {
		t.Errorf("verify: %v", err)
	}
	err = db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Exec(ctx, "update score.total set grid_id = 9 where grid_id = 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := db.Digest(ctx, []string{"score.total"}, month)
	if err != nil {
		t.Fatal(err)
	}
	if before == after {
		t.Error("the digest did not change with the data")
	}
	broken := filepath.Join(dir, "broken.duckdb")
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 12288; i < len(bytes); i += 97 {
		bytes[i] ^= 0xff
	}
	if err := os.WriteFile(broken, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Verify(ctx, broken); err == nil {
		t.Error("verify accepted a damaged file")
	}
}

// TestWriteIsWhole holds that a failed statement leaves nothing behind, even
// when the caller forgets its error.
func TestWriteIsWhole(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		_, _ = tx.Exec(ctx, "insert into seed.line values ('law', '政法', 2)")
		_, _ = tx.Exec(ctx, "insert into seed.line values ('law', '政法', 'two')")
		return nil
	})
	if err == nil {
		t.Error("a transaction with a failed statement was committed")
	}
	var rows int
	if err := db.SQL().QueryRow("select count(*) from seed.line").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("got %d rows, %v; want none", rows, err)
	}
}
