package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
)

// writeBackup writes key, files and list.
func writeBackup(ctx context.Context, to sink, scratch string, files []backupFile, key *age.X25519Identity, recipient age.Recipient, list *BackupList) error {
	sealed := filepath.Join(scratch, backupKey)
	if err := seal(strings.NewReader(key.String()), sealed, recipient); err != nil {
		return err
	}
	entry, err := addFile(to, backupKey, sealed, 0o600)
	if err != nil {
		return err
	}
	list.KeyHash = entry.SHA256
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		entry, err := writeEntry(to, scratch, file, key.Recipient())
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away since it was listed
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file.name, err)
		}
		list.Files = append(list.Files, entry)
	}
	slices.SortFunc(list.Files, func(a, b BackupEntry) int { return strings.Compare(a.Name, b.Name) })
	path := filepath.Join(scratch, backupList)
	if err := writeJSON(path, list); err != nil {
		return err
	}
	_, err = addFile(to, backupList, path, 0o644)
	return err
}

func writeEntry(to sink, scratch string, file backupFile, recipient age.Recipient) (BackupEntry, error) {
	if !file.isPrivate {
		return addFile(to, file.name, file.path, 0o644)
	}
	plain, err := os.Open(file.path)
	if err != nil {
		return BackupEntry{}, err
	}
	defer plain.Close()
	// A tar wants to know the size first; the scratch file is encrypted too.
	sum, sealed := &counted{sum: sha256.New()}, filepath.Join(scratch, "sealed")
	if err := seal(io.TeeReader(plain, sum), sealed, recipient); err != nil {
		return BackupEntry{}, err
	}
	defer os.Remove(sealed)
	stored, err := addFile(to, file.name+ageSuffix, sealed, 0o600)
	return BackupEntry{Name: file.name, Bytes: sum.bytes, SHA256: sum.hex(), Mode: 0o600, Stored: stored.SHA256}, err
}

// seal writes what is read, encrypted, to a new file.
func seal(plain io.Reader, path string, recipient age.Recipient) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	writer, err := age.Encrypt(file, recipient)
	if err != nil {
		return err
	}
	if _, err := io.Copy(writer, plain); err != nil {
		return err
	}
	return errors.Join(writer.Close(), file.Close())
}

// counted hashes and counts what is written to it.
type counted struct {
	sum interface {
		io.Writer
		Sum([]byte) []byte
	}
	bytes int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return c.sum.Write(p)
}

func (c *counted) hex() string { return hex.EncodeToString(c.sum.Sum(nil)) }
