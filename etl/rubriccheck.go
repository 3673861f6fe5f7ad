package etl

import (
	"fmt"
	"slices"
	"strings"
)

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
