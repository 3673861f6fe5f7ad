package etl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// loader takes one delivery into core: prepare stages and types it, finish
// merges it in one transaction.
type loader struct {
	d        *Definition
	item     delivery
	st       stage
	typing   *typing
	staged   *warehouse.Staged // holds the table typed
	salt     string
	coreSQL  string // queries/core/<target>.sql
	load     Load
	clock    time.Time
	firstRow int64  // rowid of the first row of typed
	incoming int64  // good rows, of a repeated key one
	isOlder  bool   // a later full set was taken in already
	raw      string // folder of raw/
	held     []heldRow
	replay   *closing // nil but for a replay of quarantined rows
}

// errMiscounted says that the engine did not find the records that the scan
// counted; the file is then read carefully.
var errMiscounted = errors.New("the engine's reader counted other records")

func (l *loader) step(name string) {
	now := time.Now()
	l.load.Steps = append(l.load.Steps, Step{name, now.Sub(l.clock)})
	l.clock = now
}

// prepare lands and stages a delivery and makes its table typed. Nothing of it
// is seen outside the loader, which is to be closed.
func (l *loader) prepare(ctx context.Context, db *warehouse.DB, in Intake) error {
	// What is staged is not masked yet: it lies where raw/ does.
	scratch, err := in.scratch()
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	l.clock = time.Now()
	if l.item.Answers != nil {
		l.d = l.d.forFixes()
	}
	path, err := in.fileOf(l.item, scratch)
	if err != nil {
		return err
	}
	l.step("land")
	l.st, err = l.d.read(ctx, db, path, scratch, l.item)
	if err == nil {
		err = l.d.checkHeader(l.st.header)
	}
	if err != nil {
		return err
	}
	l.step("decode and look through")
	warehouse.Failpoint("etl.staged")
	l.salt, l.coreSQL, l.raw = in.Salt, in.Core[l.d.Target], in.Raw
	err = l.makeTyped(ctx, db)
	if errors.Is(err, errMiscounted) && l.st.isFile && l.st.reader == "" {
		// The engine and the scan disagree; the careful reader decides.
		if l.st, err = l.d.readCSVCarefully(l.st.path, filepath.Join(scratch, "stage.csv")); err == nil {
			err = l.makeTyped(ctx, db)
		}
	}
	l.step("read and type")
	return err
}

func (l *loader) makeTyped(ctx context.Context, db *warehouse.DB) (err error) {
	l.close()
	if l.staged, err = db.Stage(ctx); err != nil {
		return err
	}
	l.typing = newTyping(l.d, l.st, momentLiteral(l.item.DeliveredAt))
	if _, err := l.staged.Tx().Exec(ctx, l.typing.create()); err != nil {
		return l.unreadable(ctx, err)
	}
	if err := l.countTyped(ctx, l.staged.Tx()); err != nil {
		return err
	}
	return l.keepReplayed(ctx, l.staged.Tx())
}

func (l *loader) close() {
	if l.staged != nil {
		l.staged.Close()
	}
}

// finish does the load's transaction.
func (l *loader) finish(ctx context.Context, db *warehouse.DB) (Load, error) {
	l.clock = time.Now()
	if err := l.staged.Write(ctx, l.work); err != nil {
		return l.load, err
	}
	l.step("commit")
	warehouse.Failpoint("etl.after_commit")
	// The engine has said "done" for transactions that it rolled back.
	done, err := isKnown(ctx, db, l.load.ID)
	if err == nil && !done && (l.replay == nil || l.load.In > 0) {
		err = errors.New("the load's row is not there after the commit")
	}
	return l.load, err
}

func (l *loader) work(ctx context.Context, tx *warehouse.Tx) error {
	for _, step := range []struct {
		name string
		do   func(context.Context, *warehouse.Tx) error
	}{
		{"resolve", l.judge},
		{"close quarantined rows", l.closeRows},
		{"merge", l.merge},
		{"delete what the full set lacks", l.deleteGone},
		{"record", l.record},
	} {
		if err := step.do(ctx, tx); errors.Is(err, errNothingToReplay) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		l.step(step.name)
	}
	if err := errors.Join(l.writeClosing(ctx, tx), l.keepTaken(ctx, tx)); err != nil {
		return err
	}
	warehouse.Failpoint("etl.before_commit")
	return nil
}

// unreadable says what follows when the engine stumbles over the file itself.
func (l *loader) unreadable(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil || !l.st.isFile:
		return fmt.Errorf("type rows: %w", err)
	case l.st.reader != "":
		return &FileError{What: "cannot be read to its end: " + firstLine(err), Do: "export or copy it again"}
	}
	return fmt.Errorf("%w: %w", errMiscounted, err)
}

func (l *loader) countTyped(ctx context.Context, tx *warehouse.Tx) error {
	// In an open transaction, as an export's, rows are numbered from a base of
	// the engine's own; always in the order of the file, without a gap.
	var all, numbered int64
	err := tx.QueryRow(ctx, "select count(*), count(*) filter (where not is_note), coalesce(min(rowid), 0), coalesce(max(rowid) - min(rowid) + 1, 0) from typed").
		Scan(&all, &l.load.In, &l.firstRow, &numbered)
	if err == nil && (all != l.st.records || numbered != all) {
		err = fmt.Errorf("%w: %d with %d numbers, not %d", errMiscounted, all, numbered, l.st.records)
	}
	return err
}

// rowNumber is the record of the file that a row of typed came from.
func (l *loader) rowNumber() string {
	if l.st.isFile {
		return fmt.Sprintf("typed.rowid - %d + %d", l.firstRow, l.st.header.record+1)
	}
	return "typed.row_no"
}

func (l *loader) column(target string) (Column, bool) {
	for _, c := range l.d.Columns {
		if c.To == target {
			return c, true
		}
	}
	return Column{}, false
}

// value is the SQL of a target column on typed and the joins of resolved, as
// the target's own type; null where the definition has no such column.
func (l *loader) value(target, kind string) string {
	c, found := l.column(target)
	switch {
	case target == "grid_id" && l.hasGrid():
		return "spelling.grid_id"
	case target == "grid_name" && l.hasGrid():
		return "typed.t_grid"
	case !found:
		return "cast(null as " + kind + ")"
	case c.Capture != "":
		return l.captured(c, kind)
	case c.Lookup == "category":
		return "category.category"
	case c.Lookup == "severity":
		return "coalesce(severity.part, '')"
	case c.Mask == "hash":
		return fmt.Sprintf("left(sha256(%s || typed.t_%s), 16)", literal(l.salt), target)
	case c.Mask == "hash_in_grid":
		return fmt.Sprintf("left(sha256(%s || spelling.grid_id || '|' || typed.t_%s), 16)", literal(l.salt), target)
	}
	return "typed.t_" + target
}

func (l *loader) captured(c Column, kind string) string {
	value := l.item.Captures[c.Capture]
	if mapped, found := c.Values[value]; found {
		value = mapped
	}
	if kind == day && len(value) == len("2026-10") {
		value += "-01"
	}
	return fmt.Sprintf("cast(%s as %s)", literal(value), kind)
}

func (l *loader) hasGrid() bool {
	_, found := l.column(gridColumn)
	return found
}

// joins brings in what names stand for. Spellings, categories and severities
// are unique for their key (LoadSeeds sees to it), so no row is doubled.
func (l *loader) joins() string {
	var text strings.Builder
	if l.hasGrid() {
		on := momentLiteral(l.item.DeliveredAt) + "::date"
		if l.d.GridDate != "" {
			on = fmt.Sprintf("coalesce(%s::date, %s)", l.value(l.d.GridDate, day), on)
		}
		fmt.Fprintf(&text, `
left join seed.grid_alias as spelling
    on typed.t_grid = spelling.alias
    and %[1]s >= spelling.valid_from
    and %[1]s <= coalesce(spelling.valid_to, date '9999-12-31')`, on)
	}
	for _, c := range l.d.Columns {
		switch c.Lookup {
		case "category":
			fmt.Fprintf(&text, "\nleft join seed.category as category\n    on typed.t_%s = category.name", c.To)
		case "severity":
			fmt.Fprintf(&text, "\nleft join seed.severity as severity\n    on typed.t_%s = severity.word and typed.t_indicator = severity.indicator", c.To)
		case "indicator":
			fmt.Fprintf(&text, `
left join (select distinct indicator from seed.rubric where fact = %s) as rubric
    on typed.t_%s = rubric.indicator`, literal(l.d.Target), c.To)
		}
	}
	return text.String()
}

// unresolved are the faults that only the joins show: kind, condition, source
// column, value.
func (l *loader) unresolved() [][]string {
	var faults [][]string
	for _, c := range l.d.Columns {
		name := first(c.From)
		switch {
		case c.To == gridColumn:
			faults = append(faults, []string{"unknown_grid", "typed.t_grid is not null and spelling.grid_id is null", name, scanned("typed.t_grid")})
		case c.Lookup == "category":
			faults = append(faults, []string{"bad_value", "typed.t_" + c.To + " is not null and category.category is null", name, scanned("typed.t_" + c.To)})
		case c.Lookup == "severity":
			faults = append(faults, []string{"bad_value", "typed.t_" + c.To + " is not null and severity.part is null", name, scanned("typed.t_" + c.To)})
		case c.Lookup == "indicator":
			faults = append(faults, []string{"bad_value", "typed.t_" + c.To + " is not null and rubric.indicator is null", name, scanned("typed.t_" + c.To)})
		}
		if c.Unique {
			faults = append(faults, l.notUnique(c)...)
		}
	}
	return faults
}

// judge puts every faulty row into quarantine, and makes the view placed of the
// good ones.
func (l *loader) judge(ctx context.Context, tx *warehouse.Tx) error {
	typed := l.typing
	reasons, columns := []string{"when -1 then split_part(typed.damage, '|', 1)"}, []string{"when -1 then split_part(typed.damage, '|', 2)"}
	for i, f := range typed.faults {
		reasons = append(reasons, fmt.Sprintf("when %d then %s", i+1, literal(f.reason)))
		columns = append(columns, fmt.Sprintf("when %d then %s", i+1, literal(f.column)))
	}
	// A name that stands for nothing is a fault only of an otherwise good row.
	number, unresolved := len(typed.faults), "0"
	values := []string{"when -1 then " + scanned("array_to_string(string_split(typed.damage, '|')[3:], '|')")}
	if faults := l.unresolved(); len(faults) > 0 {
		var cases []string
		for _, f := range faults {
			number++
			cases = append(cases, fmt.Sprintf("when %s then %d", f[1], number))
			reasons = append(reasons, fmt.Sprintf("when %d then %s", number, literal(f[0])))
			columns = append(columns, fmt.Sprintf("when %d then %s", number, literal(f[2])))
			values = append(values, fmt.Sprintf("when %d then %s", number, f[3]))
		}
		unresolved = "case " + strings.Join(cases, " ") + " else 0 end"
	}
	taken, err := l.findTaken(ctx, tx)
	if err != nil {
		return err
	}
	// The faults are found once, on the few columns that decide them.
	statement := fmt.Sprintf(`create or replace temp table faulty as
select typed.rowid as place, case when typed.fault <> 0 then typed.fault else %s end as fault
from typed%s
where not typed.is_note and (typed.fault <> 0 or %s <> 0)`, unresolved, l.joins()+taken, unresolved)
	if _, err := tx.Exec(ctx, statement); err != nil {
		return err
	}
	// The list of rows stays out of the way when it is empty, as it mostly is.
	var count int64
	if err := tx.QueryRow(ctx, "select count(*) from faulty").Scan(&count); err != nil {
		return err
	}
	l.load.Quarantined = count
	if err := l.forgetReplayed(ctx, tx, count); err != nil {
		return err
	}
	if count > 0 {
		pick := func(cases []string) string {
			return "case faulty.fault " + strings.Join(cases, " ")
		}
		statement = fmt.Sprintf(`insert into core.quarantine (load_id, source, file, sheet, row_no, column_name, value, reason, detail)
select %s, %s, %s, %s, %s, nullif(%s end, ''), %s else typed.fault_value end, %s end, null
from typed inner join faulty on typed.rowid = faulty.place%s`,
			literal(l.owner()), literal(l.load.Source), literal(l.load.File), "typed.sheet", l.rowNumber(),
			pick(columns), pick(values), pick(reasons), l.joins())
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
		if err := errors.Join(l.suggestGrids(ctx, tx), l.noteTaken(ctx, tx)); err != nil {
			return err
		}
		if err := l.checkBad(ctx, tx); err != nil {
			return err
		}
	}
	if err := l.hold(ctx, tx); err != nil {
		return err
	}
	return l.makePlaced(ctx, tx, count > 0 || len(l.held) > 0)
}

// suggestGrids names the nearest known spellings beside an unknown one; a
// person accepts one, nothing is guessed.
func (l *loader) suggestGrids(ctx context.Context, tx *warehouse.Tx) error {
	_, err := tx.Exec(ctx, `update core.quarantine as quarantine
set detail = nearest.names
from (
    select unknown.value, string_agg(unknown.alias, '、' order by unknown.likeness desc, unknown.alias) as names
    from (
        select missing.value, known.alias,
            jaro_winkler_similarity(missing.value, known.alias) as likeness
        from (select distinct value from core.quarantine where load_id = ? and reason = 'unknown_grid') as missing
        cross join (select distinct alias from seed.grid_alias where not regexp_full_match(alias, '[0-9]+')) as known
        qualify row_number() over (partition by missing.value order by likeness desc, known.alias) <= 3
    ) as unknown
    where unknown.likeness >= 0.7
    group by unknown.value
) as nearest
where quarantine.load_id = ? and quarantine.reason = 'unknown_grid' and quarantine.value = nearest.value`, l.owner(), l.owner())
	return err
}

// sourceKey is the SQL of the source's own id of a row.
func (l *loader) sourceKey() string {
	var keys []string
	for _, name := range l.d.Key {
		keys = append(keys, fmt.Sprintf("coalesce(cast(%s as varchar), '')", l.value(name, targets[l.d.Target][name])))
	}
	return strings.Join(keys, " || '|' || ")
}

// makePlaced makes the view placed of good rows: the columns of landed.<target>
// and where in typed a row is.
func (l *loader) makePlaced(ctx context.Context, tx *warehouse.Tx, hasFaults bool) error {
	// updated_at is of the common columns, the others of the fact.
	selected := []string{
		"typed.rowid as place", literal(l.load.Source) + " as source", l.sourceKey() + " as source_key",
		literal(l.load.ID) + " as load_id", literal(l.load.File) + " as file", "typed.sheet as sheet",
		"cast(" + l.rowNumber() + " as bigint) as row_no", momentLiteral(l.item.DeliveredAt) + " as delivered_at",
		l.updatedAt() + " as updated_at",
	}
	for _, name := range sortedKeys(targets[l.d.Target]) {
		if name != "updated_at" {
			selected = append(selected, fmt.Sprintf("%s as %s", l.value(name, targets[l.d.Target][name]), name))
		}
	}
	without := ""
	if hasFaults {
		without = "\nanti join faulty on typed.rowid = faulty.place"
	}
	statement := fmt.Sprintf("create or replace temp view placed as\nselect\n    %s\nfrom typed%s%s\nwhere not typed.is_note",
		strings.Join(selected, ",\n    "), l.joins(), without)
	if err := l.findOlder(ctx, tx); err != nil {
		return err
	}
	if l.isOlder {
		statement = l.heldOnly(statement)
	}
	_, err := tx.Exec(ctx, statement)
	return err
}

// record writes the load's own row, in the same transaction as its rows.
func (l *loader) record(ctx context.Context, tx *warehouse.Tx) error {
	// What waits is counted anew: by the rows of quarantine themselves. Those of
	// a replay wait under the load that they are of.
	var waiting int64
	if l.load.Quarantined > 0 {
		if err := tx.QueryRow(ctx, "select count(*) from core.quarantine where load_id = ?", l.load.ID).Scan(&waiting); err != nil {
			return err
		}
	}
	if l.load.In != l.load.Loaded+l.load.Duplicate+waiting {
		return fmt.Errorf("%d rows in, but %d loaded + %d duplicate + %d quarantined; this is a defect of the program",
			l.load.In, l.load.Loaded, l.load.Duplicate, waiting)
	}
	// A load of some rows is no full set, and moves no watermark.
	watermark, kind := "", ""
	switch {
	case l.replay != nil:
		kind = stateReplayed
	case l.item.Answers != nil:
		kind = stateFixed
	case l.item.Fetch != nil:
		watermark, kind = l.item.Fetch.Watermark, l.item.Fetch.Kind
	}
	_, err := tx.Exec(ctx, "insert into core.load values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		l.load.ID, l.load.Source, l.load.Target, l.load.File, l.load.SHA256, l.load.Bytes, l.item.DeliveredAt,
		dateOrNil(l.load.Month), textOrNil(l.load.Line), l.load.In, l.load.Loaded, l.load.Duplicate, l.load.Quarantined,
		dateOrNil(l.load.Earliest), l.d.hash, l.load.Deleted, textOrNil(watermark), textOrNil(kind))
	if err != nil {
		return err
	}
	return l.noteColumns(ctx, tx)
}

func dateOrNil(m tongbao.Month) any {
	if m == 0 {
		return nil
	}
	return m.First()
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func momentLiteral(t time.Time) string {
	return "timestamp '" + t.Format("2006-01-02 15:04:05") + "'"
}
