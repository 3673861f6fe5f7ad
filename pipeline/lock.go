package pipeline

import (
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/gofrs/flock"
)

// holder is what the lock file says of the process that works here.
type holder struct {
	PID       int       `json:"pid"`
	User      string    `json:"user"`
	Since     time.Time `json:"since"`
	IsService bool      `json:"is_service"` // it answers on the workspace's socket
}

// InUseError says who works in the workspace.
type InUseError struct {
	Dir string
	holder
}

func (e *InUseError) Error() string {
	who, do := "process", "wait for it or stop it"
	if e.IsService {
		who, do = "the service, process", "stop it first"
	}
	return fmt.Sprintf("workspace %s is in use by %s %d%s since %s; %s",
		e.Dir, who, e.PID, prefixed(" of ", e.User), e.Since.Format("2006-01-02 15:04:05"), do)
}

func (h *House) takeLock() error {
	file := h.path(".lock")
	h.lock = flock.New(file)
	taken, err := h.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock %s: %w", file, err)
	}
	if !taken {
		inUse := &InUseError{Dir: h.Dir}
		content, _ := os.ReadFile(file + ".json")
		_ = json.Unmarshal(content, &inUse.holder)
		h.lock = nil
		return inUse
	}
	return h.signLock(false)
}

// signLock writes who holds the lock, for the message that others get.
func (h *House) signLock(isService bool) error {
	me := holder{PID: os.Getpid(), Since: h.Now(), IsService: isService}
	if who, err := user.Current(); err == nil {
		me.User = who.Username
	}
	return writeJSON(h.path(".lock.json"), me)
}
