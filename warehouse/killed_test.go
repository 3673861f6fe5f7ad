package warehouse

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// killedCommand is the program as TestKilledWithLongWAL starts it: it writes
// loads of killedRows rows until it is killed, and says each that it committed.
const (
	killedCommand = "write until killed"
	killedRows    = 20_000
)

func writeUntilKilled(path string) error {
	ctx := context.Background()
	db, err := Open(ctx, path, Options{})
	for load := 1; err == nil; load++ {
		err = db.Write(ctx, func(ctx context.Context, tx *Tx) error {
			for _, statement := range []string{
				"create table if not exists core.fact as select 0 as load, 0::bigint as row, '' as text limit 0",
				fmt.Sprintf("insert into core.fact select %d, range, sha256(range::varchar || '/%[1]d') from range(%d)", load, killedRows),
				fmt.Sprintf("delete from core.fact where load = %d", load-3),
			} {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			fmt.Println(load)
		}
	}
	return err
}

// TestKilledWithLongWAL kills a writer whose WAL has grown beyond the engine's
// own bound, and once more behind the first fold at ours: what was committed is
// there, whole, and nothing else.
func TestKilledWithLongWAL(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "work.duckdb")
	isLong := func(size, _ int64) bool { return size > 64<<20 }
	isFolded := func(size, longest int64) bool { return longest > 100<<20 && size < longest/2 }
	for name, isTime := range map[string]func(size, longest int64) bool{"long": isLong, "folded": isFolded} {
		path := path + "." + name
		child := exec.Command(self, killedCommand, path)
		child.Stderr = os.Stderr
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
		said, longest := 0, int64(0)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if said, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			size := int64(0)
			if wal, err := os.Stat(path + ".wal"); err == nil {
				size = wal.Size()
			}
			if isTime(size, longest) {
				_ = child.Process.Kill()
			}
			longest = max(longest, size)
		}
		t.Logf("%s: %d loads, the WAL had %d MB", name, said, longest>>20)
		db, err := Open(context.Background(), path, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows, err := db.Rows(context.Background(), "select load, count(*), sum(hash(row, text))::varchar = (select sum(hash(range, sha256(range::varchar || '/' || load)))::varchar from range("+strconv.Itoa(killedRows)+")) from core.fact group by load order by load desc")
		db.Close()
		if err != nil || len(rows.Cells) != 3 {
			t.Fatalf("%s: %d loads are left, %v", name, len(rows.Cells), err)
		}
		for i, row := range rows.Cells {
			last, _ := strconv.Atoi(rows.Cells[0][0].String)
			if want := []string{strconv.Itoa(last - i), strconv.Itoa(killedRows), "true"}; row[0].String != want[0] || row[1].String != want[1] || row[2].String != want[2] {
				t.Errorf("%s: got %v, want %v", name, row, want)
			}
		}
		if last, _ := strconv.Atoi(rows.Cells[0][0].String); last != said && last != said+1 {
			t.Errorf("%s: the last load is %d, and %d was said", name, last, said)
		}
	}
}
