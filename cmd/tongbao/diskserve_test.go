package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tongbao/register"
	"tongbao/warehouse"
)

// TestCheckpointOnFullDisk: after a checkpoint that failed the engine refuses
// everything, also with space again; opened again, it has what was committed.
func TestCheckpointOnFullDisk(t *testing.T) {
	t.Parallel()
	disk, _ := smallDisk(t, 24)
	ctx := context.Background()
	db, err := warehouse.Open(ctx, filepath.Join(disk, "work.duckdb"), warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write := func(statement string) error {
		return db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		})
	}
	if err := write("create table fact as select range as id, md5(range::varchar) as text from range(50000)"); err != nil {
		t.Fatal(err)
	}
	if err := write("update fact set text = text || 'x'"); err != nil {
		t.Fatal(err)
	}
	free := fill(t, disk)
	if _, err := db.SQL().ExecContext(ctx, "checkpoint"); err == nil {
		t.Fatal("the checkpoint found space; the test has to be made harder")
	}
	free()
	if err := db.Answers(ctx); err == nil {
		t.Fatal("the engine goes on by itself; Revive is not needed any more")
	}
	if err := db.Revive(ctx); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, db, "select count(*), count(*) filter (text like '%x') from fact"); got[0][0] != "50000" || got[0][1] != "50000" {
		t.Errorf("got %q", got)
	}
	if err := write("delete from fact where id < 10"); err != nil {
		t.Error(err)
	}
}

// fill takes all space of a disk; the function that it returns gives it back.
func fill(t *testing.T, disk string) (free func()) {
	t.Helper()
	name := filepath.Join(disk, "filler")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := bytes.Repeat([]byte("full"), 1<<18); len(block) > 0; {
		if _, err := file.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	return func() {
		t.Helper()
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// TestServingOnFullDisk: the disk fills up while the service works. It stays
// alive, its log and /readyz say so, and with space again it repairs what
// failed, by itself.
func TestServingOnFullDisk(t *testing.T) {
	t.Parallel()
	disk, _ := smallDisk(t, 400)
	town := filepath.Join(disk, "town")
	calm := sharedDemo(t, 1, published)
	if err := os.CopyFS(town, os.DirFS(sharedDemo(t, 1, delivered))); err != nil {
		t.Fatal(err)
	}
	setJobs(t, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull, run]}\n")
	child, log := serving(t, []string{fmt.Sprintf("TEST_CLOCK=%d %d 60", testNow.Unix(), time.Now().UnixNano())}, "serve", "-w", town)
	base := watchedAt(t, log)
	filled, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(filled)
		fillWhile(t, disk, appears(disk, "town/data/raw/*/*.csv"), over)
	}()
	await(t, log, "a run fails and says why", func() bool { return strings.Contains(log.String(), "free some space") })
	await(t, log, "not ready", func() bool {
		code, said := readyz(t, base)
		return code == 503 && strings.Contains(said, "nearly full")
	})
	if code, _, stderr := command(t, "status", "--jobs", "-w", town); code != exitDone || !strings.Contains(stderr, fmt.Sprint("the service runs as process ", child.Process.Pid)) {
		t.Errorf("the service does not answer: exit %d\n%s\n%s", code, stderr, log)
	}
	close(over)
	<-filled
	os.Remove(filepath.Join(disk, "filler"))
	await(t, log, "ready again", func() bool { code, _ := readyz(t, base); return code == 200 })
	waitFor(t, town, "a run is done", func(runs []register.Run) bool { return find(runs, register.Done) != nil })
	stopService(t, child)
	for _, word := range []string{"goroutine ", "panic"} {
		if strings.Contains(log.String(), word) {
			t.Errorf("a stack:\n%s", log)
		}
	}
	holdWhole(t, town, calm)
	if failed := find(history(t, town), register.Failed); failed == nil || !strings.Contains(failed.Error, "free some space") {
		t.Errorf("the history does not say what happened: %+v", failed)
	}
}

var watchedPattern = regexp.MustCompile(`msg="the service is watched" listen=(\S+)`)

// watchedAt waits for the address at which a service is watched.
func watchedAt(t *testing.T, log *heard) (base string) {
	t.Helper()
	await(t, log, "watched", func() bool {
		match := watchedPattern.FindStringSubmatch(log.String())
		if match != nil {
			base = "http://" + match[1]
		}
		return match != nil
	})
	return base
}

func await(t *testing.T, log *heard, what string, is func() bool) {
	t.Helper()
	for range 1200 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("waited in vain: %s\n%s", what, log)
}

func readyz(t *testing.T, base string) (int, string) {
	t.Helper()
	response, err := http.Get(base + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
