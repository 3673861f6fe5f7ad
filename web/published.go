package web

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// keptVersions is how many versions are held in memory, about 20 MB each for
// a town.
const keptVersions = 4

// version is a published version: it never changes, and its folder's name is
// never used again.
type version struct {
	Month  tongbao.Month
	Number int
	dir    string
	manifest
	tables map[string]*table // of the layer bulletin
	opened map[string]opened // by indicator
}

// manifest is what the portal reads of manifest.json.
type manifest struct {
	Rubric   string            `json:"rubric"`
	MadeAt   time.Time         `json:"made_at"`
	Outputs  []output          `json:"outputs"`
	Policies map[string]string `json:"policies"`
	Audit    register.Head     `json:"audit"`
}

type output struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// library reads what is published. The pointers are read for each request,
// what they point to once.
type library struct {
	dir string

	mu        sync.Mutex
	kept      map[string]*keptVersion // by folder
	turn      int64
	manifests map[string]manifest // of every version that was asked for
}

type keptVersion struct {
	once    sync.Once
	version *version
	err     error
	used    int64
}

func newLibrary(dir string) *library {
	return &library{dir: dir, kept: map[string]*keptVersion{}, manifests: map[string]manifest{}}
}

var errNothing = refuse(404, "nothing_published")

// current is the current version of a month; 0 means the newest.
func (l *library) current(ctx context.Context, month tongbao.Month) (*version, error) {
	if month == 0 {
		text, err := os.ReadFile(filepath.Join(l.dir, "CURRENT"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNothing
		}
		if err != nil {
			return nil, err
		}
		if month, err = tongbao.ParseMonth(strings.TrimSpace(string(text))); err != nil {
			return nil, err
		}
	}
	number, err := l.currentNumber(month)
	if err != nil {
		return nil, err
	}
	return l.version(ctx, month, number)
}

func (l *library) currentNumber(month tongbao.Month) (int, error) {
	text, err := os.ReadFile(filepath.Join(l.dir, month.String(), "CURRENT"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, errNothing
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(string(text)), "v"))
}

// version returns one version with its tables; the first to ask for it waits
// for them to be read, and so does who asks meanwhile.
func (l *library) version(ctx context.Context, month tongbao.Month, number int) (*version, error) {
	dir := l.folder(month, number)
	l.mu.Lock()
	l.turn++
	kept := l.kept[dir]
	if kept == nil {
		kept = &keptVersion{}
		l.kept[dir] = kept
	}
	kept.used = l.turn
	l.drop()
	l.mu.Unlock()
	kept.once.Do(func() {
		// The reader who asks first may leave; the others still want it.
		kept.version, kept.err = l.readVersion(context.WithoutCancel(ctx), dir, month, number)
	})
	if kept.err != nil {
		l.mu.Lock()
		delete(l.kept, dir)
		l.mu.Unlock()
	}
	return kept.version, kept.err
}

// drop forgets the version that was not asked for the longest.
func (l *library) drop() {
	for len(l.kept) > keptVersions {
		oldest := ""
		for dir, kept := range l.kept {
			if oldest == "" || kept.used < l.kept[oldest].used {
				oldest = dir
			}
		}
		delete(l.kept, oldest)
	}
}

func (l *library) readVersion(ctx context.Context, dir string, month tongbao.Month, number int) (*version, error) {
	of := &version{Month: month, Number: number, dir: dir, tables: map[string]*table{}}
	var err error
	if of.manifest, err = l.manifest(month, number); err != nil {
		return nil, err
	}
	// Of a table that is in both files, the first has it whole.
	for _, file := range []string{"records.duckdb", "warehouse.duckdb"} {
		if err := of.readTables(ctx, filepath.Join(dir, file)); err != nil {
			return nil, fmt.Errorf("read %s v%d: %w", month, number, err)
		}
	}
	return of, nil
}

// query is a query that made the version, "" if it has none of that name.
func (of *version) query(name string) (string, error) {
	pack, err := zip.OpenReader(filepath.Join(of.dir, "queries.zip"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer pack.Close()
	text, err := fs.ReadFile(pack, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// manifest reads the manifest of a version, once.
func (l *library) manifest(month tongbao.Month, number int) (m manifest, err error) {
	dir := l.folder(month, number)
	l.mu.Lock()
	m, found := l.manifests[dir]
	l.mu.Unlock()
	if found {
		return m, nil
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, refuse(404, "not_found")
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%s v%d: %w", month, number, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.manifests[dir] = m
	return m, nil
}

func (l *library) folder(month tongbao.Month, number int) string {
	return filepath.Join(l.dir, month.String(), fmt.Sprintf("v%d", number))
}

// shownTables are the bulletin tables that pages print.
var shownTables = strings.Fields(`heading summary community line_unit line_points area building grade coordination site move_top waterfall
	long unit_range quality_load quality_note quality_quarantine correction lost_record exclusion staff method method_setting trend`)

// readTables reads one of a version's two files and closes it again: what is
// shown is held by us, and the engine's memory is for the work.
func (of *version) readTables(ctx context.Context, file string) error {
	db, err := warehouse.Open(ctx, file, warehouse.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	there, err := db.Tables(ctx, "bulletin")
	if err != nil {
		return err
	}
	if there["bulletin.counted_record"] != nil {
		if err := of.readOpened(ctx, db); err != nil {
			return err
		}
	}
	for _, name := range shownTables {
		// A version of an earlier program may have fewer tables.
		if there["bulletin."+name] == nil || of.tables[name] != nil {
			continue
		}
		rows, err := db.Rows(ctx, fmt.Sprintf("select * from bulletin.%s where month = date '%s' order by rowid", name, of.Month.First().Format(time.DateOnly)))
		if err != nil {
			return fmt.Errorf("bulletin.%s: %w", name, err)
		}
		of.tables[name] = newTable(rows)
	}
	return nil
}

var versionName = regexp.MustCompile(`^v([1-9]\d{0,5})$`)

// edition is one month of the archive with its versions, newest first.
type edition struct {
	Month    tongbao.Month
	Current  int
	Versions []int
}

// all lists what is published, newest month first.
func (l *library) all() ([]edition, error) {
	months, err := os.ReadDir(l.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []edition
	for _, entry := range months {
		month, err := tongbao.ParseMonth(entry.Name())
		if err != nil || !entry.IsDir() {
			continue
		}
		one := edition{Month: month}
		if one.Current, err = l.currentNumber(month); err != nil {
			continue // not published yet
		}
		versions, err := os.ReadDir(filepath.Join(l.dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		for _, folder := range versions {
			// A version beyond the pointer is being published.
			if found := versionName.FindStringSubmatch(folder.Name()); found != nil {
				if number, err := strconv.Atoi(found[1]); err == nil && number <= one.Current {
					one.Versions = append(one.Versions, number)
				}
			}
		}
		slices.Sort(one.Versions)
		slices.Reverse(one.Versions)
		list = append(list, one)
	}
	slices.Reverse(list)
	return list, nil
}
