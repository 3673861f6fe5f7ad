package main

import (
	"slices"
	"strings"
	"testing"

	"tongbao/register"
)

// TestPortalHands: in a real browser a leader goes from a community down to a
// building grid and is refused the records; the taskforce goes on to the
// ticket; the operator runs a month and sees it go; the language holds; who
// signs out is out.
func TestPortalHands(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	address := portalTown(t)
	leader := begin(t, b, address, register.RoleLeader)
	for _, step := range []struct{ press, head string }{
		{"a[href^='/unit/329118110204']", "社区"},
		{"a[href^='/unit/329118110204901'], a[href^='/unit/3291181102049']", "片区"},
		{"a[href^='/unit/329118110204'][href$='01'], table a[href^='/unit/3291181102040']", "楼栋网格"},
	} {
		leader.press(step.press)
		if got := leader.heading(); !strings.Contains(got, step.head) {
			t.Errorf("after %s: %s, want a %s", step.press, got, step.head)
		}
	}
	leader.to(address + "/records?grid=329118110204")
	if got := leader.heading(); !strings.Contains(got, "无权查看") {
		t.Errorf("a leader sees records: %s", got)
	}
	leader.to(address + "/")
	leader.press("[value=en]")
	if got := leader.heading(); !strings.Contains(got, "Results of") {
		t.Errorf("in English: %s", got)
	}
	sorted := eval[[]string](leader, `(() => { const t = document.querySelector("table.sortable"); t.querySelectorAll("th button")[2].click();
		return [...t.tBodies[0].rows].map(r => r.cells[2].textContent) })()`)
	if len(sorted) != 8 || sorted[0] >= sorted[7] {
		t.Errorf("sorted by total: %v", sorted)
	}
	leader.press(".who button")
	leader.to(address + "/unit")
	if got := eval[string](leader, "location.pathname"); got != "/sign-in" {
		t.Errorf("signed out, and at %s", got)
	}
	leader.quietBut("403", "Clear-Site-Data")

	taskforce := begin(t, b, address, register.RoleTaskforce)
	taskforce.to(address + "/unit/329118110207")
	taskforce.press("a[href*='/records?grid=329118110207&indicator=AJ2']")
	if text := eval[string](taskforce, `document.querySelector("main").innerText`); !strings.Contains(text, "261008100000006764") || !strings.Contains(text, "未办结") {
		t.Errorf("the ticket behind the number is not there:\n%s", text)
	}
	taskforce.quiet()

	operator := begin(t, b, address, register.RoleOperator)
	operator.to(address + "/runs")
	eval[bool](operator, `((document.querySelector("[value=run]").checked = false), true)`)
	operator.press(".line-form button.do")
	if live := eval[bool](operator, `!!document.getElementById("live")`); !live {
		t.Errorf("the run is shown without its progress: %s", operator.heading())
	}
	operator.until(`document.getElementById("live-step")?.textContent || document.querySelector(".state-done")`)
	operator.until(`document.querySelector("h1 .state-done")`)
	if got := eval[string](operator, `document.querySelector("main").innerText`); !strings.Contains(got, "完成") || !strings.Contains(got, "run 2") {
		t.Errorf("the run does not end on the page:\n%s", got)
	}
	operator.quiet()
}

// quietBut fails for every complaint without one of the words.
func (p *tab) quietBut(words ...string) {
	p.t.Helper()
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, said := range p.said {
		if !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(said, word) }) {
			p.t.Errorf("the page said: %s", said)
		}
	}
}
