// Package hostile has the written list of statements that must do no harm, and
// of those that people need, with what becomes of each. The tests of every door
// to the published data read it; nothing else does.
package hostile

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed hostile.txt
var hostileText string

//go:embed welcome.txt
var welcomeText string

// Statement is one case of a list.
type Statement struct {
	ID      string
	Code    string   // of the guard's refusal; "" if it lets the statement run
	Ends    []string // how its process may end it, if it runs
	IsShort bool     // goes through every door in every test run, the others under SOAK
	Text    string
}

// Hostile lists the statements that must do no harm; dir is the folder of the
// published file, which some of them name.
func Hostile(dir string) []Statement { return read(hostileText, dir) }

// Welcome lists the statements that must be answered.
func Welcome(dir string) []Statement { return read(welcomeText, dir) }

var (
	head     = regexp.MustCompile(`^([A-Z]\d\d) (refused|child) (.+?)( \*)?$`)
	repeated = regexp.MustCompile(`<<((?s).+?)\*(\d+)>>`)
	special  = strings.NewReplacer("<<NUL>>", "\x00", "<<BAD>>", "\xff")
)

// read panics on a list that is not written as its head says: only tests read it.
func read(list, dir string) []Statement {
	var all []Statement
	for block := range strings.SplitSeq(list, "\n\n") {
		first, body, _ := strings.Cut(strings.TrimSpace(block), "\n")
		match := head.FindStringSubmatch(first)
		if match == nil {
			if first != "" && !strings.HasPrefix(first, "#") {
				panic(fmt.Sprintf("%q is no head of a case", first))
			}
			continue
		}
		one := Statement{ID: match[1], IsShort: match[4] != ""}
		if match[2] == "refused" {
			one.Code = match[3]
		} else {
			one.Ends = strings.Fields(match[3])
		}
		one.Text = special.Replace(repeated.ReplaceAllStringFunc(body, func(found string) string {
			parts := repeated.FindStringSubmatch(found)
			times, err := strconv.Atoi(parts[2])
			if err != nil {
				panic(err)
			}
			return strings.Repeat(parts[1], times)
		}))
		one.Text = strings.ReplaceAll(one.Text, "$DIR", dir)
		all = append(all, one)
	}
	return all
}
