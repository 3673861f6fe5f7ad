// Package warehouse is the only package that knows DuckDB: it opens the
// working file, runs the query files layer by layer, runs the checks, copies
// what is published into files of its own and reads those safely.
//
// It does not know what the tables mean. The engine's traps that shape it are
// named where they bite; ARCHITECTURE.md, "The engine", lists them.
package warehouse

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
)

// Limits that a user may meet. The engine's memory_limit bounds its buffers
// only, so it is well below what an office PC has.
const (
	DefaultMemory  = "4GB"
	DefaultThreads = 2
	// storageVersion makes the engine refuse a stale or foreign WAL instead of
	// replaying it silently.
	storageVersion = "v1.5.0"
	// checkpointAt is how far the WAL grows before the engine folds it into the
	// file. At its default of 16 MB every load of a large table did so, and
	// compressed the table's last rows anew: 39 % of 66 loads. Closing folds, too.
	checkpointAt = "128MB"
	// compactAtOnce is how many groups of half-empty row groups one such folding
	// writes anew; the next goes on. At the engine's 100 a commit after a large
	// backlog took 19 s.
	compactAtOnce = "4"
)

//go:embed schema.sql
var schemaSQL string

// DB is an open DuckDB file. One process may have the working file open, and
// must hold the workspace's own lock before it opens it. A path of "" is a
// database in memory.
type DB struct {
	pool  atomic.Pointer[sql.DB]
	write sync.Mutex
	path  string
	opt   Options
}

// Options are the engine's bounds; zero values mean the defaults.
type Options struct {
	Memory   string // as DuckDB writes it: "4GB"
	Threads  int
	ReadOnly bool
}

func (o Options) threads() int { return cmp.Or(o.Threads, DefaultThreads) }

// Open opens the database at path, creates it when it is missing, and makes
// the tables that no query makes.
func Open(ctx context.Context, path string, opt Options) (*DB, error) {
	if path != "" && !opt.ReadOnly {
		// Spill files of a killed process are never removed by the engine.
		if err := os.RemoveAll(path + ".tmp"); err != nil {
			return nil, fmt.Errorf("open warehouse %s: %w", path, err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("open warehouse %s: %w", path, err)
		}
	}
	db := &DB{path: path, opt: opt}
	if err := db.open(ctx); err != nil {
		return nil, fmt.Errorf("open warehouse %s: %w", path, err)
	}
	return db, nil
}

func (db *DB) open(ctx context.Context) error {
	connector, err := duckdb.NewConnector(dsn(db.path, db.opt), nil)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	if db.opt.ReadOnly {
		err = pool.PingContext(ctx)
	} else if _, err = pool.ExecContext(ctx, schemaSQL); err != nil {
		err = fmt.Errorf("make tables: %w", err)
	}
	if err != nil {
		pool.Close()
		return err
	}
	db.pool.Store(pool)
	return nil
}

// Answers returns an error where the engine has given the file up: after a
// checkpoint that failed, on a full disk for one, it refuses every statement
// until the file is opened again.
func (db *DB) Answers(ctx context.Context) error {
	var one int
	return db.SQL().QueryRowContext(ctx, "select 1").Scan(&one)
}

// Revive opens the file again where the engine has given it up. What was
// committed is there again; it needs the disk to have space.
func (db *DB) Revive(ctx context.Context) error {
	if db.Answers(ctx) == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	db.write.Lock()
	defer db.write.Unlock()
	// The engine keeps one instance a path: a new one comes after the last
	// connection to the old one has gone.
	_ = db.SQL().Close()
	if err := db.open(ctx); err != nil {
		return fmt.Errorf("open warehouse %s again: %w", db.path, err)
	}
	return nil
}

func dsn(path string, opt Options) string {
	if opt.Memory == "" {
		opt.Memory = DefaultMemory
	}
	set := url.Values{}
	set.Set("memory_limit", opt.Memory)
	set.Set("threads", fmt.Sprint(opt.threads()))
	// Nothing is fetched at run time.
	set.Set("autoinstall_known_extensions", "false")
	set.Set("autoload_known_extensions", "false")
	if opt.ReadOnly {
		set.Set("access_mode", "READ_ONLY")
	} else if path != "" {
		set.Set("storage_compatibility_version", storageVersion)
		set.Set("checkpoint_threshold", checkpointAt)
		set.Set("max_vacuum_tasks", compactAtOnce)
	}
	return path + "?" + set.Encode()
}

// Divide gives each statement one of so many parts of the engine's threads, for
// work that keeps as many statements running side by side; 1 gives all again.
// A statement on one thread takes a fifth less of the cores in all: its caller
// does not turn round and round while another thread ends, and rows are not
// collected thread by thread and then copied together.
func (db *DB) Divide(ctx context.Context, parts int) error {
	_, err := db.SQL().ExecContext(ctx, fmt.Sprintf("set threads = %d", max(1, db.opt.threads()/parts)))
	return err
}

// Close closes the database; the engine folds its WAL into the file.
func (db *DB) Close() error { return db.SQL().Close() }

// Path returns the file of the database, "" in memory.
func (db *DB) Path() string { return db.path }

// SQL returns the pool for reading. Sessions are shared: it must not be used
// to SET, ATTACH or make temporary tables.
func (db *DB) SQL() *sql.DB { return db.pool.Load() }

// Tx is one writing transaction on a connection of its own; temporary tables
// live until Write returns.
type Tx struct {
	conn   *sql.Conn
	failed error
}

// ErrPoisoned is returned for work on a transaction after a statement failed:
// the engine would answer COMMIT with success and roll back.
var ErrPoisoned = errors.New("an earlier statement of this transaction failed")

// Exec runs one statement.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx.failed != nil {
		return nil, fmt.Errorf("%w: %w", ErrPoisoned, tx.failed)
	}
	result, err := tx.conn.ExecContext(ctx, query, args...)
	if err != nil {
		tx.failed = err
	}
	return result, err
}

// Query runs one query; the caller closes the rows and checks their error.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if tx.failed != nil {
		return nil, fmt.Errorf("%w: %w", ErrPoisoned, tx.failed)
	}
	rows, err := tx.conn.QueryContext(ctx, query, args...)
	if err != nil {
		tx.failed = err
	}
	return rows, err
}

// QueryRow runs a query of one row.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.conn.QueryRowContext(ctx, query, args...)
}

// Write runs work in one transaction. Writers wait for each other, because
// the engine answers a conflict with an error. It commits only if no statement
// failed and work returned nil.
func (db *DB) Write(ctx context.Context, work func(context.Context, *Tx) error) error {
	staged, err := db.Stage(ctx)
	if err != nil {
		return err
	}
	defer staged.Close()
	return staged.Write(ctx, work)
}

// Staged is a connection of its own whose temporary tables are filled before
// its transaction begins: the engine takes the rows of an open transaction for
// none, and plans joins with them the wrong way round. Filling them waits for
// no writer, so the next work is staged while one writes.
type Staged struct {
	db *DB
	tx *Tx
}

// Stage opens a connection to fill; the caller closes it.
func (db *DB) Stage(ctx context.Context) (*Staged, error) {
	conn, err := db.SQL().Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &Staged{db, &Tx{conn: conn}}, nil
}

// Tx is what fills the temporary tables; nothing of it is in the transaction.
func (s *Staged) Tx() *Tx { return s.tx }

// KeepsOrder says whether a CREATE TABLE AS numbers its rows in the order of
// what it reads. A join anywhere in its plan loses the order, and the engine
// makes joins of longer IN lists.
func (s *Staged) KeepsOrder(ctx context.Context, statement string) (bool, error) {
	var name, plan string
	if err := s.tx.conn.QueryRowContext(ctx, "explain "+statement).Scan(&name, &plan); err != nil {
		return false, err
	}
	return strings.Contains(plan, "CREATE_TABLE_AS") && !strings.Contains(plan, "JOIN"), nil
}

// Close drops the connection, and with it the temporary tables.
func (s *Staged) Close() {
	s.tx.conn.Raw(func(any) error { return driver.ErrBadConn })
}

// Write is DB.Write on the connection that was filled.
func (s *Staged) Write(ctx context.Context, work func(context.Context, *Tx) error) error {
	s.db.write.Lock()
	defer s.db.write.Unlock()
	conn := s.tx.conn
	if _, err := conn.ExecContext(ctx, "begin"); err != nil {
		return err
	}
	err := work(ctx, s.tx)
	if err == nil {
		err = s.tx.failed
	}
	if err != nil {
		// The context may be the reason of the failure; the rollback must run.
		if _, undo := conn.ExecContext(context.WithoutCancel(ctx), "rollback"); undo != nil {
			return errors.Join(err, undo)
		}
		return err
	}
	_, err = conn.ExecContext(ctx, "commit")
	return err
}
