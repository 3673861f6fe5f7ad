package pipeline

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Hold takes a name among all processes of the service and returns what gives
// it back; nil if somebody has it. The kernel gives back what a process held
// that died. The files stay: one that is removed could be locked twice.
func (w Workspace) Hold(name string) (free func(), err error) {
	if err := os.MkdirAll(w.socketDir(), 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(w.socketDir(), "hold-"+name))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	if !taken {
		return nil, lock.Close()
	}
	return func() { _ = lock.Unlock() }, nil // closing the file frees it in any case
}
