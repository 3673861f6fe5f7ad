// Package pipeline knows what runs, in what order and when: it opens a
// workspace, takes deliveries in, computes the months that they touch, checks
// them, makes a build and publishes it. It knows no SQL of the assessment and
// no file format of a source.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"tongbao/etl"
	"tongbao/queries"
	"tongbao/register"
	"tongbao/warehouse"
)

// Config is tongbao.yaml. The doc tags are the words of docs/operations.md.
type Config struct {
	Town    string `yaml:"town" doc:"name that heads the bulletin"`
	Publish string `yaml:"publish" doc:"auto: a run that passes its checks publishes by itself; manual (if absent): an act of the taskforce does"`
	Memory  string `yaml:"memory,omitempty" doc:"bound of the engine's buffers; 4GB if absent. The program needs about 500 MB besides"`
	Threads int    `yaml:"threads,omitempty" doc:"threads of the engine; 2 if absent"`
	Listen  string `yaml:"listen,omitempty" doc:"address of /healthz, /readyz and /metrics of the service; 127.0.0.1:9720 if absent, off for none. In force from the next start"`

	Portal *PortalConfig `yaml:"portal,omitempty" doc:"the portal; without this key there is none"`
	Pgwire *PgwireConfig `yaml:"pgwire,omitempty" doc:"the PostgreSQL door for psql, DBeaver, R and Python (docs/sql.md); without this key there is none. Linux only"`
	Log    LogConfig     `yaml:"log,omitempty" doc:"the service's log"`
	Backup BackupConfig  `yaml:"backup,omitempty" doc:"backups"`
	Notify NotifyConfig  `yaml:"notify,omitempty" doc:"who is told what"`
	Jobs   []Job         `yaml:"jobs,omitempty" doc:"what the service does, and when"`

	text []byte // of the file
}

// ConfigName is the file that makes a folder a workspace.
const ConfigName = "tongbao.yaml"

// Problem is an error of usage or configuration: what is wrong, and where.
// The command ends with exit code 2 for it.
type Problem struct{ Err error }

func (p *Problem) Error() string { return p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

func problemf(format string, args ...any) error {
	return &Problem{fmt.Errorf(format, args...)}
}

// Workspace is a folder with tongbao.yaml and data/.
type Workspace struct {
	Dir    string
	Config Config
}

func (w Workspace) path(parts ...string) string {
	return filepath.Join(append([]string{w.Dir, "data"}, parts...)...)
}

func (w Workspace) configFile() string  { return filepath.Join(w.Dir, ConfigName) }
func (w Workspace) seedsDir() string    { return w.path("seeds") }
func (w Workspace) sourcesDir() string  { return w.path("sources") }
func (w Workspace) inboxDir() string    { return w.path("inbox") }
func (w Workspace) rawDir() string      { return w.path("raw") }
func (w Workspace) workingFile() string { return w.path("warehouse", "work.duckdb") }

// FindWorkspace reads the configuration of the workspace in dir.
func FindWorkspace(dir string) (Workspace, error) {
	file := Workspace{Dir: dir}.configFile()
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Workspace{}, problemf("%s: no workspace here; make one with \"tongbao init %s\"", file, dir)
	}
	if err != nil {
		return Workspace{}, &Problem{err}
	}
	w := Workspace{Dir: dir, Config: Config{Publish: "manual", text: content}}
	if err := etl.DecodeYAML(file, content, &w.Config); err != nil {
		return Workspace{}, w.wrongConfig(content, err)
	}
	if err := w.Config.check(); err != nil {
		return Workspace{}, w.wrongConfig(content, err)
	}
	return w, nil
}

// check fills in what is absent and returns the first value that is wrong.
func (c *Config) check() error {
	if c.Town == "" {
		return keyf("town", "missing; it heads the bulletin")
	}
	if c.Publish != "auto" && c.Publish != "manual" {
		return keyf("publish", "%q: want auto or manual", c.Publish)
	}
	for _, part := range []struct {
		key string
		err error
	}{{"log", c.Log.check()}, {"backup", c.Backup.check()}, {"notify", c.Notify.check()}, {"portal", c.Portal.check()}, {"pgwire", c.Pgwire.check()}, {"listen", checkListen(c.Listen)}} {
		if part.err != nil {
			return under(part.key, "", part.err)
		}
	}
	return nil
}

// queryFiles are the embedded queries; a file under the workspace's own
// queries/ takes the place of the embedded one of the same path.
func (w Workspace) queryFiles() fs.FS {
	return overlay{over: os.DirFS(filepath.Join(w.Dir, "queries")), under: queries.FS}
}

// overlay shows the files of two trees; those of over hide those of under.
type overlay struct{ over, under fs.FS }

func (o overlay) Open(name string) (fs.File, error) {
	if file, err := o.over.Open(name); err == nil {
		return file, nil
	}
	return o.under.Open(name)
}

// Glob lists the matches in both trees, each name once, sorted.
func (o overlay) Glob(pattern string) ([]string, error) {
	below, err := fs.Glob(o.under, pattern)
	if err != nil {
		return nil, err
	}
	above, err := fs.Glob(o.over, pattern)
	if err != nil {
		return nil, err
	}
	all := append(below, above...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// House is an open workspace: the only process that may write it.
type House struct {
	Workspace
	Queries  []warehouse.Query
	Now      func() time.Time
	Progress func(step string, done, total int) // nil shows nothing

	program     string
	verify      func(ctx context.Context, path string) error
	reasonWords func(string) string
	db          *warehouse.DB
	register    *register.Register
	lock        *flock.Flock
	seeded      string // digest of the seeds that the seed tables were loaded from, "" if not yet
	onRun       []func(register.Run)
	telling     sync.Mutex
	left        []register.Run // what a killed process left running, closed when we came
}

// Options of Open.
type Options struct {
	Program  string // version of the program, printed in manifests
	Now      func() time.Time
	Progress func(step string, done, total int)
	// Verify reads a published file through, in a process of its own; nil reads
	// it in this one.
	Verify func(ctx context.Context, path string) error
	// Reasons puts the reason of a quarantined row into words; nil leaves it.
	Reasons func(reason string) string
}

// Open takes the workspace's lock, opens what it holds, and clears away what
// a killed process left half-made.
func Open(ctx context.Context, dir string, opt Options) (house *House, err error) {
	w, err := FindWorkspace(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.path(), 0o755); err != nil {
		return nil, err
	}
	h := &House{Workspace: w, Now: opt.Now, Progress: opt.Progress, program: opt.Program, verify: opt.Verify, reasonWords: opt.Reasons}
	if h.verify == nil {
		h.verify = warehouse.Verify
	}
	if h.reasonWords == nil {
		h.reasonWords = func(reason string) string { return reason }
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Progress == nil {
		h.Progress = func(string, int, int) {}
	}
	// Our own lock comes before DuckDB's, so that a second process is told who
	// works here in plain words.
	if err := h.takeLock(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if h.Queries, err = warehouse.ReadQueries(w.queryFiles()); err != nil {
		return nil, &Problem{fmt.Errorf("queries: %w", err)}
	}
	if h.register, err = register.Open(ctx, w.path("register.db")); err != nil {
		return nil, err
	}
	if h.db, err = warehouse.Open(ctx, w.workingFile(), w.engine()); err != nil {
		return nil, err
	}
	if err := h.db.MakeTables(ctx, h.Queries); err != nil {
		return nil, fmt.Errorf("make tables: %w", err)
	}
	if err := h.clearHalfMade(); err != nil {
		return nil, err
	}
	return h, h.closeInterrupted(ctx)
}

// closeInterrupted closes the runs that a killed process left running. While
// the jobs cannot be read they wait: nobody could say whether to try again.
func (h *House) closeInterrupted(ctx context.Context) error {
	jobs, err := h.jobs(h.Now())
	if err != nil {
		return nil // serve and validate say what is wrong
	}
	h.left, err = dispatcher{register: h.register, jobs: jobs}.left(ctx, h.Now())
	for _, run := range h.left {
		err = errors.Join(err, h.end(ctx, run, jobs))
	}
	if err != nil {
		return fmt.Errorf("close interrupted runs: %w", err)
	}
	return nil
}

func (w Workspace) engine() warehouse.Options {
	return warehouse.Options{Memory: w.Config.Memory, Threads: w.Config.Threads}
}

// Close gives the workspace back.
func (h *House) Close() error {
	var failed []error
	if h.db != nil {
		failed = append(failed, h.db.Close())
	}
	if h.register != nil {
		failed = append(failed, h.register.Close())
	}
	if h.lock != nil {
		failed = append(failed, h.lock.Unlock())
	}
	return errors.Join(failed...)
}

// clearHalfMade removes builds, versions and files that were never given their
// name; they lie under *.tmp until they are whole.
func (h *House) clearHalfMade() error {
	for _, pattern := range []string{"builds/*/*.tmp", "published/*/*.tmp", "published/*.tmp", "runs/*/*.tmp"} {
		paths, err := filepath.Glob(h.path(filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return h.clearExchange()
}
