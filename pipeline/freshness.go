package pipeline

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/etl"
	"tongbao/register"
	"tongbao/warehouse"
)

var agePattern = regexp.MustCompile(`^at most (\d{1,4}) hours? old$`)

// deadline is one level of a source's due. Either nth or age is set.
type deadline struct {
	level, rule string
	nth         int
	age         time.Duration
}

func parseDeadline(level, rule string) (deadline, error) {
	d := deadline{level: level, rule: rule}
	if match := agePattern.FindStringSubmatch(rule); match != nil {
		hours, err := strconv.Atoi(match[1])
		if err != nil || hours == 0 {
			return d, fmt.Errorf("%q: want 1 to 9999 hours", rule)
		}
		d.age = time.Duration(hours) * time.Hour
		return d, nil
	}
	var err error
	if d.nth, err = parseWorkingDay(rule); err != nil {
		return d, fmt.Errorf("%w, or \"at most 26 hours old\"", err)
	}
	return d, nil
}

// deadlines are the levels of a source, the graver one first.
func deadlines(d etl.Definition) ([]deadline, error) {
	var found []deadline
	if d.Due == nil {
		return nil, nil
	}
	for _, level := range []struct{ name, rule string }{{"error", d.Due.Error}, {"warn", d.Due.Warn}} {
		if level.rule == "" {
			continue
		}
		one, err := parseDeadline(level.name, level.rule)
		if err != nil {
			return nil, problemf("data/sources/%s.yaml: due: %s: %w", d.Source, level.name, err)
		}
		found = append(found, one)
	}
	if len(found) == 0 {
		return nil, problemf("data/sources/%s.yaml: due: want warn or error", d.Source)
	}
	return found, nil
}

// late says whether the deadline has passed without the delivery: by the end
// of a working day of the month after the one assessed, or by the age of the
// newest delivery. Moments are civil ones of the town.
func (d deadline) late(days calendar, month tongbao.Month, now, delivered time.Time) (due time.Time, isLate bool) {
	if d.age > 0 {
		due = delivered.Add(d.age)
		return due, delivered.IsZero() || now.After(due)
	}
	due = days.workingDay(month.Next().First(), d.nth).AddDate(0, 0, 1)
	return due, delivered.IsZero() && !now.Before(due)
}

// newestDelivery finds the delivery that a deadline asks for: for an age the
// newest of all, else one that is about the month, or, where its name says no
// month, that came after the month's end.
func (h *House) newestDelivery(ctx context.Context, d deadline, source string, month tongbao.Month) (time.Time, error) {
	query := "select max(delivered_at) from core.load where source = ?"
	args := []any{source}
	if d.age == 0 {
		query += " and coalesce(month = ?, delivered_at >= ?)"
		args = append(args, month.First(), month.Next().First())
	}
	var newest sql.NullTime
	err := h.db.SQL().QueryRowContext(ctx, query, args...).Scan(&newest)
	return newest.Time, err
}

// lookForLate fills seed.source_due, which the bulletin and the checks read,
// and returns the sources that are late for the month.
func (h *House) lookForLate(ctx context.Context, month tongbao.Month) ([]register.LateSource, error) {
	definitions, err := h.definitions()
	if err != nil {
		return nil, err
	}
	days, err := readCalendar(h.seedsDir())
	if err != nil {
		return nil, &Problem{err}
	}
	zone, err := time.LoadLocation(DefaultZone)
	if err != nil {
		return nil, err
	}
	local := h.Now().In(zone)
	now := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
	var late []register.LateSource
	err = h.db.Write(ctx, func(ctx context.Context, tx *warehouse.Tx) error {
		months, err := lateMonths(ctx, tx, month)
		if err != nil {
			return err
		}
		for _, m := range months {
			found, err := h.lateOf(ctx, tx, definitions, days, m, now, m == month)
			if err != nil {
				return err
			}
			if m == month {
				late = found
			}
		}
		return nil
	})
	for i := range late {
		late[i].DueAt = inZone(late[i].DueAt, zone)
	}
	return late, err
}

// lateMonths empties seed.source_due and returns the months to look at: the
// one that is assessed, and those for which something was late before.
func lateMonths(ctx context.Context, tx *warehouse.Tx, month tongbao.Month) ([]tongbao.Month, error) {
	var text string
	err := tx.QueryRow(ctx, "select coalesce(string_agg(distinct strftime(month, '%Y-%m'), ' '), '') from seed.source_due").Scan(&text)
	if err != nil {
		return nil, err
	}
	months := []tongbao.Month{month}
	for _, word := range strings.Fields(text) {
		m, err := tongbao.ParseMonth(word)
		if err != nil {
			return nil, err
		}
		if m != month {
			months = append(months, m)
		}
	}
	_, err = tx.Exec(ctx, "delete from seed.source_due")
	return months, err
}

// lateOf writes down which sources are late for a month, each at its gravest
// level. Ages are about the present, so they count for the assessed month only.
func (h *House) lateOf(ctx context.Context, tx *warehouse.Tx, definitions []etl.Definition, days calendar,
	month tongbao.Month, now time.Time, withAges bool) ([]register.LateSource, error) {
	var late []register.LateSource
	for _, d := range definitions {
		levels, err := deadlines(d)
		if err != nil {
			return nil, err
		}
		for _, level := range levels {
			if level.age > 0 && !withAges {
				continue
			}
			delivered, err := h.newestDelivery(ctx, level, d.Source, month)
			if err != nil {
				return nil, err
			}
			due, isLate := level.late(days, month, now, delivered)
			if !isLate {
				continue
			}
			late = append(late, register.LateSource{Source: d.Source, Name: d.Name, Level: level.level, DueAt: due,
				Text: fmt.Sprintf("%s (%s) is late for %s: %s", d.Name, d.Source, month, level.rule)})
			_, err = tx.Exec(ctx, "insert into seed.source_due values (?, ?, ?, ?, ?, ?, ?)",
				d.Source, month.First(), d.Name, level.level, due, level.rule, sql.NullTime{Time: delivered, Valid: !delivered.IsZero()})
			if err != nil {
				return nil, err
			}
			break
		}
	}
	return late, nil
}

// lateDigest names what seed.source_due says of a month; "" if nothing is
// late, so that a month without late sources keeps its fingerprint.
func (h *House) lateDigest(ctx context.Context, month tongbao.Month) (string, error) {
	var rows string
	err := h.db.SQL().QueryRowContext(ctx, `select coalesce(string_agg(source || level || rule, ' ' order by source), '')
		from seed.source_due where month = ?`, month.First()).Scan(&rows)
	if err != nil || rows == "" {
		return "", err
	}
	sum := sha256.Sum256([]byte(rows))
	return " late " + hex.EncodeToString(sum[:])[:16], nil
}
