package etl

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Choice narrows a pull, or has it read again what was read before.
type Choice struct {
	Sources  []string  // only these sources, none for all
	Full     bool      // read everything again, whatever the watermark says
	From, To time.Time // backfill: rows from From up to but without To, in the town's own time
}

func (c Choice) takes(source string) bool {
	return len(c.Sources) == 0 || slices.Contains(c.Sources, source)
}

// again says whether rows are read that may have been read before.
func (c Choice) again() bool { return c.Full || !c.From.IsZero() || !c.To.IsZero() }

// Words are the choice as a run keeps it: sources, and flags as on the command
// line. ParseChoice reads them back.
func (c Choice) Words() []string {
	words := slices.Clone(c.Sources)
	if c.Full {
		words = append(words, "--full-refresh")
	}
	for _, bound := range []struct {
		name string
		at   time.Time
	}{{"--from", c.From}, {"--to", c.To}} {
		if !bound.at.IsZero() {
			words = append(words, bound.name+"="+bound.at.Format(time.DateTime))
		}
	}
	return words
}

// ParseChoice reads words as Words writes them; a day does for a moment.
func ParseChoice(words []string) (Choice, error) {
	var c Choice
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		bound := map[string]*time.Time{"--from": &c.From, "--to": &c.To}[name]
		switch {
		case word == "--full-refresh":
			c.Full = true
		case bound != nil:
			at, err := time.Parse(time.DateTime, value)
			if err != nil {
				at, err = time.Parse(time.DateOnly, value)
			}
			if err != nil {
				return c, fmt.Errorf("%s %q: want a day or moment as 2026-10-01 or \"2026-10-01 08:00:00\"", name, value)
			}
			*bound = at
		default:
			c.Sources = append(c.Sources, word)
		}
	}
	if len(c.Sources) == 0 && c.again() {
		return c, fmt.Errorf("--full-refresh, --from and --to need --source")
	}
	return c, nil
}
