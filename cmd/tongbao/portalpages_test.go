package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"tongbao/register"
)

// portalTown is a running portal of a copy of the demo town, with an account
// for each role.
func portalTown(t *testing.T) (address string) {
	t.Helper()
	town := copyWorkspace(t, demoTown(t))
	setPortal(t, town)
	setJobs(t, town, "  - {name: yearly, schedule: \"0 0 1 1 *\", steps: [pull]}\n")
	for _, role := range register.Roles() {
		args := []string{"add", string(role), "--role", string(role), "--display", "演示" + string(role)}
		switch role {
		case register.RoleLine:
			args = append(args, "--line", "city")
		case register.RoleUnit:
			args = append(args, "--unit", "329118110201")
		}
		if code, _, stderr := account(t, town, "a first password to change\n", args...); code != exitDone {
			t.Fatal(stderr)
		}
	}
	startService(t, town)
	return portalOf(t, town)
}

// enter signs a role in and changes the password that it was given.
func enter(t *testing.T, b browser, address string, role register.Role, password string) *tab {
	t.Helper()
	p := b.visit(t, address+"/sign-in", address, 1366, 768)
	p.press("[value=zh-Hans]")
	p.do(chromedp.SetValue("[name=name]", string(role)), chromedp.SetValue("[name=password]", password))
	p.press("main button.do")
	return p
}

// press clicks and waits until the page that comes has loaded.
func (p *tab) press(what string) {
	p.t.Helper()
	eval[bool](p, `(window.isOld = true)`)
	eval[bool](p, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, what))
	p.arrive()
}

// go to another page of the portal.
func (p *tab) to(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address), chromedp.WaitReady("main"))
}

// arrive waits for the page after this one.
func (p *tab) arrive() {
	p.t.Helper()
	for range 600 {
		value, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`!window.isOld && document.readyState === "complete" && !!document.querySelector("main")`))
		if err == nil && value {
			return
		}
	}
	p.t.Fatal("the next page does not come")
}

func (p *tab) heading() string { return eval[string](p, `document.querySelector("h1").textContent`) }

// portalPages are the pages that each role is shown, with a word that must be
// on each.
var portalPages = []struct {
	role  register.Role
	pages []string // path and word
}{
	{register.RoleLeader, []string{"/ 锦苑社区", "/archive 领导版", "/line/city CG1", "/unit 片区", "/unit/329118110201 九条线|条线", "/unit/329118110201901 楼栋", "/indicator DQ1", "/indicator/cg2 公式", "/coordination 推进会", "/health 对账|到数"}},
	{register.RoleTaskforce, []string{"/staff W0001", "/records?grid=329118110201 记录", "/unit/329118110200014 指标", "/archive records.duckdb"}},
	{register.RoleLine, []string{"/line/city 失分记录", "/records?line=city 记录"}},
	{register.RoleUnit, []string{"/ 中苑社区", "/unit/329118110201 中苑社区", "/records 记录"}},
	{register.RoleStatistician, []string{"/ 锦苑社区", "/indicator/cg1 select"}},
	{register.RoleOperator, []string{"/runs 运行", "/health 到数"}},
	{register.RoleAuditor, []string{"/audit 登录", "/ 锦苑社区"}},
	{register.RoleAdmin, []string{"/accounts 统计员"}},
}

// TestPortalPages opens every page as each role, in a real browser: it fits its
// window at three widths, complains about nothing, asks for nothing from
// elsewhere, and axe finds nothing serious.
func TestPortalPages(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	address := portalTown(t)
	axe, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skipf("accessibility was not looked at: %v; npm ci brings axe-core", err)
	}
	signIn := b.visit(t, address+"/sign-in", address, 1366, 768)
	signIn.checkPage("sign-in", string(axe))
	for _, one := range portalPages {
		p := enter(t, b, address, one.role, "a first password to change")
		if got := p.heading(); !strings.Contains(got, "我的账号") {
			t.Fatalf("%s does not have to change the password: %s", one.role, got)
		}
		p.do(chromedp.SetValue("[name=old]", "a first password to change"), chromedp.SetValue("[name=password]", portalPassword), chromedp.SetValue("[name=again]", portalPassword))
		p.press("main button.do")
		for _, page := range one.pages {
			path, word, _ := strings.Cut(page, " ")
			p.to(address + path)
			text := eval[string](p, `document.body.innerText`)
			if !slices.ContainsFunc(strings.Split(word, "|"), func(w string) bool { return strings.Contains(text, w) }) {
				t.Errorf("%s: %s lacks %q:\n%s", one.role, path, word, text[:min(len(text), 1500)])
			}
			p.checkPage(string(one.role)+strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(path), string(axe))
		}
		if one.role == register.RoleTaskforce {
			for _, locale := range []string{"en", "zh-Hant"} {
				for _, path := range []string{"/", "/unit/329118110201"} {
					p.to(address + path)
					p.press("[value=" + locale + "]")
					p.checkPage(locale+strings.ReplaceAll(path, "/", "-"), string(axe))
				}
			}
		}
		p.quiet()
	}
}

// checkPage looks at the page at three widths, with its picture kept, and lets
// axe look.
func (p *tab) checkPage(name, axe string) {
	p.t.Helper()
	for _, width := range []int64{1366, 1024, 390} {
		p.do(chromedp.EmulateViewport(width, 768))
		if wide := eval[int64](p, "document.scrollingElement.scrollWidth"); wide > width {
			p.t.Errorf("%s is %d px wide in a window of %d", name, wide, width)
		}
		p.keep(fmt.Sprintf("portal-%s-%d", name, width))
	}
	p.do(chromedp.EmulateViewport(1366, 768))
	eval[int](p, axe+";0")
	found := eval[string](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(
		v => ({id: v.id, impact: v.impact, help: v.help, where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + n.failureSummary)}))))`)
	var violations []struct {
		ID, Impact, Help string
		Where            []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		p.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			p.t.Errorf("%s: %s (%s): %s\n%s", name, v.ID, v.Impact, v.Help, strings.Join(v.Where, "\n"))
		}
	}
}
