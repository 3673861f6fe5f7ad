package etl

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

	path string // in the inbox
}

// loadID names the load of a delivery; it is the same in a rebuild.
func (item delivery) loadID() string {
	return item.Source + "-" + item.SHA256[:12] + item.Answers.suffix()
}

// deliveryHour is the hour at which a delivery of which only the day is known
// is taken to have come.
const deliveryHour = 18

// describe reads the name, content hash and time of an inbox file.
func (d *Definition) describe(path string, info fs.FileInfo) (delivery, error) {
	item := delivery{Source: d.Source, Name: info.Name(), Bytes: info.Size(), Captures: map[string]string{}, Definition: d.hash, path: path}
	match := d.pattern.FindStringSubmatch(item.Name)
	for i, group := range d.pattern.SubexpNames() {
		if group != "" && match[i] != "" {
			item.Captures[group] = match[i]
		}
	}
	// Without a day in the name the file's own time must do; the sidecar keeps
	// it, because a copy of the file would lose it.
	item.DeliveredAt = civil(info.ModTime().Truncate(time.Second))
	if named := item.Captures["delivered"]; named != "" {
		day, err := time.Parse("20060102", named)
		if err != nil {
			return item, &FileError{Source: d.Source, File: item.Name, What: fmt.Sprintf("the day %q in its name does not exist", named), Do: "rename it"}
		}
		item.DeliveredAt = day.Add(deliveryHour * time.Hour)
	}
	if month := item.Captures["month"]; month != "" {
		if _, err := tongbao.ParseMonth(month); err != nil {
			return item, &FileError{Source: d.Source, File: item.Name, What: fmt.Sprintf("the month %q in its name does not exist", month), Do: "rename it"}
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return item, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return item, err
	}
	item.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return item, nil
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
	source, err := os.Open(item.path)
	if err != nil {
		return "", err
	}
	defer source.Close()
	if err := writeSynced(target, source); err != nil {
		return "", err
	}
	sidecar, err := json.MarshalIndent(item, "", "  ")
	if err != nil {
		return "", err
	}
	warehouse.Failpoint("etl.landed")
	return target, writeSynced(sidecarFile, bytes.NewReader(sidecar))
}

// unland takes a delivery of the inbox that was refused out of raw/ again: a
// rebuild would stumble over it for ever.
func unland(rawDir string, item delivery) error {
	if item.path == "" {
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

func writeSynced(path string, content io.Reader) error {
	temp := path + ".tmp"
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
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
