// Package data holds what a new workspace starts with: the seeds (lines,
// rubric, calendar, …), the source definitions, and the maker of the demo
// town. It knows the shapes of deliveries, not how they are read.
package data

import (
	"embed"
	"io/fs"
)

//go:embed seeds
var seeds embed.FS

//go:embed sources/*.yaml
var sources embed.FS

// Seeds and Sources are the files of data/seeds and data/sources.
var (
	Seeds   = sub(seeds, "seeds")
	Sources = sub(sources, "sources")
)

func sub(files fs.FS, dir string) fs.FS {
	below, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return below
}
