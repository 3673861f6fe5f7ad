package register

import (
	"regexp"
	"strings"
)

// File is what a published file's name says of whom it is for.
type File struct {
	Audience Audience // "" for a name that nobody knows
	Unit     string   // code of the community of a Unit edition
}

// editionFile is a bulletin: 通报-2026-10-单位版-329118110201.en.html.
var editionFile = regexp.MustCompile(`^通报-\d{4}-\d{2}-(领导版|专班版|统计版|单位版|公示版)(?:-(\d+))?(?:\.[a-zA-Z-]+)?\.(?:html|xlsx)$`)

var editionWords = map[string]Audience{"领导版": Leaders, "专班版": Taskforce, "统计版": Statisticians, "单位版": Unit, "公示版": Public}

// FileOf reads a published file's name, as the manifest has it.
func FileOf(name string) File {
	if found := editionFile.FindStringSubmatch(name); found != nil {
		return File{editionWords[found[1]], found[2]}
	}
	switch folder, _, _ := strings.Cut(name, "/"); folder {
	case "warehouse.duckdb", "parquet", "queries.zip":
		return File{Audience: Statisticians}
	case "records.duckdb", "parquet-records":
		return File{Audience: Taskforce}
	}
	return File{}
}

// MayHave says whether an account may have a published file: what is for the
// public, what is for its own audience, of a unit's editions its own; the
// taskforce all.
func MayHave(a Account, f File) bool {
	switch audience := AudienceOf(a.Role); {
	case f.Audience == "" || audience == "":
		return false
	case f.Audience == Public || audience == Taskforce:
		return true
	case audience == Unit:
		return f.Audience == Unit && f.Unit == a.Unit
	default:
		return f.Audience == audience
	}
}
