package etl

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

var updateDocs = flag.Bool("update-docs", false, "rewrite the generated part of docs/sources.md")

const (
	docsBegin = "<!-- keys: written by go test ./etl -run TestDocs -update-docs -->\n"
	docsEnd   = "<!-- end of keys -->\n"
)

// TestDocs holds docs/sources.md to the keys that the program reads.
func TestDocs(t *testing.T) {
	file := filepath.Join("..", "docs", "sources.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, hasBegin := strings.Cut(string(text), docsBegin)
	got, after, hasEnd := strings.Cut(rest, docsEnd)
	if !hasBegin || !hasEnd {
		t.Fatalf("%s has no marks around its keys", file)
	}
	var want strings.Builder
	writeKeys(&want, "A definition", reflect.TypeFor[Definition]())
	writeLimits(&want)
	if got == want.String() {
		return
	}
	if !*updateDocs {
		t.Errorf("%s: the keys are not those of the program; rewrite them with -update-docs and read the diff", file)
		return
	}
	if err := os.WriteFile(file, []byte(before+docsBegin+want.String()+docsEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeKeys writes a table of a struct's keys, then those of the structs in it.
func writeKeys(b *strings.Builder, title string, of reflect.Type) {
	fmt.Fprintf(b, "\n### %s\n\n| key | needed | meaning |\n|---|---|---|\n", title)
	keys := keysOf(of)
	for _, k := range keys {
		needed := ""
		if k.IsNeeded {
			needed = "yes"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", k.Name, needed, strings.ReplaceAll(k.Doc, "|", `\|`))
	}
	for _, k := range keys {
		inner := k.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && len(keysOf(inner)) > 0 {
			writeKeys(b, "`"+k.Name+"`", inner)
		}
	}
}

// writeLimits writes the bounds of what is read. The message that enforces one
// names it.
func writeLimits(b *strings.Builder) {
	printer := message.NewPrinter(language.English)
	const mib = 1 << 20
	b.WriteString("\n### Limits\n\nWhat goes beyond is refused whole, with the limit and the place in the message; nothing of it is loaded.\n\n| of | at most |\n|---|---|\n")
	for _, limit := range []struct {
		of    string
		value int64
		unit  string
	}{
		{"a table", MaxColumns, "columns"},
		{"a delivery", MaxRows, "rows"},
		{"one field or cell", MaxFieldBytes / mib, "MiB"},
		{"one record of a CSV, one line of JSON", MaxRecordBytes / mib, "MiB"},
		{"the rows before the end of a header", MaxHeaderRow, "rows"},
		{"objects within objects in JSON or XML", MaxDepth, "levels"},
		{"one sheet", MaxSheetRows, "rows"},
		{"one workbook", MaxCells, "cells with text"},
		{"the shared texts of a workbook", MaxSharedText / mib, "MiB"},
		{"a workbook or an archive, unpacked", MaxUnzipped / mib, "MiB"},
		{fmt.Sprintf("the same, if it unpacks to more than %d MiB", MinBomb/mib), MaxUnzipRatio, "times its size"},
		{"an archive", MaxMembers, "members"},
		{"one answer of a web server", MaxAnswerBytes / mib, "MiB"},
		{"one list of a web server", MaxPages, "pages"},
		{"a list by page number that changes while it is read", maxWalks, "walks"},
		{"one request to a web server", webTries, "tries"},
		{"the wait before another try, also when the server asks for more", int64(webWaitMost.Seconds()), "seconds"},
		{"the first byte of an answer", int64(webHeaderWait.Seconds()), "seconds"},
		{"the connection to a database", int64(connectTimeout.Seconds()), "seconds"},
	} {
		printer.Fprintf(b, "| %s | %d %s |\n", limit.of, limit.value, limit.unit)
	}
	b.WriteString("\nXML with a document type or entities is refused, and so are an archive with a name that leads out of it, and a file that changes while it is\n" +
		"read. An archive within an archive is not opened. A file of the inbox is left alone until nobody has written it for " + SettleTime.String() + ".\n")
}

// TestDocsSample reads the definition that the page shows, as it stands and
// fetched from the server that the page shows.
func TestDocsSample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	var samples []string
	rest, found := string(text), true
	for {
		var sample string
		if _, rest, found = strings.Cut(rest, "```yaml\n"); !found {
			break
		}
		sample, rest, _ = strings.Cut(rest, "```")
		samples = append(samples, sample)
	}
	if len(samples) != 2 {
		t.Fatalf("docs/sources.md shows %d samples, want a definition and a connect", len(samples))
	}
	if _, err := ParseDefinition("docs/sources.md", []byte(samples[0])); err != nil {
		t.Error(err)
	}
	fetched := regexp.MustCompile(`(?m)^(files|format|sheet): .*\n`).ReplaceAllString(samples[0], "") + samples[1]
	if _, err := ParseDefinition("docs/sources.md", []byte(fetched)); err != nil {
		t.Error(err)
	}
}
