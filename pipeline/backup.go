package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	slashpath "path"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"tongbao/register"
)

// A backup is a folder or one tar file. What may hold personal data (raw/,
// deliveries that wait in the inbox, the register) is encrypted, each file
// with a key made for this backup; that key lies in it as key.age, encrypted
// to the workspace's passphrase or recipient. backup.json comes last and names
// every file with its SHA-256: a backup without it is not whole.
const (
	backupList = "backup.json"
	backupKey  = "key.age"
	ageSuffix  = ".age"
)

// BackupConfig is the key backup of tongbao.yaml.
type BackupConfig struct {
	To        string `yaml:"to,omitempty" doc:"folder that backups are written to, from the workspace's folder; ../backups if absent. Another disk is better"`
	Keep      int    `yaml:"keep,omitempty" doc:"how many of the newest backups there prune leaves; 14 if absent"`
	Recipient string `yaml:"recipient,omitempty" doc:"age public key (age1…) that personal data is encrypted to, instead of the passphrase in TONGBAO_BACKUP_PASSPHRASE"`
}

// Where the secrets of backups come from; they are never written to a file.
const (
	PassphraseVariable = "TONGBAO_BACKUP_PASSPHRASE"
	IdentityVariable   = "TONGBAO_BACKUP_IDENTITY" // file with the age identity that belongs to the recipient
)

// minPassphrase is the least number of characters of a passphrase.
const minPassphrase = 12

// BackupEntry is one file of a backup.
type BackupEntry struct {
	Name   string      `json:"name"` // slash path in the workspace
	Bytes  int64       `json:"bytes"`
	SHA256 string      `json:"sha256"` // of the file's own content
	Mode   fs.FileMode `json:"mode"`
	// Stored is the SHA-256 of what lies in the backup where that is encrypted.
	Stored string `json:"stored,omitempty"`
}

func (e BackupEntry) storedName() string {
	if e.Stored != "" {
		return e.Name + ageSuffix
	}
	return e.Name
}

func (e BackupEntry) storedHash() string {
	if e.Stored != "" {
		return e.Stored
	}
	return e.SHA256
}

// BackupList is backup.json.
type BackupList struct {
	MadeAt  time.Time     `json:"made_at"`
	Program string        `json:"program"`
	Town    string        `json:"town"`
	Month   string        `json:"month,omitempty"` // the newest published one
	KeyHash string        `json:"key_sha256"`      // of key.age
	Files   []BackupEntry `json:"files"`
}

// Backup is what was written.
type Backup struct {
	Path  string    `json:"path"`
	At    time.Time `json:"at"`
	Files int       `json:"files"`
	Bytes int64     `json:"bytes"` // of the files themselves
}

func (w Workspace) backupRecord() string { return w.path("backup.json") }

// backupDir is where backups go that name no place.
func (w Workspace) backupDir() string {
	to := w.Config.Backup.To
	if to == "" {
		to = filepath.Join("..", "backups")
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(w.Dir, to)
	}
	return to
}

// nextBackup is the path of a backup that names no place.
func (w Workspace) nextBackup(now time.Time) string {
	return filepath.Join(w.backupDir(), "tongbao-"+now.Format("20060102-150405")+".tar.zst")
}

// recipient is whom the key of a backup is encrypted to.
func (w Workspace) recipient() (age.Recipient, error) {
	if public := w.Config.Backup.Recipient; public != "" {
		recipient, err := age.ParseX25519Recipient(public)
		if err != nil {
			return nil, problemf("%s: backup: recipient: %w", w.configFile(), err)
		}
		return recipient, nil
	}
	passphrase := os.Getenv(PassphraseVariable)
	if len([]rune(passphrase)) < minPassphrase {
		return nil, problemf("a backup holds personal data and is encrypted: set %s (at least %d characters), or backup: recipient in %s; keep it where the backup is not", PassphraseVariable, minPassphrase, w.configFile())
	}
	return age.NewScryptRecipient(passphrase)
}

// Back writes a backup of the workspace to a new folder, or to one file when
// out ends in .tar.gz or .tar.zst; "" means the configured place. It works
// beside a running service, and reads the backup through before it says so.
func (w Workspace) Back(ctx context.Context, out, program string, now time.Time) (Backup, error) {
	if out == "" {
		out = w.nextBackup(now)
	}
	recipient, err := w.recipient()
	if err != nil {
		return Backup{}, err
	}
	if _, err := os.Stat(out); err == nil {
		return Backup{}, problemf("%s exists; name a new folder or file for the backup", out)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
		return Backup{}, fmt.Errorf("backup: %w", err)
	}
	made, err := w.back(ctx, out, recipient, BackupList{MadeAt: now.UTC(), Program: program, Town: w.Config.Town})
	if err != nil {
		_ = os.RemoveAll(out + ".tmp") // half a backup; its error is what matters
		return Backup{}, fmt.Errorf("backup %s: %w", out, err)
	}
	// Only doctor reads it; the backup is whole without it.
	if err := writeJSON(w.backupRecord(), made); err != nil {
		return made, fmt.Errorf("the backup is whole, but it cannot be noted: %w", err)
	}
	return made, nil
}

func (w Workspace) back(ctx context.Context, out string, recipient age.Recipient, list BackupList) (Backup, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return Backup{}, err
	}
	scratch, err := os.MkdirTemp(w.path("warehouse"), "backup-") // mode 0700
	if err != nil {
		return Backup{}, err
	}
	defer os.RemoveAll(scratch)
	files, err := w.backupFiles(ctx, scratch)
	if err != nil {
		return Backup{}, err
	}
	if _, month, err := w.Current(0); err == nil {
		list.Month = month.String()
	}
	sink, err := newSink(out, out+".tmp")
	if err != nil {
		return Backup{}, err
	}
	err = writeBackup(ctx, sink, scratch, files, key, recipient, &list)
	if closing := sink.close(); err == nil {
		err = closing
	}
	if err != nil {
		return Backup{}, err
	}
	if err := checkBackup(ctx, out, out+".tmp", key, list); err != nil {
		return Backup{}, fmt.Errorf("read back: %w", err)
	}
	made := Backup{Path: out, At: list.MadeAt, Files: len(list.Files)}
	for _, file := range list.Files {
		made.Bytes += file.Bytes
	}
	return made, renameSynced(out+".tmp", out)
}

// source is a file on its way into a backup.
type backupFile struct {
	name, path string
	isPrivate  bool
}

// backupFiles lists what a backup holds. The register and the pointers are
// copied first: whatever is published while the backup is written is then
// in it as a version that nothing points to, never the other way about.
func (w Workspace) backupFiles(ctx context.Context, scratch string) ([]backupFile, error) {
	reg, err := register.Open(ctx, w.path("register.db"))
	if err != nil {
		return nil, err
	}
	defer reg.Close()
	if err := reg.CopyTo(ctx, filepath.Join(scratch, "register.db")); err != nil {
		return nil, err
	}
	files := []backupFile{{"data/register.db", filepath.Join(scratch, "register.db"), true}}
	pointers, err := filepath.Glob(w.path("published", "*", "CURRENT"))
	if err != nil {
		return nil, err
	}
	for i, pointer := range append(pointers, w.path("published", "CURRENT")) {
		copied := filepath.Join(scratch, fmt.Sprintf("pointer-%d", i))
		if err := copyFile(pointer, copied); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(w.Dir, pointer)
		if err != nil {
			return nil, err
		}
		files = append(files, backupFile{filepath.ToSlash(name), copied, false})
	}
	for _, part := range []struct {
		name      string
		isPrivate bool
	}{
		{"data/raw", true}, {"data/inbox", true}, {"data/seeds", false}, {"data/sources", false}, {"data/published", false},
		{"data/runs", false}, {"data/logs", false}, {"queries", false}, {"templates", false}, {ConfigName, false},
	} {
		found, err := w.walkPart(part.name, part.isPrivate)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

// walkPart lists the files of a folder, or the file, that are whole.
func (w Workspace) walkPart(part string, isPrivate bool) ([]backupFile, error) {
	// A folder may be a link to a larger disk; a walk would stop at it.
	root, err := filepath.EvalSymlinks(filepath.Join(w.Dir, filepath.FromSlash(part)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a folder that this workspace does not have
	}
	if err != nil {
		return nil, err
	}
	var files []backupFile
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // just moved away
		}
		if err != nil || strings.HasSuffix(path, ".tmp") || entry.Name() == "CURRENT" {
			if err == nil && entry.IsDir() {
				return fs.SkipDir
			}
			return err
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		if part == "data/inbox" {
			if isLanded, err := w.isLanded(path); err != nil || isLanded {
				return err
			}
		}
		below, err := filepath.Rel(root, path)
		files = append(files, backupFile{slashpath.Join(part, filepath.ToSlash(below)), path, isPrivate})
		return err
	})
	return files, err
}

// isLanded says whether a file of the inbox lies in raw/ already.
func (w Workspace) isLanded(path string) (bool, error) {
	hash, err := hashFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // moved away
	}
	if err != nil {
		return false, err
	}
	found, err := filepath.Glob(filepath.Join(w.rawDir(), "*", hash.SHA256[:12]+"_*.delivery.json"))
	return len(found) > 0, err
}
