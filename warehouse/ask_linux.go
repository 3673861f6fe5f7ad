package warehouse

import (
	"os/exec"
	"syscall"
)

// isolate puts the child into a group of its own that dies with us, so that
// nothing of it stays.
func isolate(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	child.Cancel = func() error { return syscall.Kill(-child.Process.Pid, syscall.SIGKILL) }
}

// confine sets the limits of this process, the answering one, for good: no
// file may grow, no core is written, memory and CPU time end. It also stands
// behind everybody else for the processor.
func confine(limits Limits) error {
	for _, limit := range []struct {
		what int
		most uint64
	}{
		{syscall.RLIMIT_AS, limits.Space},
		{syscall.RLIMIT_CPU, uint64(limits.CPU.Seconds())},
		{syscall.RLIMIT_FSIZE, 0},
		{syscall.RLIMIT_CORE, 0},
	} {
		if err := syscall.Setrlimit(limit.what, &syscall.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return err
		}
	}
	return syscall.Setpriority(syscall.PRIO_PROCESS, 0, 10)
}
