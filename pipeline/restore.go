package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"tongbao"
)

// identities are the secrets that open the key of a backup.
func identities() ([]age.Identity, error) {
	if file := os.Getenv(IdentityVariable); file != "" {
		text, err := os.Open(file)
		if err != nil {
			return nil, &Problem{fmt.Errorf("%s: %w", IdentityVariable, err)}
		}
		defer text.Close()
		found, err := age.ParseIdentities(text)
		if err != nil {
			return nil, &Problem{fmt.Errorf("%s: %s: %w", IdentityVariable, file, err)}
		}
		return found, nil
	}
	passphrase := os.Getenv(PassphraseVariable)
	if passphrase == "" {
		return nil, problemf("the backup is encrypted: set %s, or %s to the file with the age identity", PassphraseVariable, IdentityVariable)
	}
	one, err := age.NewScryptIdentity(passphrase)
	return []age.Identity{one}, err
}

// Restore writes the workspace of a backup into dir, which must be empty or
// not exist. What cannot be had whole is not left there. The warehouse is not
// in a backup: rebuild makes it.
func Restore(ctx context.Context, from, dir string) (BackupList, error) {
	secrets, err := identities()
	if err != nil {
		return BackupList{}, err
	}
	if _, err := os.Stat(from); err != nil {
		return BackupList{}, &Problem{fmt.Errorf("restore: %w", err)}
	}
	there, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return BackupList{}, &Problem{fmt.Errorf("restore: %w", err)}
	}
	if len(there) > 0 {
		return BackupList{}, problemf("restore: %s is not empty; name a new folder, nothing is overwritten", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return BackupList{}, fmt.Errorf("restore: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return BackupList{}, fmt.Errorf("restore: %w", err)
	}
	defer root.Close()
	r := restorer{root: root, secrets: secrets, got: map[string]BackupEntry{}}
	list, err := r.restore(ctx, from)
	if err != nil {
		if entries, reading := os.ReadDir(dir); reading == nil {
			for _, entry := range entries {
				_ = root.RemoveAll(entry.Name())
			}
		}
		return list, fmt.Errorf("restore %s: %w", from, err)
	}
	return list, nil
}

// restorer writes files as they come and compares them with the list, which
// comes last in an archive.
type restorer struct {
	root    *os.Root
	secrets []age.Identity
	key     age.Identity
	keyHash string
	list    *BackupList
	got     map[string]BackupEntry // by stored name
}

// heldBack is how the file that makes a folder a workspace is called until all
// others are there and are what the list says.
const heldBack = ConfigName + ".restored"

func (r *restorer) restore(ctx context.Context, from string) (BackupList, error) {
	// A folder is walked by name, so the key is not always met first there.
	if isFolder(from) {
		file, err := os.Open(filepath.Join(from, backupKey))
		if err != nil {
			return BackupList{}, err
		}
		err = r.openKey(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return BackupList{}, err
		}
	}
	if err := eachFile(ctx, from, from, r.take); err != nil {
		return BackupList{}, err
	}
	if r.list == nil {
		return BackupList{}, fmt.Errorf("it has no %s, so it is not whole", backupList)
	}
	if err := r.compare(); err != nil {
		return *r.list, err
	}
	for name, mode := range map[string]fs.FileMode{"data/inbox": 0o755, "data/raw": 0o700, "data/warehouse": 0o700} {
		if err := r.root.MkdirAll(name, mode); err != nil {
			return *r.list, err
		}
	}
	return *r.list, r.root.Rename(heldBack, ConfigName)
}

func (r *restorer) openKey(sealed io.Reader) error {
	sum := &counted{sum: sha256.New()}
	sealed = io.TeeReader(sealed, sum)
	plain, err := age.Decrypt(sealed, r.secrets...)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return problemf("the passphrase or identity is not the one that the backup was made with")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", backupKey, err)
	}
	text, err := io.ReadAll(io.LimitReader(plain, 1<<12))
	if err != nil {
		return fmt.Errorf("%s: %w", backupKey, err)
	}
	if _, err := io.Copy(io.Discard, sealed); err != nil {
		return err
	}
	r.keyHash = sum.hex()
	r.key, err = age.ParseX25519Identity(string(text))
	return err
}

// take writes one file of the backup, and remembers what it was.
func (r *restorer) take(name string, content io.Reader) error {
	switch name {
	case backupKey:
		if r.key != nil {
			return nil
		}
		return r.openKey(content)
	case backupList:
		return json.NewDecoder(content).Decode(&r.list)
	}
	sum := &counted{sum: sha256.New()}
	stored := io.TeeReader(content, sum)
	plain, target, mode := stored, name, fs.FileMode(0o644)
	if bare, isSealed := strings.CutSuffix(name, ageSuffix); isSealed {
		if r.key == nil {
			return fmt.Errorf("%s comes before %s", name, backupKey)
		}
		var err error
		if plain, err = age.Decrypt(stored, r.key); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		target, mode = bare, 0o600
	}
	written, err := r.write(target, mode, plain)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, stored); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	entry := BackupEntry{Name: target, Bytes: written.bytes, SHA256: written.hex(), Mode: mode}
	if target != name {
		entry.Stored = sum.hex()
	}
	r.got[name] = entry
	return nil
}

func (r *restorer) write(name string, mode fs.FileMode, content io.Reader) (*counted, error) {
	folder := fs.FileMode(0o755)
	if mode == 0o600 {
		folder = 0o700
	}
	if parent := path.Dir(name); parent != "." {
		if err := r.root.MkdirAll("data", 0o755); err != nil {
			return nil, err
		}
		if err := r.root.MkdirAll(parent, folder); err != nil {
			return nil, err
		}
	}
	if name == ConfigName {
		name = heldBack
	}
	file, err := r.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return nil, err
	}
	sum := &counted{sum: sha256.New()}
	_, err = io.Copy(io.MultiWriter(file, sum), content)
	return sum, errors.Join(err, file.Sync(), file.Close())
}

// compare holds what was written against the list.
func (r *restorer) compare() error {
	if r.keyHash != r.list.KeyHash {
		return fmt.Errorf("%s is not the one of the list", backupKey)
	}
	if len(r.got) != len(r.list.Files) {
		return fmt.Errorf("it holds %d files, its list names %d", len(r.got), len(r.list.Files))
	}
	for _, want := range r.list.Files {
		if got := r.got[want.storedName()]; got != want {
			return fmt.Errorf("%s is missing or not what the list says; take another backup", want.Name)
		}
	}
	if _, err := r.root.Stat(heldBack); err != nil {
		return fmt.Errorf("%s is missing", ConfigName)
	}
	return nil
}

// Recompute makes the months up to one again in a warehouse that was rebuilt.
func (h *House) Recompute(ctx context.Context, month tongbao.Month) error {
	if _, err := h.lookForLate(ctx, month); err != nil {
		return err
	}
	_, err := h.Compute(ctx, month)
	return err
}

// Comparison is how what was computed for a month compares with its newest
// published version.
type Comparison struct {
	Version int      // 0 if the month has none
	Program string   // that published it
	Differ  []string // tables that are not the same, none if all are
}

// CompareWithPublished holds every row of a month's scores, rankings and
// bulletin against its newest version.
func (h *House) CompareWithPublished(ctx context.Context, month tongbao.Month) (Comparison, error) {
	published, err := h.lastVersion(month)
	if err != nil || published.Version == 0 {
		return Comparison{}, err
	}
	now, err := h.manifest(ctx, month)
	found := Comparison{Version: published.Version, Program: published.Program}
	for _, one := range []struct{ these, those []string }{{now.Digest, published.Digest}, {published.Digest, now.Digest}} {
		for _, line := range one.these {
			table, _, _ := strings.Cut(line, " ")
			if !slices.Contains(one.those, line) && !slices.Contains(found.Differ, table) {
				found.Differ = append(found.Differ, table)
			}
		}
	}
	return found, err
}
