// Package reports draws a built or published month as workbook and page, in
// one edition for each audience. It calculates nothing: it prints bulletin.*.
package reports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// Edition is the bulletin for one audience.
type Edition string

// The editions. Unit is one bulletin a community, with its own rows only.
const (
	Leaders       Edition = "leaders"
	Taskforce     Edition = "taskforce"
	Statisticians Edition = "statisticians"
	Unit          Edition = "unit"
	Public        Edition = "public"
)

// Editions lists them in the order of their readers' haste.
func Editions() []Edition { return []Edition{Leaders, Taskforce, Statisticians, Unit, Public} }

// DefaultLocale is the language of what is published by itself.
const DefaultLocale = "zh-Hans"

// Locales lists the languages with a complete catalogue.
func Locales() []string { return []string{DefaultLocale, "zh-Hant", "en"} }

// Options say how a month is drawn.
type Options struct {
	Town    string    // heads the bulletin
	Version int       // 0 for a build that was not published
	Hash    string    // of the data; printed shortened
	Audit   string    // head of the audit log, "" while it is empty
	Made    time.Time // of the build; the document's date
	Edition Edition   // "" is Leaders
	Unit    string    // grid code of the community of a Unit edition
	Locale  string    // "" is DefaultLocale
	Access  Access    // what each edition may show
}

// fileWords name the editions in file names; they are the same in every locale,
// so that a script finds a file without reading a catalogue.
var fileWords = map[Edition]string{Leaders: "领导版", Taskforce: "专班版", Statisticians: "统计版", Unit: "单位版", Public: "公示版"}

// FileName is the name of an edition's file: 通报-2026-10-领导版.html; a unit's
// carries its code, another language than the default its name.
func FileName(of tongbao.Month, opt Options, extension string) string {
	opt = opt.withDefaults()
	name := "通报-" + of.String() + "-" + fileWords[opt.Edition]
	if opt.Edition == Unit {
		name += "-" + opt.Unit
	}
	if opt.Locale != DefaultLocale {
		name += "." + opt.Locale
	}
	return name + "." + extension
}

func (opt Options) withDefaults() Options {
	if opt.Edition == "" {
		opt.Edition = Leaders
	}
	if opt.Locale == "" {
		opt.Locale = DefaultLocale
	}
	return opt
}

// Write draws one edition of the month from the files of a build into dir and
// returns the paths of its page and workbook. The same data give the same page
// byte for byte, and the same cells of the workbook.
func Write(ctx context.Context, files []*warehouse.DB, of tongbao.Month, opt Options, dir string) ([]string, error) {
	tables, err := readTables(ctx, files, of)
	if err != nil {
		return nil, err
	}
	return write(tables, of, opt, dir)
}

// WriteAll draws every edition of the month in the language of opt, one of
// edition Unit for each community.
func WriteAll(ctx context.Context, files []*warehouse.DB, of tongbao.Month, opt Options, dir string) ([]string, error) {
	tables, err := readTables(ctx, files, of)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, edition := range Editions() {
		units := []string{""}
		if edition == Unit {
			units = unitCodes(tables)
		}
		for _, unit := range units {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			one := opt
			one.Edition, one.Unit = edition, unit
			drawn, err := write(tables, of, one, dir)
			if err != nil {
				return nil, err
			}
			paths = append(paths, drawn...)
		}
	}
	return paths, nil
}

func write(all tables, of tongbao.Month, opt Options, dir string) ([]string, error) {
	seen, err := all.seen(opt.withDefaults())
	if err != nil {
		return nil, err
	}
	m, err := newBulletin(seen, of, opt)
	if err != nil {
		return nil, err
	}
	m.Sheets = opt.Access.narrow(m.Sheets, m.Options.Edition)
	htmlPath := filepath.Join(dir, FileName(of, opt, "html"))
	html, err := m.page()
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", htmlPath, err)
	}
	if err := os.WriteFile(htmlPath, html, 0o644); err != nil {
		return nil, err
	}
	xlsxPath := filepath.Join(dir, FileName(of, opt, "xlsx"))
	book, err := m.book()
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", xlsxPath, err)
	}
	defer book.Close()
	// Not SaveAs: it takes no path of more than 207 characters.
	file, err := os.Create(xlsxPath)
	if err != nil {
		return nil, err
	}
	book.Path = xlsxPath // its ending names the kind of book
	if err := errors.Join(book.Write(file), file.Close()); err != nil {
		return nil, err
	}
	return []string{htmlPath, xlsxPath}, nil
}

// unitCodes are the codes of the communities, in the order of the tree.
func unitCodes(tables tables) []string {
	var codes []string
	for _, one := range tables["community"] {
		codes = append(codes, one.get("grid_id"))
	}
	slices.Sort(codes)
	return codes
}
