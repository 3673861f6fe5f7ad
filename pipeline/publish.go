package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
	"tongbao/reports"
	"tongbao/warehouse"
)

// KeptBuilds is how many builds of a month stay; versions stay for good.
const KeptBuilds = 3

// FileHash is a file of a build and what it held.
type FileHash struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Manifest is manifest.json: what a build or version was made from and holds.
type Manifest struct {
	Month   string            `json:"month"`
	Version int               `json:"version,omitempty"` // 0 for a build that was not published
	Build   string            `json:"build"`
	Program string            `json:"program"`
	Rubric  string            `json:"rubric"`
	MadeAt  time.Time         `json:"made_at"`
	Digest  []string          `json:"digest"` // table, rows, hash: equal digests mean equal data
	Counts  map[string]int64  `json:"counts"`
	Inputs  []json.RawMessage `json:"inputs"` // one object a load
	Outputs []FileHash        `json:"outputs"`
	// Policies are the Content-Security-Policy of each page, which a server
	// sends with it.
	Policies map[string]string `json:"policies"`
	// Audit is the head of the audit log when this was made. It is no part of
	// the digest: the log grows whenever somebody looks.
	Audit register.Head `json:"audit"`
}

const manifestName = "manifest.json"

func (h *House) buildAndPublish(ctx context.Context, month tongbao.Month, result *Result, publish bool) error {
	manifest, err := h.manifest(ctx, month)
	if err != nil {
		return fmt.Errorf("build %s: %w", month, err)
	}
	last, err := h.lastVersion(month)
	if err != nil {
		return err
	}
	publishes := publish && !slices.Equal(last.Digest, manifest.Digest)
	if publishes {
		manifest.Version = last.Version + 1
	}
	if result.Build, err = h.build(ctx, month, &manifest); err != nil {
		return fmt.Errorf("build %s: %w", month, err)
	}
	if publishes {
		if err := h.publish(ctx, month, result.Build, manifest); err != nil {
			return fmt.Errorf("publish %s: %w", month, err)
		}
		last, result.IsNew = manifest, true
	}
	result.Version = last.Version
	shown := result.Build
	if last.Version > 0 {
		// A crash may have left the pointer behind the newest version.
		if err := h.point(month, last.Version); err != nil {
			return err
		}
		result.Folder = h.versionDir(month, last.Version)
		shown = result.Folder
	}
	result.Files = nil
	for _, extension := range []string{"html", "xlsx"} {
		result.Files = append(result.Files, filepath.Join(shown, reports.FileName(month, reports.Options{}, extension)))
	}
	return nil
}

// build writes data/builds/<month>/<seq>/ aside and moves it in whole.
func (h *House) build(ctx context.Context, month tongbao.Month, manifest *Manifest) (string, error) {
	parent := h.path("builds", month.String())
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	earlier, err := numbered(parent, buildPattern)
	if err != nil {
		return "", err
	}
	seq := 1
	if len(earlier) > 0 {
		seq = earlier[len(earlier)-1] + 1
	}
	manifest.Build = fmt.Sprintf("%04d", seq)
	final := filepath.Join(parent, manifest.Build)
	temp := final + ".tmp"
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return "", err
	}
	if err := h.fill(ctx, month, temp, *manifest); err != nil {
		return "", err
	}
	if manifest.Outputs, err = hashFiles(temp); err != nil {
		return "", err
	}
	if manifest.Policies, err = policies(temp); err != nil {
		return "", err
	}
	if err := writeJSON(filepath.Join(temp, manifestName), manifest); err != nil {
		return "", err
	}
	if err := syncTree(temp); err != nil {
		return "", err
	}
	warehouse.Failpoint("build.before_rename")
	if err := renameSynced(temp, final); err != nil {
		return "", err
	}
	for i := 0; i+KeptBuilds-1 < len(earlier); i++ {
		if err := os.RemoveAll(filepath.Join(parent, fmt.Sprintf("%04d", earlier[i]))); err != nil {
			return "", err
		}
	}
	return final, nil
}

// fill writes the files of a build.
func (h *House) fill(ctx context.Context, month tongbao.Month, dir string, manifest Manifest) error {
	steps := 4
	h.Progress("build", 0, steps)
	public, restricted, err := h.fileCopies(ctx, month)
	if err != nil {
		return err
	}
	if err := h.db.Snapshot(ctx, filepath.Join(dir, publishedFile), public); err != nil {
		return err
	}
	warehouse.Failpoint("build.snapshot_written")
	if err := h.db.Snapshot(ctx, filepath.Join(dir, recordsFile), restricted); err != nil {
		return err
	}
	h.Progress("build", 1, steps)
	for _, name := range files {
		if err := h.verify(ctx, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	h.Progress("build", 2, steps)
	public, restricted, err = h.monthCopies(ctx, month)
	if err != nil {
		return err
	}
	for name, copies := range map[string][]warehouse.Copy{parquetDir: public, recordsParquet: restricted} {
		if err := h.db.Parquet(ctx, filepath.Join(dir, name), copies); err != nil {
			return err
		}
	}
	if err := h.packQueries(filepath.Join(dir, queriesFile)); err != nil {
		return err
	}
	h.Progress("build", 3, steps)
	err = drawAll(ctx, month, h.Workspace.reportOptions(manifest), dir)
	h.Progress("build", steps, steps)
	return err
}

// publish copies a build to data/published/<month>/v<N>/ aside, moves it in
// whole, and moves the pointer last.
func (h *House) publish(ctx context.Context, month tongbao.Month, build string, manifest Manifest) error {
	final := h.versionDir(month, manifest.Version)
	temp := final + ".tmp"
	if err := copyTree(build, temp); err != nil {
		return err
	}
	if err := syncTree(temp); err != nil {
		return err
	}
	warehouse.Failpoint("publish.before_rename")
	if err := renameSynced(temp, final); err != nil {
		return err
	}
	warehouse.Failpoint("publish.before_pointer")
	if err := h.point(month, manifest.Version); err != nil {
		return err
	}
	warehouse.Failpoint("publish.after_pointer")
	if err := h.register.AddVersion(ctx, month, manifest.Version, manifest.Build, h.Now()); err != nil {
		return err
	}
	return h.register.SetState(ctx, month, register.Provisional, h.Now())
}

// point makes a version the month's current one, and the newest month's
// current one the town's.
func (h *House) point(month tongbao.Month, version int) error {
	if err := writeWhole(h.path("published", month.String(), "CURRENT"), fmt.Appendf(nil, "v%d\n", version)); err != nil {
		return err
	}
	newest := month.String()
	months, err := filepath.Glob(h.path("published", "*", "CURRENT"))
	if err != nil {
		return err
	}
	for _, file := range months {
		newest = max(newest, filepath.Base(filepath.Dir(file)))
	}
	return writeWhole(h.path("published", "CURRENT"), []byte(newest+"\n"))
}

func (w Workspace) versionDir(month tongbao.Month, version int) string {
	return w.path("published", month.String(), fmt.Sprintf("v%d", version))
}

// Current returns the folder of the month's current version; month 0 means the
// newest published month.
func (w Workspace) Current(month tongbao.Month) (dir string, of tongbao.Month, err error) {
	if month == 0 {
		text, err := os.ReadFile(w.path("published", "CURRENT"))
		if err != nil {
			return "", 0, problemf("nothing is published in %s; run \"tongbao run\" first", w.Dir)
		}
		if month, err = tongbao.ParseMonth(strings.TrimSpace(string(text))); err != nil {
			return "", 0, err
		}
	}
	version, err := os.ReadFile(w.path("published", month.String(), "CURRENT"))
	if err != nil {
		return "", 0, problemf("%s is not published in %s; run \"tongbao run --month %s\" first", month, w.Dir, month)
	}
	return w.path("published", month.String(), strings.TrimSpace(string(version))), month, nil
}

var (
	buildPattern   = regexp.MustCompile(`^(\d{4,})$`)
	versionPattern = regexp.MustCompile(`^v(\d+)$`)
)

// lastVersion reads the manifest of the month's newest version; version 0 if
// it has none. The folder's name is given last, so that a version is whole.
func (h *House) lastVersion(month tongbao.Month) (Manifest, error) {
	dir := h.path("published", month.String())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Manifest{}, err
	}
	versions, err := numbered(dir, versionPattern)
	if err != nil || len(versions) == 0 {
		return Manifest{}, err
	}
	var manifest Manifest
	err = readJSON(filepath.Join(h.versionDir(month, versions[len(versions)-1]), manifestName), &manifest)
	return manifest, err
}

// numbered lists the numbers of the entries of dir that match, ascending.
func numbered(dir string, pattern *regexp.Regexp) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, entry := range entries {
		if match := pattern.FindStringSubmatch(entry.Name()); match != nil {
			number, err := strconv.Atoi(match[1])
			if err != nil {
				return nil, err
			}
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
