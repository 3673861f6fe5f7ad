package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

const defaultKeptBackups = 14

var backupName = regexp.MustCompile(`^tongbao-\d{8}-\d{6}(\.tar\.gz|\.tar\.zst)?$`)

func (b *BackupConfig) check() error {
	setDefault(&b.Keep, defaultKeptBackups)
	if b.Keep < 1 {
		return keyf("keep", "%d: want at least 1", b.Keep)
	}
	return nil
}

// ErrRawStays is why raw/ is never pruned yet.
var ErrRawStays = errors.New("raw/ is kept: a month may leave it only after its lock and a checkpoint of core from which rebuild can start, and there are no checkpoints yet; move raw/ to a larger disk and put a link in its place if space is short")

// Prune removes what the stated retention no longer asks for and says what it
// was: builds beyond the kept three of each month, history, run logs and
// settled notices beyond log: keep_days, backups beyond backup: keep. Versions,
// raw/ and everything else in the register stay.
func (h *House) Prune(ctx context.Context) (string, error) {
	builds, err := h.pruneBuilds()
	if err != nil {
		return "", fmt.Errorf("prune builds: %w", err)
	}
	before := h.Now().AddDate(0, 0, -h.Config.Log.KeepDays)
	runs, notices, err := h.register.Forget(ctx, before)
	if err != nil {
		return "", fmt.Errorf("prune: %w", err)
	}
	logs, err := pruneOlder(h.path("runs"), before)
	if err != nil {
		return "", fmt.Errorf("prune run logs: %w", err)
	}
	// The log rotates itself; after a long stop its old parts are still there.
	old, err := pruneOlder(h.path("logs"), before)
	if err != nil {
		return "", fmt.Errorf("prune logs: %w", err)
	}
	backups, err := h.pruneBackups()
	if err != nil {
		return "", fmt.Errorf("prune backups: %w", err)
	}
	return fmt.Sprintf("removed %d builds, %d runs of the history with %d files, %d notices, %d logs, %d backups",
		builds, runs, logs, notices, old, backups), nil
}

func (w Workspace) pruneBuilds() (removed int, err error) {
	months, err := filepath.Glob(w.path("builds", "*"))
	if err != nil {
		return 0, err
	}
	for _, month := range months {
		found, err := numbered(month, buildPattern)
		if err != nil {
			return removed, err
		}
		for _, number := range found[:max(0, len(found)-KeptBuilds)] {
			if err := os.RemoveAll(filepath.Join(month, fmt.Sprintf("%04d", number))); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}

// pruneOlder removes files that were last written before a moment.
func pruneOlder(dir string, before time.Time) (removed int, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(before) {
			return err
		}
		removed++
		return os.Remove(path)
	})
	return removed, err
}

// pruneBackups looks only at names that backup itself gives, newest last.
func (w Workspace) pruneBackups() (removed int, err error) {
	entries, err := os.ReadDir(w.backupDir())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !backupName.MatchString(e.Name()) })
	for _, entry := range entries[:max(0, len(entries)-w.Config.Backup.Keep)] {
		if err := os.RemoveAll(filepath.Join(w.backupDir(), entry.Name())); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// backupStep is the step of a job; its argument is the folder to write to.
func (h *House) backupStep(ctx context.Context, args []string) (string, error) {
	w := h.Workspace
	if len(args) > 0 {
		w.Config.Backup.To = args[0]
	}
	made, err := w.Back(ctx, "", h.program, h.Now())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d files, %d bytes, read back", made.Path, made.Files, made.Bytes), nil
}
