package data

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"tongbao"
)

// hashTree returns the SHA-256 of every file under dir.
func hashTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	hashes := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(os.DirFS(dir), name)
		hashes[name] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hashes
}

func TestDemoIsTheSameEveryTime(t *testing.T) {
	demo := Demo{Months: 9, Until: tongbao.NewMonth(2026, 10), Seed: 7, Grids: 24}
	write := func(seed uint64) map[string]string {
		demo.Dir, demo.Seed = t.TempDir(), seed
		if _, err := WriteDemo(context.Background(), demo); err != nil {
			t.Fatal(err)
		}
		return hashTree(t, demo.Dir)
	}
	first, second, other := write(7), write(7), write(8)
	same := 0
	for name, hash := range first {
		if second[name] != hash {
			t.Errorf("%s: other bytes for the same arguments", name)
		}
		if other[name] == hash {
			same++
		}
	}
	if len(first) < 60 || len(first) != len(second) {
		t.Errorf("got %d and %d files, want the same, 60 or more", len(first), len(second))
	}
	if same > len(first)/4 {
		t.Errorf("%d of %d files are the same for another seed", same, len(first))
	}
}

func TestDemoSize(t *testing.T) {
	truth, err := WriteDemo(context.Background(), Demo{Dir: t.TempDir(), Months: 24, Until: tongbao.NewMonth(2026, 10), Seed: 1, Grids: 147})
	if err != nil {
		t.Fatal(err)
	}
	tickets := truth.Sources["tickets_12345"].Keys + truth.Sources["tickets_platform"].Keys
	if perMonth := tickets / 24; perMonth < 250 || perMonth > 310 {
		t.Errorf("%d tickets a month, want about 280", perMonth)
	}
	if n := truth.Sources["activities"].Keys / 24; n < 3000 {
		t.Errorf("%d activities a month, want several thousand", n)
	}
	reasons := map[string]int{}
	for _, file := range truth.Files {
		for _, bad := range file.Bad {
			reasons[bad.Reason]++
		}
	}
	for _, reason := range []string{"bad_date", "unknown_grid", "missing_value", "impossible_time", "bad_value", "future_time", "ragged_row", "bad_number"} {
		if reasons[reason] == 0 {
			t.Errorf("no row is planted for %s", reason)
		}
	}
	if len(truth.Personal) < 100 {
		t.Errorf("%d planted personal data, want 100 or more", len(truth.Personal))
	}
}
