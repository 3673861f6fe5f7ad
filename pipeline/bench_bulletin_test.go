package pipeline

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkBulletin draws all editions of a town with 5,000 building grids: the
// seconds and the most memory of the process that does nothing else. The
// program does everything, because a child's peak is at least its parent's.
func BenchmarkBulletin(b *testing.B) {
	program, err := filepath.Abs("../bin/tongbao")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := exec.LookPath(program); err != nil {
		b.Fatal("no bin/tongbao; make build makes it")
	}
	town := filepath.Join(b.TempDir(), "town")
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %v\n%s", args, err, out)
		}
		return cmd
	}
	run("init", "--demo", "--months", "3", "--grids", "5000", town)
	run("run", "-w", town, "--month", benchUntil.String())
	for b.Loop() {
		clock := time.Now()
		drawn := run("report", "-w", town, "--month", benchUntil.String(), "--edition", AllEditions, "--out", b.TempDir())
		seconds := time.Since(clock).Seconds()
		peak := drawn.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
		cpu := drawn.ProcessState.UserTime() + drawn.ProcessState.SystemTime()
		b.ReportMetric(float64(peak), "MB")
		b.Logf("all editions of 5,000 building grids: %.1f s (goal 30), %.1f s of processor, peak memory %d MB (goal 600)", seconds, cpu.Seconds(), peak)
	}
}
