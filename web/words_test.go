package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"tongbao/templates"
)

// TestWordsAreComplete: all three catalogues have the same keys with the same
// places to fill, and every key that a template names.
func TestWordsAreComplete(t *testing.T) {
	all, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	places := regexp.MustCompile(`\{\d\}`)
	for key, text := range all[defaultLocale].text {
		for _, name := range localeNames() {
			other, found := all[name].text[key]
			if !found || other == "" {
				t.Errorf("%s has no %q", name, key)
			} else if got, want := len(places.FindAllString(other, -1)), len(places.FindAllString(text, -1)); got != want {
				t.Errorf("%s: %q has %d places, want %d", name, key, got, want)
			}
		}
	}
	for _, name := range localeNames() {
		for key := range all[name].text {
			if _, found := all[defaultLocale].text[key]; !found {
				t.Errorf("%s alone has %q", name, key)
			}
		}
	}
	used := regexp.MustCompile(`\bt "([^"]+)"`)
	han := regexp.MustCompile(`\p{Han}`)
	files, _ := fs.Glob(templates.FS, "portal/*.html")
	for _, file := range files {
		text, err := fs.ReadFile(templates.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range used.FindAllStringSubmatch(string(text), -1) {
			if _, known := all[defaultLocale].text[found[1]]; !known {
				t.Errorf("%s: no text for %q", file, found[1])
			}
		}
		for prefix := range prefixes(string(text)) {
			if !hasPrefix(all[defaultLocale].text, prefix) {
				t.Errorf("%s: no text for %q…", file, prefix)
			}
		}
		if han.Match(text) || strings.Contains(string(text), "style=") || strings.Contains(string(text), "<script>") {
			t.Errorf("%s: words belong into the catalogues, styles and scripts into their files", file)
		}
	}
	for _, one := range (&Server{}).routes() {
		if one.nav != "" && all["en"].say("nav."+one.nav) == "nav."+one.nav {
			t.Errorf("%s: no word for the navigation", one.pattern)
		}
	}
}

// prefixes are those of keys that a template puts together.
func prefixes(text string) map[string]bool {
	found := map[string]bool{}
	for _, one := range regexp.MustCompile(`t \(print "([^"]+)"`).FindAllStringSubmatch(text, -1) {
		found[one[1]] = true
	}
	return found
}

func hasPrefix(texts map[string]string, prefix string) bool {
	for key := range texts {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
