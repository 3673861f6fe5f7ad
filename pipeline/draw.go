package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tongbao"
	"tongbao/register"
	"tongbao/reports"
	"tongbao/warehouse"
)

// Edition names one bulletin of a month that is asked for: reports.Editions,
// reports.Locales; unit is a community's code, for the edition of a unit.
type Edition struct{ Edition, Unit, Locale string }

// AllEditions asks for every edition, a unit's for each community.
const AllEditions = "all"

// reportOptions are what the reports print of a build or version.
func (w Workspace) reportOptions(manifest Manifest) reports.Options {
	sum := sha256.Sum256([]byte(strings.Join(manifest.Digest, "\n")))
	return reports.Options{Town: w.Config.Town, Version: manifest.Version, Hash: hex.EncodeToString(sum[:]), Audit: manifest.Audit.String(), Made: manifest.MadeAt, Access: access()}
}

// access hands the one table of who sees what to the reports.
func access() reports.Access {
	all := reports.Access{}
	for _, audience := range register.Audiences() {
		sights := map[string]reports.Sight{}
		for table, sight := range register.Seen(audience) {
			sights[table] = reports.Sight(sight)
		}
		all[reports.Edition(audience)] = sights
	}
	return all
}

// withFiles opens the two files of a build for reading; of a table that is in
// both the first has it whole.
func withFiles(ctx context.Context, dir string, do func([]*warehouse.DB) error) error {
	var open []*warehouse.DB
	for _, name := range files {
		db, err := warehouse.Open(ctx, filepath.Join(dir, name), warehouse.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		defer db.Close()
		open = append(open, db)
	}
	return do(open)
}

// drawAll writes all editions of the month from the files of a build, which
// lie in dir, into dir.
func drawAll(ctx context.Context, month tongbao.Month, opt reports.Options, dir string) error {
	return withFiles(ctx, dir, func(files []*warehouse.DB) error {
		_, err := reports.WriteAll(ctx, files, month, opt, dir)
		return err
	})
}

// policies reads the Content-Security-Policy that each page of a folder carries.
func policies(dir string) (map[string]string, error) {
	pages, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		if found[filepath.Base(page)], err = reports.Policy(content); err != nil {
			return nil, fmt.Errorf("%s: %w", page, err)
		}
	}
	return found, nil
}

// Redraw writes an edition of a build or version, the folder dir, into out and
// returns the paths. It computes nothing and needs no lock: neither a build
// nor a version ever changes.
func Redraw(ctx context.Context, workspace, dir string, month tongbao.Month, edition Edition, out string) ([]string, error) {
	w, err := FindWorkspace(workspace)
	if err != nil {
		return nil, err
	}
	if err := edition.check(); err != nil {
		return nil, err
	}
	var manifest Manifest
	if err := readJSON(filepath.Join(dir, manifestName), &manifest); err != nil {
		return nil, err
	}
	opt := w.reportOptions(manifest)
	opt.Locale = edition.Locale
	var paths []string
	err = withFiles(ctx, dir, func(files []*warehouse.DB) (err error) {
		if edition.Edition == AllEditions {
			paths, err = reports.WriteAll(ctx, files, month, opt, out)
			return err
		}
		opt.Edition, opt.Unit = reports.Edition(edition.Edition), edition.Unit
		paths, err = reports.Write(ctx, files, month, opt, out)
		return err
	})
	return paths, err
}

// check refuses what no edition has, before anything is opened.
func (e Edition) check() error {
	names := []string{AllEditions}
	known := e.Edition == AllEditions
	for _, name := range reports.Editions() {
		names = append(names, string(name))
		known = known || string(name) == e.Edition
	}
	if !known {
		return problemf("edition %q: want one of %s", e.Edition, strings.Join(names, ", "))
	}
	if !slices.Contains(reports.Locales(), e.Locale) {
		return problemf("locale %q: want one of %s", e.Locale, strings.Join(reports.Locales(), ", "))
	}
	if (e.Edition == string(reports.Unit)) != (e.Unit != "") {
		return problemf("unit %q: a community's code goes with the edition unit, and with no other", e.Unit)
	}
	return nil
}

// BuildDir is the folder of a build of the month, as 0003.
func (w Workspace) BuildDir(month tongbao.Month, build string) (string, error) {
	dir := w.path("builds", month.String(), build)
	if !buildPattern.MatchString(build) || !isFolder(dir) {
		return "", problemf("build %q of %s: there is none; the last %d builds of a month are kept in %s", build, month, KeptBuilds, w.path("builds", month.String()))
	}
	return dir, nil
}
