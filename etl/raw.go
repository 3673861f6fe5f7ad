package etl

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// delivery is one file of a source, landed or about to be. It is also the
// sidecar of a landed file, from which rebuild starts.
type delivery struct {
	Source      string            `json:"source"`
	Name        string            `json:"name"`
	SHA256      string            `json:"sha256"`
	Bytes       int64             `json:"bytes"`
	DeliveredAt time.Time         `json:"delivered_at"`
	Captures    map[string]string `json:"captures,omitempty"`
	Definition  string            `json:"definition"`        // hash of the definition in force when it landed
	Answers     *answered         `json:"answers,omitempty"` // of a fixed file: whose quarantined rows it has
	Fetch       *fetched          `json:"fetch,omitempty"`
	Written     time.Time         `json:"written,omitzero"` // when the inbox's file was written, as the pull found it

	path    string // in the inbox
	isThere bool   // its bytes lie in raw/ already, without a sidecar
	archive string // the archive that holds it, "" if none does
	member  int    // its number there
}

// loadID names the load of a delivery; it is the same in a rebuild.
func (item delivery) loadID() string {
	id := item.Source + "-" + item.SHA256[:12] + item.Answers.suffix()
	if item.Fetch != nil {
		// A table may say again what it said before last time.
		id += "-" + item.DeliveredAt.Format("20060102T150405")
	}
	return id
}

// deliveryHour is the hour at which a delivery of which only the day is known
// is taken to have come.
const deliveryHour = 18

// describe reads the name and time of an inbox file; its content is hashed
// later.
func (d *Definition) describe(path string, info fs.FileInfo) (delivery, error) {
	item := delivery{Source: d.Source, Name: info.Name(), Bytes: info.Size(), Captures: map[string]string{}, Definition: d.hash,
		path: path, Written: info.ModTime().UTC()}
	// Without a day in the name the file's own time must do; the sidecar keeps
	// it, because a copy of the file would lose it.
	return item, d.readName(&item, item.Name, civil(info.ModTime().Truncate(time.Second)))
}

// readName fills what the groups of the definition's files say, and when the
// delivery came: otherwise is for a name without a day.
func (d *Definition) readName(item *delivery, name string, otherwise time.Time) error {
	match := d.pattern.FindStringSubmatch(name)
	for i, group := range d.pattern.SubexpNames() {
		if group != "" && match[i] != "" {
			item.Captures[group] = match[i]
		}
	}
	item.DeliveredAt = otherwise
	if named := item.Captures["delivered"]; named != "" {
		day, err := time.Parse("20060102", named)
		if err != nil {
			return &FileError{Source: d.Source, File: item.Name, What: fmt.Sprintf("the day %q in its name does not exist", named), Do: "rename it"}
		}
		item.DeliveredAt = day.Add(deliveryHour * time.Hour)
	}
	if month := item.Captures["month"]; month != "" {
		if _, err := tongbao.ParseMonth(month); err != nil {
			return &FileError{Source: d.Source, File: item.Name, What: fmt.Sprintf("the month %q in its name does not exist", month), Do: "rename it"}
		}
	}
	return nil
}

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// civil keeps the clock's reading and drops its zone.
func civil(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// rawPath is where a delivery lies untouched.
func rawPath(rawDir string, item delivery) string {
	return filepath.Join(rawDir, item.Source, item.SHA256[:12]+"_"+item.Name)
}

const sidecarSuffix = ".delivery.json"

// land copies a delivery into raw/ and writes its sidecar, each whole or not
// at all. Both are for the owner's eyes only: they hold personal data.
func land(rawDir string, item delivery) (string, error) {
	target := rawPath(rawDir, item)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return "", err
	}
	sidecarFile := target + item.Answers.suffix() + sidecarSuffix
	if _, err := os.Stat(sidecarFile); err == nil {
		return target, nil
	}
	if !item.isThere {
		if err := copyHashed(target, item); err != nil {
			return "", err
		}
	}
	sidecar, err := json.MarshalIndent(item, "", "  ")
	if err != nil {
		return "", err
	}
	warehouse.Failpoint("etl.landed")
	return target, writeSynced(sidecarFile, bytes.NewReader(sidecar))
}

func copyHashed(target string, item delivery) error {
	source, err := os.Open(item.path)
	if err != nil {
		return err
	}
	defer source.Close()
	return writeSynced(target, &hashedReader{source, sha256.New(), item.SHA256})
}

// landNew copies a file of the inbox that was not hashed yet, and hashes what
// it copies, in one reading. Without a sidecar it counts as not landed.
func landNew(rawDir string, item delivery) (delivery, error) {
	source, err := os.Open(item.path)
	if err != nil {
		return item, err
	}
	defer source.Close()
	temp := filepath.Join(rawDir, item.Source, "new")
	if err := os.MkdirAll(filepath.Dir(temp), 0o700); err != nil {
		return item, err
	}
	sum := sha256.New()
	if err := writeSynced(temp, io.TeeReader(source, sum)); err != nil {
		return item, err
	}
	now, err := os.Stat(item.path)
	if err != nil || now.Size() != item.Bytes || !now.ModTime().Equal(item.Written) {
		return item, errors.Join(changed(), os.Remove(temp))
	}
	item.SHA256, item.isThere = hex.EncodeToString(sum.Sum(nil)), true
	return item, os.Rename(temp, rawPath(rawDir, item))
}

// unland takes a delivery of the inbox that was refused out of raw/ again: a
// rebuild would stumble over it for ever. An archive stays for its other
// members.
func unland(rawDir string, item delivery) error {
	if item.path == "" || item.archive != "" || item.SHA256 == "" {
		return nil
	}
	target := rawPath(rawDir, item)
	files := []string{target + item.Answers.suffix() + sidecarSuffix}
	if item.Answers == nil { // a fixed file may hold other answers, which were taken
		files = append(files, target)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// hashedReader fails at the end if what was read is not what was described:
// somebody wrote the file meanwhile.
type hashedReader struct {
	source io.Reader
	sum    hash.Hash
	want   string
}

func (h *hashedReader) Read(buffer []byte) (int, error) {
	n, err := h.source.Read(buffer)
	h.sum.Write(buffer[:n])
	if err == io.EOF && hex.EncodeToString(h.sum.Sum(nil)) != h.want {
		err = changed()
	}
	return n, err
}

func changed() *FileError {
	return &FileError{What: "was changed while it was read", Do: "nothing; it is taken by the next pull, once nobody writes it"}
}

func writeSynced(path string, content io.Reader) error {
	temp := path + ".tmp"
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return os.Rename(temp, path)
}

// landed lists the deliveries in raw/ by their sidecars.
func landed(rawDir string) ([]delivery, error) {
	sidecars, err := filepath.Glob(filepath.Join(rawDir, "*", "*"+sidecarSuffix))
	if err != nil {
		return nil, err
	}
	var items []delivery
	for _, path := range sidecars {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var item delivery
		if err := json.Unmarshal(content, &item); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		items = append(items, item)
	}
	sortDeliveries(items)
	return items, nil
}

// sortDeliveries puts deliveries in the order in which they came.
func sortDeliveries(items []delivery) {
	slices.SortFunc(items, func(a, b delivery) int {
		if c := a.DeliveredAt.Compare(b.DeliveredAt); c != 0 {
			return c
		}
		return strings.Compare(a.Name+a.SHA256, b.Name+b.SHA256)
	})
}
