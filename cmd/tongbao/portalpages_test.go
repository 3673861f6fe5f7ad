package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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
		if code, _, stderr := account(t, town, firstPassword+"\n", args...); code != exitDone {
			t.Fatal(stderr)
		}
	}
	startService(t, town)
	return portalOf(t, town)
}

const firstPassword = "a first password to change"

// begin signs a role in, who has to change the password that it was given.
func begin(t *testing.T, b browser, address string, role register.Role) *tab {
	t.Helper()
	p := b.visit(t, address+"/sign-in", address, 1366, 768)
	p.press("[value=zh-Hans]")
	p.do(chromedp.SetValue("[name=name]", string(role)), chromedp.SetValue("[name=password]", firstPassword))
	p.press("main button.do")
	if got := p.heading(); !strings.Contains(got, "我的账号") {
		t.Fatalf("%s does not have to change the password: %s", role, got)
	}
	p.do(chromedp.SetValue("[name=old]", firstPassword), chromedp.SetValue("[name=password]", portalPassword), chromedp.SetValue("[name=again]", portalPassword))
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

// until waits for a condition of the page, also while another page comes.
func (p *tab) until(condition string) {
	p.t.Helper()
	for range 1200 {
		isSo, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && isSo {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("waited in vain for %s; the page is\n%.2000s", condition, eval[string](p, "document.body.innerText"))
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
	signIn := b.visit(t, address+"/sign-in", address, 1366, 768)
	signIn.checkPage("sign-in")
	for _, one := range portalPages {
		p := begin(t, b, address, one.role)
		for _, page := range one.pages {
			path, word, _ := strings.Cut(page, " ")
			p.to(address + path)
			text := eval[string](p, `document.body.innerText`)
			if !slices.ContainsFunc(strings.Split(word, "|"), func(w string) bool { return strings.Contains(text, w) }) {
				t.Errorf("%s: %s lacks %q:\n%s", one.role, path, word, text[:min(len(text), 1500)])
			}
			p.checkPage(string(one.role) + strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(path))
		}
		if one.role == register.RoleTaskforce {
			for _, locale := range []string{"en", "zh-Hant"} {
				for _, path := range []string{"/", "/unit/329118110201"} {
					p.to(address + path)
					p.press("[value=" + locale + "]")
					p.checkPage(locale + strings.ReplaceAll(path, "/", "-"))
				}
			}
		}
		p.quiet()
	}
}

// checkPage looks at the page at three widths, with its picture kept, and lets
// axe look.
func (p *tab) checkPage(name string) {
	p.t.Helper()
	for _, width := range []int64{1366, 1024, 390} {
		p.do(chromedp.EmulateViewport(width, 768), chromedp.Sleep(200*time.Millisecond)) // charts follow their window
		if wide := eval[int64](p, "document.scrollingElement.scrollWidth"); wide > width {
			p.t.Errorf("%s is %d px wide in a window of %d", name, wide, width)
		}
		p.keep(fmt.Sprintf("portal-%s-%d", name, width))
	}
	p.do(chromedp.EmulateViewport(1366, 768))
	p.accessible()
}
