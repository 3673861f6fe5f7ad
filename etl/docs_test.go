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
