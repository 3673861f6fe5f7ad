package pipeline

import (
	"archive/zip"
	"errors"
	"io"
	"os"
)

// queriesFile holds the queries that made a version, as indicator/cg2.sql: the
// workspace's and the program's own may change afterwards.
const queriesFile = "queries.zip"

// packQueries writes them, the same bytes for the same queries.
func (h *House) packQueries(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	pack := zip.NewWriter(file)
	for _, q := range h.Queries {
		entry, err := pack.Create(q.Path)
		if err == nil {
			_, err = io.WriteString(entry, q.SQL)
		}
		if err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(pack.Close(), file.Close())
}
