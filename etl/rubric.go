package etl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tongbao"
	"tongbao/warehouse"
)

// rubricFile is data/seeds/rubric.yaml; the file's own head explains the keys.
type rubricFile struct {
	Versions []rubricVersion `yaml:"versions"`
	Weights  []lineWeights   `yaml:"weights"`
	Rows     []rubricRow     `yaml:"rows"`
	Grades   []grade         `yaml:"grades"`
	Rewards  []reward        `yaml:"rewards"`
}

// Span is the months in which a row is in force, both ends included.
type Span struct {
	From  tongbao.Month `yaml:"from"`
	Until tongbao.Month `yaml:"until,omitempty"`
}

type rubricVersion struct {
	Span               `yaml:",inline"`
	Version            string `yaml:"version"`
	Name               string `yaml:"name"`
	Rounding           string `yaml:"rounding"`
	MinCases           int64  `yaml:"min_cases"`
	PoolCases          int64  `yaml:"pool_cases"`
	MinCoverage        micro  `yaml:"min_coverage"`
	RepairSatisfaction string `yaml:"repair_satisfaction"`
}

type lineWeights struct {
	Span        `yaml:",inline"`
	Party       int64 `yaml:"party"`
	Law         int64 `yaml:"law"`
	Economy     int64 `yaml:"economy"`
	Safety      int64 `yaml:"safety"`
	Environment int64 `yaml:"environment"`
	Welfare     int64 `yaml:"welfare"`
	Culture     int64 `yaml:"culture"`
	City        int64 `yaml:"city"`
	Property    int64 `yaml:"property"`
}

type rubricRow struct {
	Span       `yaml:",inline"`
	ID         string       `yaml:"id"`
	Line       string       `yaml:"line"`
	Name       string       `yaml:"name"`
	Points     *micro       `yaml:"points,omitempty"`
	Rule       string       `yaml:"rule"`
	Target     *micro       `yaml:"target,omitempty"`
	K          *micro       `yaml:"k,omitempty"`
	Cap        *micro       `yaml:"cap,omitempty"`
	Floor      *micro       `yaml:"floor,omitempty"`
	Per        *int64       `yaml:"per,omitempty"`
	MinCases   *int64       `yaml:"min_cases,omitempty"`
	Levels     []string     `yaml:"levels"`
	Fact       string       `yaml:"fact"`
	Cohort     string       `yaml:"cohort,omitempty"`
	PairedWith string       `yaml:"paired_with,omitempty"`
	VetoScope  string       `yaml:"veto_scope,omitempty"`
	VetoLevel  string       `yaml:"veto_level,omitempty"`
	NA         string       `yaml:"na,omitempty"`
	Clause     string       `yaml:"clause"`
	Steps      []rubricStep `yaml:"steps,omitempty"`
}

type rubricStep struct {
	Part    string `yaml:"part,omitempty"`
	AtLeast *micro `yaml:"at_least,omitempty"`
	Below   *micro `yaml:"below,omitempty"`
	Place   *int64 `yaml:"place,omitempty"`
	Points  micro  `yaml:"points"`
	Cap     *micro `yaml:"cap,omitempty"`
}

type grade struct {
	Span    `yaml:",inline"`
	Grade   string `yaml:"grade"`
	Name    string `yaml:"name"`
	AtLeast micro  `yaml:"at_least"`
}

type reward struct {
	Span      `yaml:",inline"`
	Rule      string `yaml:"rule"`
	PlaceFrom int64  `yaml:"place_from"`
	PlaceTo   int64  `yaml:"place_to"`
	Amount    micro  `yaml:"amount"`
}

// micro is a decimal with at most six places, held as an integer of 10^-6.
type micro int64

// UnmarshalYAML reads the scalar's own text; a float would not be exact.
func (m *micro) UnmarshalYAML(content []byte) error {
	text := strings.Trim(strings.TrimSpace(string(content)), `"'`)
	sign := int64(1)
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text, sign = rest, -1
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" || len(whole) > 9 || len(fraction) > 6 || strings.Trim(whole+fraction, "0123456789") != "" {
		return fmt.Errorf("%q: want a decimal with at most six places", text)
	}
	var value int64
	for _, digit := range whole + fraction + strings.Repeat("0", 6-len(fraction)) {
		value = value*10 + int64(digit-'0')
	}
	*m = micro(sign * value)
	return nil
}

var (
	rubricRules = []string{"ratio", "inverse", "target", "bands", "day_bands", "deduct", "line_deduct", "bonus",
		"completion", "density", "share", "coefficient", "manual", "veto"}
	rubricFacts = []string{"ticket", "repair", "activity", "return", "event", "grid", "manual"}
	// refused are measures that a town may not rank people by.
	refused       = []string{"在线时长", "在线率", "登录", "活跃度", "积分", "打卡", "签到", "轨迹", "里程", "点赞", "online", "login", "clock_in", "clockin", "mileage", "track"}
	refusedClause = "国办函〔2026〕12号: 不得打卡签到、积分排名、统计在线时长，不得强制上传轨迹"
)

// readRubric reads and checks rubric.yaml.
func readRubric(dir string) (rubricFile, error) {
	file := filepath.Join(dir, "rubric.yaml")
	var r rubricFile
	content, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	if err := DecodeYAML(file, content, &r); err != nil {
		return r, err
	}
	for i, row := range r.Rows {
		if err := r.checkRow(row); err != nil {
			return r, fmt.Errorf("%s: rows[%d] (%s, line %d): %w", file, i, row.ID, lineOf(content, "id: "+row.ID+","), err)
		}
	}
	return r, wrapIn(file, r.checkVersions(), r.checkWeights())
}

func wrapIn(file string, errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// lineOf finds the line of a text, for messages; 0 if it is written otherwise.
func lineOf(content []byte, text string) int {
	before, _, found := strings.Cut(string(content), text)
	if !found {
		return 0
	}
	return strings.Count(before, "\n") + 1
}

func (w lineWeights) of(line string) int64 {
	return map[string]int64{"party": w.Party, "law": w.Law, "economy": w.Economy, "safety": w.Safety, "environment": w.Environment,
		"welfare": w.Welfare, "culture": w.Culture, "city": w.City, "property": w.Property}[line]
}

func (s Span) first() time.Time { return s.From.First() }

// last is the last day in force, nil while there is none.
func (s Span) last() any {
	if s.Until == 0 {
		return nil
	}
	return s.Until.Next().First().AddDate(0, 0, -1)
}

func (m *micro) orNil() any {
	if m == nil {
		return nil
	}
	return int64(*m)
}

func orNil(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

// insertRubric replaces the seed tables of the rubric.
func insertRubric(ctx context.Context, tx *warehouse.Tx, r rubricFile) error {
	insert := inserter{ctx: ctx, tx: tx}
	for _, v := range r.Versions {
		insert.row("seed.rubric_version", v.Version, v.Name, v.first(), v.last(), v.Rounding, v.MinCases, v.PoolCases, int64(v.MinCoverage)/100, v.RepairSatisfaction)
	}
	for _, w := range r.Weights {
		for _, line := range lineNames {
			insert.row("seed.line_weight", line, w.of(line), w.first(), w.last())
		}
	}
	for i, row := range r.Rows {
		has := func(level string) bool { return slices.Contains(row.Levels, level) }
		levels := map[string]any{"C": int64(2), "A": int64(3), "B": int64(4)}
		var target any
		if row.Target != nil {
			target = int64(*row.Target) / 100
		}
		insert.row("seed.rubric", row.ID, row.Line, int64(i+1), row.Name, row.Points.orNil(), row.Rule, target, row.K.orNil(), row.Cap.orNil(),
			row.Floor.orNil(), orNil(row.Per), orNil(row.MinCases), textOrNil(row.Cohort), row.Fact, has("C"), has("A"), has("B"), has("P"),
			textOrNil(row.PairedWith), textOrNil(row.VetoScope), levels[row.VetoLevel], row.Clause, textOrNil(row.NA), row.first(), row.last())
		for n, step := range row.Steps {
			threshold := any(nil)
			switch {
			case step.AtLeast != nil:
				threshold = int64(*step.AtLeast) / 100
			case step.Below != nil:
				threshold = int64(*step.Below) / 100
			case step.Place != nil:
				threshold = *step.Place
			}
			insert.row("seed.rubric_step", row.ID, row.first(), int64(n+1), step.Part, threshold, int64(step.Points), step.Cap.orNil())
		}
	}
	for _, g := range r.Grades {
		insert.row("seed.grade", g.Grade, g.Name, int64(g.AtLeast), g.first(), g.last())
	}
	for _, w := range r.Rewards {
		insert.row("seed.reward", w.Rule, w.PlaceFrom, w.PlaceTo, fmt.Sprintf("%d.%02d", w.Amount/1_000_000, w.Amount%1_000_000/10_000), w.first(), w.last())
	}
	return insert.err
}
