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

func (r rubricFile) checkRow(row rubricRow) error {
	lines := append(slices.Clone(lineNames), "staff")
	switch {
	case row.ID == "" || row.ID != strings.ToLower(row.ID):
		return fmt.Errorf("id: want lower case letters and digits")
	case !slices.Contains(lines, row.Line):
		return fmt.Errorf("line: %q: want one of %s", row.Line, strings.Join(lines, ", "))
	case !slices.Contains(rubricRules, row.Rule):
		return fmt.Errorf("rule: %q: nearest is %q; want one of %s", row.Rule, nearest(row.Rule, rubricRules), strings.Join(rubricRules, ", "))
	case !slices.Contains(rubricFacts, row.Fact):
		return fmt.Errorf("fact: %q: want one of %s", row.Fact, strings.Join(rubricFacts, ", "))
	case row.From == 0:
		return fmt.Errorf("from is missing: the first month in force")
	case row.Until != 0 && row.Until < row.From:
		return fmt.Errorf("until: %s lies before from: %s", row.Until, row.From)
	case len(row.Levels) == 0:
		return fmt.Errorf("levels is missing: some of C, A, B, P")
	}
	for _, level := range row.Levels {
		if !slices.Contains([]string{"C", "A", "B", "P"}, level) {
			return fmt.Errorf("levels: %q: want C, A, B or P", level)
		}
	}
	for _, word := range refused {
		if strings.Contains(strings.ToLower(row.ID+row.Name), word) {
			return fmt.Errorf("name: %q may not be assessed (%s)", row.Name, refusedClause)
		}
	}
	if err := row.checkRule(); err != nil {
		return err
	}
	return r.checkPair(row)
}

// checkRule holds that a rule has what it needs.
func (row rubricRow) checkRule() error {
	hasPoints := row.Points != nil && *row.Points > 0
	needsPoints := !slices.Contains([]string{"bonus", "line_deduct", "veto"}, row.Rule)
	steps := map[string]func(rubricStep) bool{
		"bands":     func(s rubricStep) bool { return s.AtLeast != nil },
		"day_bands": func(s rubricStep) bool { return s.Below != nil },
		"deduct":    func(s rubricStep) bool { return s.Points >= 0 }, "line_deduct": func(s rubricStep) bool { return s.Points >= 0 },
		"bonus": func(s rubricStep) bool { return s.Points >= 0 }, "veto": func(s rubricStep) bool { return s.Points >= 0 },
		"coefficient": func(s rubricStep) bool { return s.Place != nil },
	}
	switch {
	case needsPoints && !hasPoints:
		return fmt.Errorf("points: rule %s needs points above 0", row.Rule)
	case !needsPoints && row.Points != nil:
		return fmt.Errorf("points: rule %s has no points of its own", row.Rule)
	case (row.Rule == "target" || row.Rule == "day_bands") && (row.Target == nil || row.K == nil):
		return fmt.Errorf("rule %s needs target and k", row.Rule)
	case row.Rule == "density" && (row.K == nil || row.Per == nil || *row.Per <= 0):
		return fmt.Errorf("rule density needs k and per")
	case (row.Rule == "bonus" || row.Rule == "completion") && row.Cap == nil:
		return fmt.Errorf("rule %s needs a cap", row.Rule)
	case row.Rule == "veto" && (row.VetoScope != "line" && row.VetoScope != "total" || row.VetoLevel == ""):
		return fmt.Errorf("rule veto needs veto_scope (line or total) and veto_level")
	case row.Rule == "day_bands" && row.MinCases == nil:
		return fmt.Errorf("rule day_bands needs min_cases")
	case row.Rule == "manual" && row.Fact != "manual" && row.Fact != "return":
		// Nothing entered must not pass for full points.
		return fmt.Errorf("fact: rule manual needs fact manual or return, what the line entered")
	}
	if fits, needed := steps[row.Rule]; needed {
		if len(row.Steps) == 0 {
			return fmt.Errorf("rule %s needs steps", row.Rule)
		}
		for i, step := range row.Steps {
			if !fits(step) {
				return fmt.Errorf("steps[%d] does not fit rule %s", i, row.Rule)
			}
		}
	}
	return nil
}

// checkPair holds that complaints never count alone: beside their number
// stands how the same complaints were settled, at no fewer points.
func (r rubricFile) checkPair(row rubricRow) error {
	if row.Rule != "density" && !strings.Contains(row.Name, "投诉密度") {
		return nil
	}
	for _, other := range r.Rows {
		if other.ID == row.PairedWith && other.Points != nil && row.Points != nil {
			if *other.Points < *row.Points {
				return fmt.Errorf("paired_with: %s has fewer points than %s; how complaints are settled must weigh no less than their number", other.ID, row.ID)
			}
			return nil
		}
	}
	return fmt.Errorf("paired_with: %q: a complaint indicator needs a row on how the same complaints were settled", row.PairedWith)
}

func (r rubricFile) checkVersions() error {
	if len(r.Versions) == 0 {
		return fmt.Errorf("versions is empty")
	}
	for i, v := range r.Versions {
		switch {
		case v.Version == "" || v.From == 0:
			return fmt.Errorf("versions[%d]: version and from are needed", i)
		case v.Rounding != "half_up" && v.Rounding != "half_even":
			return fmt.Errorf("versions[%d]: rounding: %q: want half_up or half_even", i, v.Rounding)
		case v.RepairSatisfaction != "called_back" && v.RepairSatisfaction != "all":
			return fmt.Errorf("versions[%d]: repair_satisfaction: %q: want called_back or all", i, v.RepairSatisfaction)
		case i > 0 && (r.Versions[i-1].Until == 0 || v.From != r.Versions[i-1].Until.Next()):
			return fmt.Errorf("versions[%d]: from: %s does not follow the version before", i, v.From)
		}
	}
	return nil
}

func (r rubricFile) checkWeights() error {
	if len(r.Weights) == 0 {
		return fmt.Errorf("weights is empty")
	}
	for i, w := range r.Weights {
		if sum := w.Party + w.Law + w.Economy + w.Safety + w.Environment + w.Welfare + w.Culture + w.City + w.Property; sum != 100 {
			return fmt.Errorf("weights[%d]: the weights of the nine lines sum to %d, want 100", i, sum)
		}
		if i > 0 && (r.Weights[i-1].Until == 0 || w.From != r.Weights[i-1].Until.Next()) {
			return fmt.Errorf("weights[%d]: from: %s does not follow the weights before", i, w.From)
		}
	}
	return nil
}

var lineNames = []string{"party", "law", "economy", "safety", "environment", "welfare", "culture", "city", "property"}

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
