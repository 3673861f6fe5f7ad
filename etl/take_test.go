package etl

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSameBytesTwice: of the same bytes the first delivery counts, though the
// newest is taken in first.
func TestSameBytesTwice(t *testing.T) {
	w := newTown(t, plainSource)
	w.put("工单_20261001.csv", "编号,正文\n1,甲\n")
	w.put("工单_20261002.csv", "编号,正文\n1,乙\n")
	w.put("工单_20261003.csv", "编号,正文\n1,甲\n")
	report := w.pull()
	if report.Known != 1 || len(report.Loads) != 2 {
		t.Errorf("%d known, %d loaded; want 1 and 2", report.Known, len(report.Loads))
	}
	w.want("select concat_ws(' ', summary, file, first_delivered_at) from core.ticket", "乙 工单_20261002.csv 2026-10-01 18:00:00")
	if report := w.pull(); report.Known != 3 {
		t.Errorf("pulled again: %d known, want 3", report.Known)
	}
}

// TestThreadsAreShared: several deliveries side by side have one thread each,
// one alone has all, and afterwards every statement has.
func TestThreadsAreShared(t *testing.T) {
	w := newTown(t, plainSource)
	var seen []string
	w.in.Loaded = func(load Load) {
		seen = append(seen, load.File[len(load.File)-6:len(load.File)-4]+" "+w.scalar("select current_setting('threads')"))
	}
	w.put("工单_20261001.csv", "编号,正文\n1,甲\n")
	w.pull()
	w.put("工单_20261002.csv", "编号,正文\n1,乙\n")
	w.put("工单_20261003.csv", "编号,正文\n1,丙\n")
	w.pull()
	if got, want := strings.Join(seen, ", "), "01 2, 03 1, 02 1"; got != want {
		t.Errorf("deliveries and their threads: %s, want %s", got, want)
	}
	w.want("select current_setting('threads')", "2")
}

// TestUnwrittenFileIsKnown: a file that lies as it was written when it landed is
// not read again. One that was written since is, and comes after what it was.
func TestUnwrittenFileIsKnown(t *testing.T) {
	w := newTown(t, plainSource)
	const name = "工单_20261001.csv"
	w.put(name, "编号,正文\n1,甲\n")
	w.pull()
	path := filepath.Join(w.in.Inbox, name)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// No program does this by itself; here it shows that nothing was read.
	w.put(name, "编号,正文\n1,乙\n")
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if report := w.pull(); report.Known != 1 || len(report.Loads) != 0 {
		t.Errorf("as it was written: %d known, %d loaded", report.Known, len(report.Loads))
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if report := w.pull(); report.Known != 0 || len(report.Loads) != 1 {
		t.Errorf("written since: %d known, %d loaded", report.Known, len(report.Loads))
	}
	w.want("select string_agg(summary, ' ') from core.ticket", "乙")
	w.put(name, "编号,正文\n1,丙\n")
	w.pull()
	w.want("select string_agg(summary, ' ') from core.ticket", "丙")
	w.want("select string_agg(delivered_at::time, ' ' order by delivered_at) from core.load", "18:00:00 18:00:01 18:00:02")
	fresh := newTown(t, plainSource)
	if _, err := Rebuild(context.Background(), fresh.db, w.in); err != nil {
		t.Fatal(err)
	}
	fresh.want("select string_agg(summary, ' ') from core.ticket", "丙")
}

// TestTieIsDecided: two contents of one name and day, as an archive brings them
// that is written anew each night, give the same in any order.
func TestTieIsDecided(t *testing.T) {
	first, second := pack(t, "工单_20261001.csv", "编号,正文\n1,甲\n"), pack(t, "工单_20261001.csv", "编号,正文\n1,乙\n")
	var held []string
	for _, order := range [][]string{{first, second}, {second, first}} {
		w := newTown(t, plainSource)
		for _, archive := range order {
			w.put("夜间.zip", archive)
			w.pull()
		}
		held = append(held, w.scalar("select count(*) || ' ' || string_agg(summary, ' ') from core.ticket"))
	}
	if held[0] != held[1] {
		t.Errorf("%q", held)
	}
}
