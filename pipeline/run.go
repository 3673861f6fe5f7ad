package pipeline

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"tongbao"
	"tongbao/etl"
	"tongbao/register"
	"tongbao/warehouse"
)

// Result is what one run did.
type Result struct {
	Month    tongbao.Month
	Pull     etl.Report
	Computed []tongbao.Month // months whose rows were made again
	Findings []warehouse.Finding
	Late     []register.LateSource
	Build    string // folder of the build
	Version  int    // the month's current version, 0 if none
	IsNew    bool   // Version was made by this run
	Folder   string // folder of the version, "" if none
	Files    []string

	// Of acts.
	Alias     []string // the accepted spelling's row of the seed
	Exported  int      // rows
	Dismissed int      // rows
}

// CheckError is returned when checks of severity error have offenders. What
// was published before stays.
type CheckError struct {
	Month    tongbao.Month
	Findings []warehouse.Finding
}

func (e *CheckError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s is not published: %d checks failed", e.Month, len(e.Findings))
	for _, f := range e.Findings {
		fmt.Fprintf(&text, "\n  %s (%s): %d offenders", f.Title, f.Check, f.Rows)
		for _, sample := range f.Samples {
			fmt.Fprintf(&text, "\n    %s", sample)
		}
	}
	text.WriteString("\n  correct the delivery, the seed or the rule that each names, then run again")
	return text.String()
}

// Run does a month's whole work: deliveries in, every touched month computed,
// checks, a build, and a version where the workspace publishes by itself.
func (h *House) Run(ctx context.Context, month tongbao.Month) (Result, error) {
	result := Result{Month: month}
	var err error
	if result.Pull, err = h.Pull(ctx, etl.Choice{}); err != nil {
		return result, err
	}
	return result, h.month(ctx, month, &result)
}

// month computes what is taken in, checks it and builds it; it publishes where
// the workspace publishes by itself.
func (h *House) month(ctx context.Context, month tongbao.Month, result *Result) error {
	if err := h.check(ctx, month, result); err != nil {
		return err
	}
	return h.buildAndPublish(ctx, month, result, h.Config.Publish == "auto")
}

// check makes every touched month and looks for offenders in the one that is
// assessed.
func (h *House) check(ctx context.Context, month tongbao.Month, result *Result) (err error) {
	if err := h.wantSpace(); err != nil {
		return err
	}
	if result.Late, err = h.lookForLate(ctx, month); err != nil {
		return err
	}
	if result.Computed, err = h.Compute(ctx, month); err != nil {
		return err
	}
	h.Progress("check", 0, 1)
	if result.Findings, err = h.db.RunChecks(ctx, h.queryFiles(), month); err != nil {
		return fmt.Errorf("checks for %s: %w", month, err)
	}
	var failed []warehouse.Finding
	for _, finding := range result.Findings {
		if finding.Severity == "error" {
			failed = append(failed, finding)
		}
	}
	if len(failed) > 0 {
		return &CheckError{month, failed}
	}
	h.Progress("check", 1, 1)
	return nil
}

// Pull loads the seeds, takes in what lies in the inbox and asks the servers.
func (h *House) Pull(ctx context.Context, choice etl.Choice) (etl.Report, error) {
	return h.pull(ctx, choice, hearing{})
}

func (h *House) pull(ctx context.Context, choice etl.Choice, heard hearing) (etl.Report, error) {
	if err := h.wantSpace(); err != nil {
		return etl.Report{}, err
	}
	intake, err := h.intake(ctx)
	if err != nil {
		return etl.Report{}, err
	}
	for _, source := range choice.Sources {
		if !slices.ContainsFunc(intake.Definitions, func(d etl.Definition) bool { return d.Source == source }) {
			return etl.Report{}, problemf("--source %s: %s has no such definition", source, h.sourcesDir())
		}
	}
	intake.Choice, intake.Asking, intake.Loaded = choice, heard.asking, heard.loaded
	report, err := etl.Pull(ctx, h.db, intake)
	if len(choice.Sources) > 0 {
		report.Unmatched = nil // files of the other sources
	}
	return report, err
}

// Rebuild makes the warehouse again from raw/ and the seeds. It must be called
// on a house whose working file is empty; see Discard.
func (h *House) Rebuild(ctx context.Context) (etl.Report, error) {
	intake, err := h.intake(ctx)
	if err != nil {
		return etl.Report{}, err
	}
	return etl.Rebuild(ctx, h.db, intake)
}

// Discard removes the working file of the workspace in dir, which holds only
// what can be made again.
func Discard(dir string, now func() time.Time) error {
	w, err := FindWorkspace(dir)
	if err != nil {
		return err
	}
	h := House{Workspace: w, Now: now}
	if err := h.takeLock(); err != nil {
		return err
	}
	defer h.Close()
	for _, suffix := range []string{"", ".wal", ".tmp"} {
		if err := os.RemoveAll(w.workingFile() + suffix); err != nil {
			return err
		}
	}
	return nil
}

// Compute makes every unlocked month up to the given one again whose inputs
// changed since it was last made, oldest first.
func (h *House) Compute(ctx context.Context, month tongbao.Month) ([]tongbao.Month, error) {
	first, err := h.firstMonth(ctx)
	if err != nil {
		return nil, err
	}
	if first == 0 {
		return nil, problemf("compute %s: nothing has been taken in; put deliveries into %s", month, h.inboxDir())
	}
	if month < first {
		return nil, problemf("compute %s: the first month with data and a rubric is %s", month, first)
	}
	locked, err := h.lockedMonths(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := h.rulesDigest()
	if err != nil {
		return nil, err
	}
	var computed []tongbao.Month
	for m := first; m <= month; m++ {
		h.Progress("compute", int(m-first), int(month-first)+1)
		if locked[m] {
			continue
		}
		want, err := h.fingerprint(ctx, m, rules)
		if err != nil {
			return computed, err
		}
		have, err := h.db.Fingerprint(ctx, m)
		if err != nil {
			return computed, err
		}
		if have == want {
			continue
		}
		if err := h.db.BuildMonth(ctx, h.Queries, m, want); err != nil {
			return computed, err
		}
		warehouse.Failpoint("build.month_committed")
		computed = append(computed, m)
	}
	h.Progress("compute", int(month-first)+1, int(month-first)+1)
	return computed, nil
}

// firstMonth is the earliest month that a delivery touches and a rubric
// covers, 0 if nothing was taken in.
func (h *House) firstMonth(ctx context.Context) (tongbao.Month, error) {
	var text string
	// greatest() would take the rubric's month where nothing was taken in.
	err := h.db.SQL().QueryRowContext(ctx, `select coalesce(strftime(greatest(
			min(earliest_month), (select min(valid_from) from seed.rubric_version)), '%Y-%m'), '')
		from core.load where earliest_month is not null having count(*) > 0`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil || text == "" {
		return 0, err
	}
	return tongbao.ParseMonth(text)
}

func (h *House) lockedMonths(ctx context.Context) (map[tongbao.Month]bool, error) {
	periods, err := h.register.Periods(ctx)
	locked := map[tongbao.Month]bool{}
	for _, p := range periods {
		locked[p.Month] = p.State == register.Locked
	}
	return locked, err
}

// fingerprint names everything that a month is made from: the rules, the loads
// that touch it or an earlier month, on which its trailing rates stand, and its
// deliveries.
func (h *House) fingerprint(ctx context.Context, month tongbao.Month, rules string) (string, error) {
	var loads string
	err := h.db.SQL().QueryRowContext(ctx, `select md5(coalesce(string_agg(load_id, ' ' order by load_id), ''))
		from core.load where earliest_month <= ?`, month.First()).Scan(&loads)
	if err != nil {
		return "", err
	}
	// The bulletin lists which rows of the month's deliveries still wait.
	var closed string
	err = h.db.SQL().QueryRowContext(ctx, `select coalesce(nullif(count(*), 0)::varchar, '')
		from core.quarantine as quarantine inner join core.load as load on quarantine.load_id = load.load_id
		where quarantine.state <> 'open' and load.delivered_at >= ? and load.delivered_at < ?`,
		month.First(), month.Next().Next().First()).Scan(&closed)
	if err != nil {
		return "", err
	}
	deliveries, err := h.deliveriesDigest(ctx, month)
	if err != nil {
		return "", err
	}
	late, err := h.lateDigest(ctx, month)
	return strings.TrimSpace(rules+" "+loads+" "+deliveries+" "+closed) + late, err
}

// deliveriesDigest hashes what became of the month's deliveries, which its
// bulletin prints. They came in the month after, too, and what replaces their
// rows may touch no fact of the month.
func (h *House) deliveriesDigest(ctx context.Context, month tongbao.Month) (digest string, err error) {
	for _, q := range h.Queries {
		if q.Table() == "core.month_load" {
			err = h.db.SQL().QueryRowContext(ctx, fmt.Sprintf("select md5(coalesce(string_agg(cast(load as varchar), ' ' order by load.load_id), '')) from (\n%s\n) as load", q.Select(month))).Scan(&digest)
		}
	}
	return digest, err
}

// rulesDigest hashes the texts of all queries and seeds.
func (h *House) rulesDigest() (string, error) {
	sum := sha256.New()
	for _, q := range h.Queries {
		fmt.Fprintf(sum, "%s\n%s\n", q.Path, q.SQL)
	}
	err := hashSeeds(sum, h.seedsDir())
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}
