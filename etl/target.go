package etl

import (
	"slices"
	"sort"
	"strings"
)

// targets are the facts and the columns that a definition may fill, with the
// engine's types. The tables are landed.<fact> in warehouse/schema.sql; a test
// holds both equal.
var targets = map[string]map[string]string{
	"ticket": columns("ticket_id channel category grid_id grid_name site_key staff_id urgency severity summary caller_key outcome satisfaction repeat_of state state_reason helping_lines",
		"reported_at accepted_at filed_at dispatched_at signed_at first_contact_at due_given_at extended_due_at disposed_at called_back_at closed_at forced_closed_at voided_at appeal_filed_at appeal_decided_at reinspect_due_at reinspected_at",
		map[string]string{"is_contacted": boolean, "is_resolved": boolean, "rework_count": integer, "is_postponed": boolean, "is_leader_assigned": boolean}),
	"exclusion": columns("ticket_id ticket_source metric_set reason evidence decided_by approved_by", "decided_at", nil),
	"repair": columns("repair_id grid_id grid_name home_key part kind urgency state satisfaction project",
		"reported_at accepted_at arrived_at surveyed_at approved_at dispatched_at started_at due_given_at finished_at checked_at settled_at called_back_at voided_at",
		map[string]string{"is_common": boolean, "warranty_until": day, "budget": money, "approved_amount": money, "settled_amount": money, "paid_amount": money}),
	"fund_entry": columns("entry_id kind repair_id project note", "", map[string]string{"day": day, "amount": money}),
	"plan":       columns("grid_id staff_id kind class", "", map[string]string{"month": day, "required": integer}),
	"activity": columns("activity_id kind class object_key staff_id grid_id", "done_at",
		map[string]string{"is_valid": boolean, "checked": integer, "found_right": integer}),
	"return": columns("grid_id line item note", "",
		map[string]string{"month": day, "numerator": "DECIMAL(18,2)", "denominator": "DECIMAL(18,2)", "value": "DECIMAL(18,4)"}),
	"event": columns("event_id grid_id line indicator site severity reason evidence", "",
		map[string]string{"day": day, "count": integer}),
}

const (
	text    = "VARCHAR"
	moment  = "TIMESTAMP"
	day     = "DATE"
	integer = "BIGINT"
	boolean = "BOOLEAN"
	money   = "DECIMAL(14,2)"
)

// factTime is the column whose earliest value tells which months a change of
// the fact touches; "" where the file's month tells.
var factTime = map[string]string{
	"ticket": "reported_at", "repair": "reported_at", "fund_entry": "day", "plan": "month",
	"activity": "done_at", "return": "month", "event": "day",
}

func columns(texts, moments string, others map[string]string) map[string]string {
	all := map[string]string{"updated_at": moment}
	for _, name := range strings.Fields(texts) {
		all[name] = text
	}
	for _, name := range strings.Fields(moments) {
		all[name] = moment
	}
	for name, kind := range others {
		all[name] = kind
	}
	return all
}

func targetNames() []string { return sortedKeys(targets) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// nearest returns the candidate with the smallest edit distance, for messages.
func nearest(name string, candidates []string) string {
	best, least := "", 1<<30
	for _, candidate := range candidates {
		if d := distance([]rune(name), []rune(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the Levenshtein distance.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		last := slices.Clone(row)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
		}
	}
	return row[len(b)]
}
