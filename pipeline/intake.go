package pipeline

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"tongbao/etl"
	"tongbao/warehouse"
)

// intake gathers what etl needs: the seeds loaded, the source definitions,
// the queries of the core facts, and the salt.
func (h *House) intake(ctx context.Context) (etl.Intake, error) {
	if err := h.seed(ctx); err != nil {
		return etl.Intake{}, err
	}
	definitions, err := h.definitions()
	if err != nil {
		return etl.Intake{}, err
	}
	if len(definitions) == 0 {
		return etl.Intake{}, problemf("%s has no source definition", h.sourcesDir())
	}
	salt, err := h.register.Salt(ctx)
	if err != nil {
		return etl.Intake{}, fmt.Errorf("read the salt: %w", err)
	}
	return etl.Intake{
		Inbox: h.inboxDir(), Raw: h.rawDir(), Definitions: definitions, Core: coreQueries(h.Queries), Salt: salt, Settle: etl.SettleTime,
		Now:      h.Now,
		Progress: func(done, total int) { h.Progress("take in", done, total) },
	}, nil
}

// seed brings the seed tables up to data/seeds/; a run that finds the files as
// the last one left them has nothing to load.
func (h *House) seed(ctx context.Context) error {
	sum := sha256.New()
	if err := hashSeeds(sum, h.seedsDir()); err != nil {
		return &Problem{err}
	}
	digest := string(sum.Sum(nil))
	if digest == h.seeded {
		return nil
	}
	if err := h.loadSeeds(ctx, h.db); err != nil {
		return err
	}
	h.seeded = digest
	return nil
}

// hashSeeds writes names and texts of all seeds.
func hashSeeds(into io.Writer, dir string) error {
	seeds := os.DirFS(dir)
	return fs.WalkDir(seeds, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(seeds, name)
		fmt.Fprintf(into, "%s\n%s\n", path.Clean(name), text)
		return err
	})
}

// coreQueries are the SELECTs that shape the facts, by fact.
func coreQueries(queries []warehouse.Query) map[string]string {
	core := map[string]string{}
	for _, q := range queries {
		if q.Build == warehouse.BuildMerge {
			core[q.Name] = q.SQL
		}
	}
	return core
}
