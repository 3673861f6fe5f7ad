package etl

import (
	"context"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"tongbao/warehouse"
)

// What a definition agrees on with its source, besides types and names: what
// is done with columns and rows that are not as agreed.

// Answers to a column that was not agreed on.
const (
	evolve        = "evolve"
	freeze        = "freeze"
	discardColumn = "discard_column"
	quarantine    = "quarantine"
)

var (
	contractAnswers = []string{evolve, freeze, discardColumn, quarantine}
	badAnswers      = []string{quarantine, "fail"}
)

// The share of bad rows above which a delivery is refused, where its
// definition does not say one. Of a handful of rows a share says little.
const (
	DefaultBadShare = 50 // percent
	minSharedRows   = 20
)

// Range is the least and the most accepted value; "" is no bound.
type Range []string

// UnmarshalYAML reads a list of two, in which null is no bound.
func (r *Range) UnmarshalYAML(decode func(any) error) error {
	var bounds []*string
	if err := decode(&bounds); err != nil {
		return err
	}
	*r = make(Range, len(bounds))
	for i, bound := range bounds {
		if bound != nil {
			(*r)[i] = *bound
		}
	}
	return nil
}

func (d *Definition) checkContract() error {
	for _, one := range []struct {
		key, value string
		words      []string
	}{{"on_unknown", d.OnUnknown, contractAnswers}, {"on_missing", d.OnMissing, contractAnswers}, {"on_bad", d.OnBad, badAnswers}} {
		if one.value != "" && !slices.Contains(one.words, one.value) {
			return fmt.Errorf("%s: %q: want one of %s", one.key, one.value, strings.Join(one.words, ", "))
		}
	}
	if d.MaxBadShare != nil && (*d.MaxBadShare < 0 || *d.MaxBadShare > 100) {
		return fmt.Errorf("max_bad_share: %d: want 0 to 100", *d.MaxBadShare)
	}
	for i, c := range d.Columns {
		where := fmt.Sprintf("columns[%d] (%s)", i, strings.Join(c.From, "|")+c.Capture)
		if (c.Unique || c.Range != nil || c.Pattern != "") && (c.To == "" || c.Capture != "") {
			return fmt.Errorf("%s: unique, range and pattern need a from and a to", where)
		}
		if _, err := regexp.Compile(c.Pattern); err != nil {
			return fmt.Errorf("%s: pattern: %w", where, err)
		}
		if err := c.Range.check(targets[d.Target][c.To]); c.Range != nil && err != nil {
			return fmt.Errorf("%s: range: %w", where, err)
		}
	}
	return nil
}

func (r Range) check(kind string) error {
	isTime := kind == moment || kind == day
	if !isTime && kind != integer && !strings.HasPrefix(kind, "DECIMAL") {
		return fmt.Errorf("only numbers, days and moments have one")
	}
	if len(r) != 2 || r[0] == "" && r[1] == "" {
		return fmt.Errorf("want [least, most], ~ for no bound")
	}
	for _, bound := range r {
		_, isNumber := new(big.Rat).SetString(bound)
		_, err := time.Parse("2006-01-02", bound)
		if bound != "" && (isTime && err != nil || !isTime && !isNumber) {
			return fmt.Errorf("%q: want a %s", bound, map[bool]string{true: "day such as 2026-01-31", false: "number"}[isTime])
		}
	}
	return nil
}

// agreed notes the faults of a typed column that breaks its range or pattern,
// which show what the given one shows.
func (t *typing) agreed(c Column, raw, kind string, shown fault) {
	add := func(condition, reason string) {
		shown.condition, shown.reason = condition, reason
		t.faults = append(t.faults, shown)
	}
	if c.Pattern != "" {
		add(fmt.Sprintf("not regexp_full_match(%s, %s)", raw, literal(c.Pattern)), "bad_pattern")
	}
	if c.Range == nil {
		return
	}
	var outside []string
	for i, sign := range []string{"<", ">"} {
		if c.Range[i] != "" {
			// The last day of a range of moments counts whole.
			value := fmt.Sprintf("cast(%s as %s)", literal(c.Range[i]), kind)
			if kind == moment && sign == ">" {
				value, sign = value+" + interval 1 day", ">="
			}
			outside = append(outside, fmt.Sprintf("t_%s %s %s", c.To, sign, value))
		}
	}
	add(strings.Join(outside, " or "), "out_of_range")
}

// checkHeader refuses a delivery whose columns differ where the definition
// freezes them. A lacking required one was refused with the header.
func (d *Definition) checkHeader(h header) error {
	if d.OnUnknown == freeze && len(h.unknown) > 0 {
		return &FileError{What: "has columns that its definition does not name: " + strings.Join(h.unknown, ", ") + " (on_unknown: freeze)",
			Do: "name them in " + d.file + ", with or without a to, or ask the source why they are new"}
	}
	if d.OnMissing == freeze && len(h.absent) > 0 {
		return &FileError{What: "lacks the columns " + strings.Join(h.absent, ", ") + " (on_missing: freeze)",
			Do: "export it again with them, or take them out of " + d.file}
	}
	return nil
}

// headerFaults makes every row of a delivery wait whose columns differ, where
// the definition says so.
func (d *Definition) headerFaults(h header) []fault {
	var faults []fault
	if d.OnUnknown == quarantine && len(h.unknown) > 0 {
		faults = append(faults, fault{"true", strings.Join(h.unknown, ", "), "unknown_column", "null", false})
	}
	if d.OnMissing == quarantine && len(h.absent) > 0 {
		faults = append(faults, fault{"true", strings.Join(h.absent, ", "), "missing_column", "null", false})
	}
	return faults
}

// noteColumns keeps with the load what was new and what was missing.
func (l *loader) noteColumns(ctx context.Context, tx *warehouse.Tx) error {
	if l.d.OnUnknown == "" || l.d.OnUnknown == evolve {
		l.load.NewColumns = l.st.header.unknown
	}
	if l.d.OnMissing == "" || l.d.OnMissing == evolve {
		l.load.MissingColumns = l.st.header.absent
	}
	for kind, names := range map[string][]string{"new": l.load.NewColumns, "missing": l.load.MissingColumns} {
		for _, name := range names {
			if _, err := tx.Exec(ctx, "insert into core.load_column values (?, ?, ?)", l.load.ID, kind, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkBad refuses the whole delivery when it has more bad rows than agreed.
// A column that makes all rows wait is no sign of a bad export.
func (l *loader) checkBad(ctx context.Context, tx *warehouse.Tx) error {
	if l.replay != nil || l.item.Answers != nil {
		return nil
	}
	var bad int64
	var reasons string
	err := tx.QueryRow(ctx, `select coalesce(sum(rows), 0)::bigint, coalesce(string_agg(rows || ' ' || reason, ', ' order by rows desc, reason), '')
from (
    select reason, count(*) as rows from core.quarantine
    where load_id = ? and reason not in ('unknown_column', 'missing_column') group by reason
)`, l.load.ID).Scan(&bad, &reasons)
	if err != nil || bad == 0 {
		return err
	}
	share, isDeclared := DefaultBadShare, l.d.MaxBadShare != nil
	if isDeclared {
		share = *l.d.MaxBadShare
	}
	const next = "\"tongbao sources test %s\" lists the first of them; correct the export, the definition or a spelling, then pull again"
	if l.d.OnBad == "fail" {
		return &FileError{What: fmt.Sprintf("nothing of it was loaded: %d of %d rows are bad (on_bad: fail): %s", bad, l.load.In, reasons),
			Do: fmt.Sprintf(next, l.d.Source)}
	}
	if bad*100 > int64(share)*l.load.In && (isDeclared || l.load.In >= minSharedRows) {
		return &FileError{What: fmt.Sprintf("nothing of it was loaded: %d of %d rows are bad, more than %d %% (max_bad_share): %s", bad, l.load.In, share, reasons),
			Do: fmt.Sprintf(next, l.d.Source)}
	}
	return nil
}
