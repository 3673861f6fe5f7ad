package warehouse

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var failpointHits atomic.Int64

// Failpoint kills the process without warning, as a power cut would, when the
// environment says FAILPOINT=name or FAILPOINT=name:n for its n-th pass. The
// fault tests use it; without the variable it does nothing.
func Failpoint(name string) {
	want := os.Getenv("FAILPOINT")
	if want == "" {
		return
	}
	wantName, nth, _ := strings.Cut(want, ":")
	if wantName != name {
		return
	}
	n, err := strconv.ParseInt(nth, 10, 64)
	if err != nil {
		n = 1
	}
	if failpointHits.Add(1) == n {
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Signal(syscall.SIGKILL)
		select {} // the signal is on its way
	}
}
