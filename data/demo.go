package data

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"tongbao"
)

// Demo says what made-up town to write. The same Demo gives the same bytes.
type Demo struct {
	Dir     string // workspace; seeds go to data/seeds, deliveries to data/inbox
	Months  int    // months of deliveries, the last of them Until
	Until   tongbao.Month
	Seed    uint64
	Grids   int // building grids
	Tickets int // tickets in all; 0 means about 280 a month
}

// Above this many tickets everything goes into CSV files in UTF-8: workbooks
// and GB18030 of that size are of no use to anybody.
const manyTickets = 200_000

// maker writes one town.
type maker struct {
	Demo
	town  town
	cal   calendar
	truth *Truth
	open  []*ticket // reported before and still moving at the last delivery
	fixed []*repair // repairs of the last twelve months, for rework
	going []*repair // repairs that still move
	fund  []fundEntry
	next  struct{ ticket, repair, fund, event, activity int }
}

// WriteDemo writes the town: seeds, deliveries month by month, and the truth
// (data/truth.json), which says what the pipeline must find.
func WriteDemo(ctx context.Context, demo Demo) (*Truth, error) {
	for _, folder := range []string{"seeds", "inbox"} {
		if err := os.MkdirAll(filepath.Join(demo.Dir, "data", folder), 0o755); err != nil {
			return nil, err
		}
	}
	m := &maker{Demo: demo, truth: newTruth()}
	var err error
	if m.cal, err = readCalendar(); err != nil {
		return nil, err
	}
	m.town = makeTown(m.rng("town", 0), demo)
	if err := m.writeTown(); err != nil {
		return nil, err
	}
	for month := demo.Until.Add(1 - demo.Months); month <= demo.Until; month++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, write := range []func(tongbao.Month) error{
			m.writeTickets, m.writeRepairs, m.writeActivities, m.writeReturns, m.writeEvents,
		} {
			if err := write(month); err != nil {
				return nil, fmt.Errorf("demo %s: %w", month, err)
			}
		}
	}
	text, err := json.MarshalIndent(m.truth, "", " ")
	if err != nil {
		return nil, err
	}
	return m.truth, os.WriteFile(filepath.Join(demo.Dir, "data", "truth.json"), append(text, '\n'), 0o644)
}

// rng is a source of chance of its own for each purpose and month, so that a
// change in one place leaves the rest of the town as it was.
func (m *maker) rng(purpose string, month tongbao.Month) *rand.Rand {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%s %d", purpose, month)
	return rand.New(rand.NewPCG(m.Seed, sum.Sum64()))
}

// inbox is the path of a delivery.
func (m *maker) inbox(name string) string { return filepath.Join(m.Dir, "data", "inbox", name) }

// monthEnd is the first moment after the month.
func monthEnd(month tongbao.Month) time.Time { return month.Next().First() }

// closingDay is the day on which the month's second deliveries come: the 3rd
// of the next month, in a few months only the 18th, long after the cut-off.
func closingDay(month tongbao.Month, source string) time.Time {
	day := monthEnd(month).AddDate(0, 0, 2)
	if source == "platform" && month%6 == 4 {
		day = day.AddDate(0, 0, 15)
	}
	return day
}

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

func pick[T any](r *rand.Rand, items []T) T { return items[r.IntN(len(items))] }

// weighted returns an index with a chance in proportion to its weight.
func weighted(r *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := r.IntN(sum)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}
