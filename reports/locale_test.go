package reports

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tongbao/templates"
)

// leaves lists every text of a catalogue as "path {names}", so that two
// catalogues are equal when none misses a key or a figure.
func leaves(path string, value any, into *[]string) {
	switch value := value.(type) {
	case map[string]any:
		for key, one := range value {
			if path+"."+key != ".data" { // words of the town's own tables, translated where there is a word
				leaves(path+"."+key, one, into)
			}
		}
	case []any:
		for i, one := range value {
			leaves(fmt.Sprintf("%s[%d]", path, i), one, into)
		}
	case string:
		names := regexp.MustCompile(`\{[a-z_]+\}`).FindAllString(value, -1)
		slices.Sort(names)
		*into = append(*into, fmt.Sprint(path, " ", slices.Compact(names)))
	default:
		*into = append(*into, fmt.Sprint(path, " ", value))
	}
}

// TestLocalesComplete holds every catalogue against the default one.
func TestLocalesComplete(t *testing.T) {
	read := map[string][]string{}
	for _, name := range Locales() {
		text, err := fs.ReadFile(templates.FS, "locale/"+name+".json")
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var list []string
		leaves("", tree, &list)
		// A language may say a month in one figure where another needs two.
		for i := range list {
			list[i] = regexp.MustCompile(`\{(year|number|month|last_tickets_reported)\} ?`).ReplaceAllString(list[i], "")
		}
		slices.Sort(list)
		read[name] = list
	}
	for _, name := range Locales()[1:] {
		if diff := cmp.Diff(read[DefaultLocale], read[name]); diff != "" {
			t.Errorf("%s (-%s +%s)\n%s", name, DefaultLocale, name, diff)
		}
	}
}

// TestLocaleNamesAll holds that the catalogues name every sheet, section and
// column that an edition shows.
func TestLocaleNamesAll(t *testing.T) {
	for _, name := range Locales() {
		words, err := readLocale(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range allSheets() {
			if words.Sheets[s.ID] == "" {
				t.Errorf("%s: no name for sheet %s", name, s.ID)
			}
			for _, section := range s.Sections {
				if _, found := words.Notes[section.ID]; words.Sections[section.ID] == "" || !found {
					t.Errorf("%s: no name or note for section %s", name, section.ID)
				}
				for _, c := range section.Columns {
					if words.column(section.ID, c.Key) == "" {
						t.Errorf("%s: no name for column %s of %s", name, c.Key, section.ID)
					}
				}
			}
		}
	}
}
