package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"tongbao/register"
)

// heldBy says who holds the workspace's lock, nil if nobody does.
func (w Workspace) heldBy() *holder {
	lock := flock.New(w.path(".lock"))
	taken, err := lock.TryRLock()
	if err != nil || taken {
		_ = lock.Unlock()
		return nil
	}
	who := &holder{}
	_ = readJSON(w.path(".lock.json"), who) // somebody holds it; who matters less
	return who
}

// lookAtSources asks whether deliveries can be had.
func (w Workspace) lookAtSources(ctx context.Context) []Diagnosis {
	definitions, err := w.definitions()
	if err != nil {
		return []Diagnosis{wrong("sources", "correct the definition that it names", "%s", firstLines(err.Error(), 3))}
	}
	if len(definitions) == 0 {
		return []Diagnosis{wrong("sources", "put source definitions there; \"tongbao init\" of a new folder has some to copy", "%s has none", w.sourcesDir())}
	}
	entries, err := os.ReadDir(w.inboxDir())
	if err != nil {
		return []Diagnosis{wrong("sources", "make the folder, or connect the share that it lies on, and let the service's user read it", "the inbox cannot be read: %v", err)}
	}
	var found []Diagnosis
	for i := range definitions {
		if server, err := definitions[i].Reach(ctx); err != nil {
			found = append(found, wrong("sources", "look at the server and the network; a secret is set where the service is started", "%s %s: %v", definitions[i].Source, server, err))
		}
	}
	if len(found) > 0 {
		return found
	}
	return []Diagnosis{fine("sources", "%d definitions; the inbox can be read and has %d files", len(definitions), len(entries))}
}

// existingRegister opens the register if there is one that can be opened; a
// look makes none.
func (w Workspace) existingRegister(ctx context.Context) *register.Register {
	if _, err := os.Stat(w.path("register.db")); err != nil {
		return nil
	}
	reg, err := register.Open(ctx, w.path("register.db"))
	if err != nil {
		return nil // lookAtRegister says so
	}
	return reg
}

// lookAtRegister looks at what was written down: that it is whole, how the
// last runs went, and what could not be told.
func (w Workspace) lookAtRegister(ctx context.Context) []Diagnosis {
	if _, err := os.Stat(w.path("register.db")); errors.Is(err, fs.ErrNotExist) {
		return []Diagnosis{fine("register", "not there yet; the first run makes it")}
	}
	const do = "stop the service, keep a copy of data/, and \"tongbao restore\" the last backup into a new folder"
	reg, err := register.Open(ctx, w.path("register.db"))
	if err != nil {
		return []Diagnosis{wrong("register", do, "%v", err)}
	}
	defer reg.Close()
	if err := reg.Check(ctx); err != nil {
		return []Diagnosis{wrong("register", do, "%v", err)}
	}
	found := []Diagnosis{fine("register", "read through, nothing wrong")}
	for _, look := range []func(context.Context, *register.Register) (Diagnosis, error){lookAtRuns, w.lookAtNotices, w.lookAtAudit} {
		one, err := look(ctx, reg)
		if err != nil {
			one = wrong("register", do, "%v", err)
		}
		found = append(found, one)
	}
	return found
}

func lookAtRuns(ctx context.Context, reg *register.Register) (Diagnosis, error) {
	runs, err := reg.Runs(ctx, register.RunFilter{Limit: 20, States: []register.RunState{register.Done, register.Failed, register.Interrupted}})
	if err != nil {
		return Diagnosis{}, err
	}
	if len(runs) == 0 {
		return fine("runs", "none yet"), nil
	}
	last := runs[0]
	if last.State != register.Done {
		return warn("runs", fmt.Sprintf("\"tongbao history %d\" says why; \"tongbao retry %d\" does it again", last.ID, last.ID), "the last one, %d, %s", last.ID, last.State), nil
	}
	return fine("runs", "the last one, %d, is done since %s", last.ID, last.Ended.Local().Format(time.DateTime)), nil
}

func (w Workspace) lookAtNotices(ctx context.Context, reg *register.Register) (Diagnosis, error) {
	counts, err := reg.NoticeCounts(ctx)
	if err != nil {
		return Diagnosis{}, err
	}
	for _, channel := range w.Config.Notify.Channels {
		for key, name := range map[string]string{"url_env": channel.URLEnv, "secret_env": channel.SecretEnv, "user_env": channel.UserEnv, "password_env": channel.PasswordEnv} {
			if name != "" && os.Getenv(name) == "" {
				return warn("notices", "set it where the service is started (the systemd unit's EnvironmentFile)", "channel %s: %s: %s is not set here", channel.Name, key, name), nil
			}
		}
	}
	waiting, err := reg.WaitingNotices(ctx)
	if err != nil {
		return Diagnosis{}, err
	}
	for _, notice := range waiting {
		if notice.Attempts > 0 {
			return warn("notices", "look at the channel in notify: of tongbao.yaml", "%d wait; the last attempt said: %s", counts[register.Waiting], notice.Error), nil
		}
	}
	if len(w.Config.Notify.Channels) == 0 {
		return warn("notices", "name a channel under notify: in tongbao.yaml", "nobody is told when a run fails"), nil
	}
	return fine("notices", "%d sent, %d wait, %d given up", counts[register.Sent], counts[register.Waiting], counts[register.GivenUp]), nil
}

// lookAtAudit walks the audit log, and looks in it for the head that every
// published version has in its manifest.
func (w Workspace) lookAtAudit(ctx context.Context, reg *register.Register) (Diagnosis, error) {
	pointers, err := filepath.Glob(w.path("published", "*", "CURRENT"))
	if err != nil {
		return Diagnosis{}, err
	}
	var printed []register.Head
	for _, pointer := range pointers {
		// What is beyond the pointer came after a backup that was restored.
		current, err := os.ReadFile(pointer)
		if err != nil {
			return Diagnosis{}, err
		}
		var last int
		if _, err := fmt.Sscanf(string(current), "v%d", &last); err != nil {
			return Diagnosis{}, fmt.Errorf("%s: %w", pointer, err)
		}
		for number := 1; number <= last; number++ {
			var manifest Manifest
			if err := readJSON(filepath.Join(filepath.Dir(pointer), fmt.Sprintf("v%d", number), manifestName), &manifest); err != nil {
				return Diagnosis{}, err
			}
			printed = append(printed, manifest.Audit)
		}
	}
	head, err := reg.VerifyAudit(ctx, printed...)
	if errors.Is(err, register.ErrChain) {
		return wrong("audit", "keep a copy of data/register.db, and find out who could write it; the newest good one is in the backups", "%v", err), nil
	}
	return fine("audit", "%d entries, each fits the one before; the heads of %d versions are in it", head.Seq, len(printed)), err
}

// backupAge is how old the newest backup may be.
const backupAge = 8 * 24 * time.Hour

func (w Workspace) lookAtBackup(now time.Time) Diagnosis {
	const do = "\"tongbao backup\", or the step backup in a job"
	var made Backup
	if err := readJSON(w.backupRecord(), &made); err != nil {
		return warn("backup", do, "there is none")
	}
	age := now.Sub(made.At)
	if _, err := os.Stat(made.Path); err != nil {
		return warn("backup", "see that it was moved to a safe place; else "+do, "the newest, of %s, is not at %s any more", made.At.Local().Format(time.DateOnly), made.Path)
	}
	if age > backupAge {
		return warn("backup", do, "the newest is %d days old", int(age.Hours()/24))
	}
	if _, err := w.recipient(); err != nil {
		return warn("backup", "set "+PassphraseVariable+" where the service is started", "the newest is of %s, but the next one has no passphrase here", made.At.Local().Format(time.DateTime))
	}
	return fine("backup", "%s, %s, read back", made.At.Local().Format(time.DateTime), megabytes(made.Bytes))
}

func (w Workspace) lookAtSizes() Diagnosis {
	var parts []string
	for _, part := range []string{"raw", "warehouse", "builds", "published", "runs", "logs"} {
		var size int64
		err := filepath.WalkDir(w.path(part), func(_ string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // moved away while we look
			}
			if err != nil || entry.IsDir() {
				return err
			}
			if info, err := entry.Info(); err == nil {
				size += info.Size()
			}
			return nil
		})
		if err != nil {
			return wrong("sizes", "run as the user that owns the workspace", "%v", err)
		}
		parts = append(parts, part+" "+megabytes(size))
	}
	return fine("sizes", "%s", strings.Join(parts, ", "))
}
