package web

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"tongbao/register"
)

var update = flag.Bool("update", false, "write the table of doors into docs/portal.md")

// TestDocs keeps docs/portal.md true: its table of roles and pages is
// register's, and it names the limits as they are.
func TestDocs(t *testing.T) {
	const file = "../docs/portal.md"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| |")
	all, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range register.Roles() {
		fmt.Fprintf(&table, " %s %s |", role, all[defaultLocale].say("role."+string(role)))
	}
	table.WriteString("\n|---|" + strings.Repeat("---|", len(register.Roles())) + "\n")
	for _, door := range register.Doors() {
		fmt.Fprintf(&table, "| %s |", door)
		for _, role := range register.Roles() {
			fmt.Fprintf(&table, " %s |", map[bool]string{true: "●"}[register.May(role, door)])
		}
		table.WriteString("\n")
	}
	between := regexp.MustCompile(`(?s)(<!-- doors:[^\n]*-->\n).*(<!-- /doors -->)`)
	page := string(content)
	want := between.ReplaceAllString(page, "${1}"+table.String()+"${2}")
	if *update && want != page {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		page = want
	}
	if page != want {
		t.Errorf("%s has another table of doors; run this test with -update", file)
	}
	for _, limit := range []string{
		DefaultListen, fmt.Sprintf("at least %d characters", register.MinPassword), fmt.Sprintf("%d minutes without activity", int(register.SessionIdle.Minutes())),
		fmt.Sprintf("%d hours in all", int(register.SessionMost.Hours())), fmt.Sprintf("%d a minute", int(signInsPerMinute)), fmt.Sprintf("%d a second", int(visitsPerSecond)),
		fmt.Sprintf("headers %d KiB", MaxHeader>>10), fmt.Sprintf("connections %d", MaxConnections), fmt.Sprintf("%d days", auditKeep),
	} {
		if !strings.Contains(page, limit) {
			t.Errorf("%s does not say %q", file, limit)
		}
	}
}
