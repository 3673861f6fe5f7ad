package etl

import (
	"strings"
	"testing"
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
