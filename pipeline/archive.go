package pipeline

import (
	"archive/tar"
	"compress/gzip"
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
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// sink takes the files of a backup.
type sink interface {
	add(name string, size int64, mode fs.FileMode, content io.Reader) error
	close() error
}

// addFile adds a file of the disk. Its size is fixed when it is opened, so that
// a log that grows meanwhile does no harm.
func addFile(to sink, name, path string, mode fs.FileMode) (BackupEntry, error) {
	file, err := os.Open(path)
	if err != nil {
		return BackupEntry{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return BackupEntry{}, err
	}
	sum := &counted{sum: sha256.New()}
	err = to.add(name, info.Size(), mode, io.TeeReader(io.LimitReader(file, info.Size()), sum))
	return BackupEntry{Name: name, Bytes: sum.bytes, SHA256: sum.hex(), Mode: mode}, err
}

// newSink makes the folder or file temp; out says by its ending which.
func newSink(out, temp string) (sink, error) {
	if err := os.RemoveAll(temp); err != nil { // of a backup that was killed
		return nil, err
	}
	if !strings.HasSuffix(out, ".tar.gz") && !strings.HasSuffix(out, ".tar.zst") {
		return folderSink{temp}, os.Mkdir(temp, 0o700)
	}
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	var packed io.WriteCloser = gzip.NewWriter(file)
	if strings.HasSuffix(out, ".tar.zst") {
		if packed, err = zstd.NewWriter(file); err != nil {
			file.Close()
			return nil, err
		}
	}
	return &tarSink{file, packed, tar.NewWriter(packed)}, nil
}

type folderSink struct{ dir string }

func (s folderSink) add(name string, _ int64, mode fs.FileMode, content io.Reader) error {
	target := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

func (s folderSink) close() error { return syncTree(s.dir) }

type tarSink struct {
	file   *os.File
	packed io.WriteCloser
	tar    *tar.Writer
}

func (s *tarSink) add(name string, size int64, mode fs.FileMode, content io.Reader) error {
	if err := s.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: int64(mode), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := io.Copy(s.tar, content)
	return err
}

func (s *tarSink) close() error {
	return errors.Join(s.tar.Close(), s.packed.Close(), s.file.Sync(), s.file.Close())
}

// eachFile hands the files of a backup to f, in the order in which they lie.
// kind is the name that says by its ending what lies at path.
func eachFile(ctx context.Context, kind, at string, f func(name string, content io.Reader) error) error {
	if isFolder(at) {
		files := os.DirFS(at)
		return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return errors.Join(err, ctx.Err())
			}
			file, err := files.Open(name)
			if err != nil {
				return err
			}
			defer file.Close()
			return f(name, file)
		})
	}
	file, err := os.Open(at)
	if err != nil {
		return err
	}
	defer file.Close()
	var plain io.Reader
	switch {
	case strings.HasSuffix(kind, ".tar.gz"):
		plain, err = gzip.NewReader(file)
	case strings.HasSuffix(kind, ".tar.zst"):
		var reader *zstd.Decoder
		if reader, err = zstd.NewReader(file); err == nil {
			defer reader.Close()
		}
		plain = reader
	default:
		return problemf("%s: a backup is a folder, or a file that ends in .tar.gz or .tar.zst", kind)
	}
	if err != nil {
		return err
	}
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			// Read to the end of the packed stream: its checksum comes last.
			_, err = io.Copy(io.Discard, plain)
			return err
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg || path.Clean(header.Name) != header.Name || !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%q is not a file of a backup", header.Name)
		}
		if err := f(header.Name, archive); err != nil {
			return err
		}
	}
}

// checkBackup reads a backup through: every file must be what the list says,
// also when it is decrypted, and the list must be the one that was meant.
func checkBackup(ctx context.Context, kind, at string, key age.Identity, want BackupList) error {
	left := map[string]BackupEntry{}
	for _, entry := range want.Files {
		left[entry.storedName()] = entry
	}
	hasList := false
	err := eachFile(ctx, kind, at, func(name string, content io.Reader) error {
		switch name {
		case backupKey:
			return matches(name, content, want.KeyHash)
		case backupList:
			hasList = true
			text, err := json.MarshalIndent(want, "", "  ")
			if err != nil {
				return err
			}
			sum := sha256.Sum256(append(text, '\n'))
			return matches(name, content, fmt.Sprintf("%x", sum))
		}
		entry, isListed := left[name]
		if !isListed {
			return fmt.Errorf("%s is not in its list", name)
		}
		delete(left, name)
		stored := &counted{sum: sha256.New()}
		if err := entry.read(io.TeeReader(content, stored), key, io.Discard); err != nil {
			return err
		}
		if _, err := io.Copy(stored, content); err != nil {
			return err
		}
		if stored.hex() != entry.storedHash() {
			return fmt.Errorf("%s: its bytes are not those that were written; the disk may be failing", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name := range left {
		return fmt.Errorf("%s is missing", name)
	}
	if !hasList {
		return fmt.Errorf("%s is missing", backupList)
	}
	return nil
}

func matches(name string, content io.Reader, want string) error {
	sum := &counted{sum: sha256.New()}
	if _, err := io.Copy(sum, content); err != nil {
		return err
	}
	if sum.hex() != want {
		return fmt.Errorf("%s: its bytes are not those that were written", name)
	}
	return nil
}

// read writes an entry's own content to out and compares its hash.
func (e BackupEntry) read(stored io.Reader, key age.Identity, out io.Writer) error {
	plain := stored
	if e.Stored != "" {
		var err error
		if plain, err = age.Decrypt(stored, key); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	sum := &counted{sum: sha256.New()}
	if _, err := io.Copy(io.MultiWriter(out, sum), plain); err != nil {
		return fmt.Errorf("%s: %w", e.Name, err)
	}
	if sum.hex() != e.SHA256 || sum.bytes != e.Bytes {
		return fmt.Errorf("%s: its content is not what the list says", e.Name)
	}
	return nil
}
