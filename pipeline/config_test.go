package pipeline

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the keys of tongbao.yaml into docs/operations.md")

const operations = "../docs/operations.md"

// keyTable is the table of every key of tongbao.yaml, from the tags of Config.
func keyTable(t *testing.T) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("| key | what it is |\n|---|---|\n")
	var walk func(prefix string, kind reflect.Type)
	walk = func(prefix string, kind reflect.Type) {
		for i := range kind.NumField() {
			field := kind.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if !field.IsExported() || name == "" {
				continue
			}
			doc := field.Tag.Get("doc")
			if doc == "" {
				t.Errorf("%s%s has no words", prefix, name)
			}
			fmt.Fprintf(&table, "| `%s%s` | %s |\n", prefix, name, strings.ReplaceAll(doc, "|", "\\|"))
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch {
			case inner.Kind() == reflect.Struct:
				walk(prefix+name+": ", inner)
			case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct && inner.Elem() != reflect.TypeFor[Step]():
				walk(prefix+name+"[]: ", inner.Elem())
			}
		}
	}
	walk("", reflect.TypeFor[Config]())
	return table.String()
}

// TestEveryKeyIsExplained keeps docs/operations.md true: it has every key of
// tongbao.yaml in the program's own words, and names every step, variable and
// metric.
func TestEveryKeyIsExplained(t *testing.T) {
	text, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	between := regexp.MustCompile(`(?s)(<!-- keys:[^\n]*-->\n).*(<!-- /keys -->)`)
	page := string(text)
	want := between.ReplaceAllStringFunc(page, func(found string) string {
		parts := between.FindStringSubmatch(found)
		return parts[1] + keyTable(t) + parts[2]
	})
	if *update && want != page {
		if err := os.WriteFile(operations, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		page = want
	}
	if page != want || !strings.Contains(page, "`jobs[]: retry_delay`") {
		t.Errorf("%s does not have the keys as they are; run this test with -update and read the diff", operations)
	}
	words := append([]string{PassphraseVariable, IdentityVariable, fmt.Sprint(MinKeepDays)}, noticeEvents...)
	words = append(words, stepNames...)
	source, err := os.ReadFile("meter.go")
	if err != nil {
		t.Fatal(err)
	}
	metrics := regexp.MustCompile(`tongbao_[a-z_]+`).FindAllString(string(source), -1)
	if len(metrics) < 15 {
		t.Fatalf("got metrics %q", metrics)
	}
	for _, word := range append(words, metrics...) {
		if !strings.Contains(page, word) {
			t.Errorf("%s does not name %s", operations, word)
		}
	}
}

// TestConfigOfInit: what init writes is read back, and has a line for each key
// that a town sets first.
func TestConfigOfInit(t *testing.T) {
	w := workspace(t, plainTown(t))
	jobs, err := w.jobs(testNow())
	if err != nil || len(jobs) < 3 {
		t.Fatalf("got %d jobs, %v", len(jobs), err)
	}
	tidies := false
	for _, job := range jobs {
		for _, step := range job.plan() {
			tidies = tidies || step.Step == "prune"
		}
	}
	if !tidies || w.Config.Listen != DefaultListen || w.Config.Log.KeepDays != MinKeepDays {
		t.Errorf("got %+v", w.Config)
	}
}
