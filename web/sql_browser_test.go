package web

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tongbao/register"
)

// window is a page of the portal in Chromium; it keeps what the page
// complained about.
type window struct {
	t    testing.TB
	ctx  context.Context
	base string
	lock sync.Mutex
	said []string
}

// openWindow starts Chromium and signs a role in.
func (p *portal) openWindow(role register.Role) *window {
	p.t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		p.t.Skip("no chromium here: apt-get install chromium, or make setup")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("accept-lang", "zh-CN"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	p.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	p.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	p.t.Cleanup(cancel)
	w := &window{t: p.t, ctx: ctx, base: p.http.URL}
	w.do()
	err = chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			w.note("exception: " + event.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			w.note(fmt.Sprintf("console.%s: %s", event.Type, event.Args[0].Value))
		case *log.EventEntryAdded:
			w.note(event.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(event.Request.URL, p.http.URL) && !strings.HasPrefix(event.Request.URL, "data:") {
				w.note("request: " + event.Request.URL)
			}
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	w.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		if err == nil {
			_, err = cdp.Call(ctx, target, log.Enable, cdp.Empty{})
		}
		return err
	}), chromedp.EmulateViewport(1366, 900))
	w.visit("/sign-in?next=/sql")
	w.run(fmt.Sprintf(`document.querySelector("[name=name]").value = %q; document.querySelector("[name=password]").value = %q; document.querySelector("button.do").click()`, role, testPassword))
	w.until(`location.pathname === "/sql" && !!document.getElementById("ask")`)
	return w
}

func (w *window) note(text string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.said = append(w.said, text)
}

// quiet fails for what the page complained about, except what is expected.
func (w *window) quiet(except string) {
	w.t.Helper()
	w.lock.Lock()
	defer w.lock.Unlock()
	for _, said := range w.said {
		if except == "" || !strings.Contains(said, except) {
			w.t.Errorf("the page said: %s", said)
		}
	}
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) visit(path string) {
	w.t.Helper()
	w.do(chromedp.Navigate(w.base+path), chromedp.WaitReady("main"))
}

// run evaluates a script for what it does.
func (w *window) run(script string) {
	w.t.Helper()
	look[bool](w, "{"+script+"}; true")
}

func look[T any](w *window, script string) T {
	w.t.Helper()
	value, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%s: %v", script[:min(len(script), 200)], err)
	}
	return value
}

// until waits for a condition of the page.
func (w *window) until(condition string) {
	w.t.Helper()
	for range 300 {
		// While a page goes away there is nothing to ask.
		isSo, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && isSo {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.quiet("")
	w.t.Fatalf("waited in vain for %s; the page is\n%.2000s\nwith the text %q", condition, look[string](w, "document.body.innerText"),
		look[string](w, `(document.getElementById("sql-text") || {}).value || ""`))
}

// keep saves a picture of the whole page where TONGBAO_ARTEFACTS says, at
// three widths, and fails where the page is wider than its window.
func (w *window) keep(name string) {
	w.t.Helper()
	for _, width := range []int64{1366, 800, 390} {
		w.do(chromedp.EmulateViewport(width, 900), chromedp.Sleep(200*time.Millisecond))
		if wide := look[int64](w, "document.scrollingElement.scrollWidth"); wide > width {
			w.t.Errorf("%s is %d px wide in a window of %d", name, wide, width)
		}
		dir := os.Getenv("TONGBAO_ARTEFACTS")
		if dir == "" {
			continue
		}
		picture, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), picture, 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	w.do(chromedp.EmulateViewport(1366, 900))
}

// accessible runs axe-core from outside: the page's own policy lets no other
// script in.
func (w *window) accessible(name string) {
	w.t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		w.t.Skipf("accessibility was not looked at: %v; npm ci brings axe-core", err)
	}
	look[int](w, string(axe)+";0")
	found := look[string](w, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(
		v => ({id: v.id, impact: v.impact, help: v.help, where: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + n.failureSummary)}))))`)
	var violations []struct {
		ID, Impact, Help string
		Where            []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		w.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			w.t.Errorf("%s: %s (%s): %s\n%s", name, v.ID, v.Impact, v.Help, strings.Join(v.Where, "\n"))
		}
	}
}

// TestSQLInBrowser: completion, a query with its chart, its cancel, an export,
// and the pages beside, as a reader with script meets them.
func TestSQLInBrowser(t *testing.T) {
	p := askingPortal(t)
	w := p.openWindow(register.RoleStatistician)

	w.do(chromedp.SendKeys("#sql-text", "select name, total from bulletin.comm"))
	w.until(`document.querySelector("#completions li") && document.querySelector("#completions li").textContent === "bulletin.community"`)
	w.run(`document.getElementById("sql-text").dispatchEvent(new KeyboardEvent("keydown", {key: "Tab", bubbles: true, cancelable: true}))`)
	w.do(chromedp.SendKeys("#sql-text", " where month = $month order by place"))
	w.until(`document.getElementById("sql-text").value === "select name, total from bulletin.community where month = $month order by place"`)
	w.until(`document.querySelector("[name='p.month']").value === "2026-10"`)
	w.run(`document.getElementById("run").click()`)
	w.until(`document.querySelectorAll("table.answer tbody tr").length === 8 && document.querySelector("#chart canvas")`)
	if first := look[string](w, `document.querySelector("table.answer tbody tr").innerText`); first != "锦苑社区\t98.52" {
		t.Errorf("the first row: %q", first)
	}
	if link := look[string](w, "location.search"); !strings.Contains(link, "p.month=2026-10") {
		t.Errorf("the address is no link to the query: %q", link)
	}
	w.do(chromedp.Sleep(500 * time.Millisecond))
	ink := look[int](w, `(() => { const c = document.querySelector("#chart canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 128 && d[i] < 128) n++; return n })()`)
	if ink < 2000 {
		t.Errorf("the chart has %d drawn pixels", ink)
	}
	w.accessible("answer")
	w.keep("sql-answer")
	w.quiet("")

	// An export, as the button sends it.
	size := look[int](w, `fetch("/sql", {method: "POST", body: (() => { const d = new URLSearchParams(new FormData(document.getElementById("ask"))); d.set("do", "parquet"); return d })()})
		.then(r => r.arrayBuffer()).then(b => new TextDecoder().decode(b.slice(0, 4)) === "PAR1" ? b.byteLength : 0)`)
	if size < 300 {
		t.Errorf("the Parquet file has %d bytes", size)
	}

	// A slow query is stopped from the page, and its process with it.
	w.run(fmt.Sprintf(`document.getElementById("sql-text").value = %q; document.getElementById("run").click()`, slowQuery))
	w.until(`!document.getElementById("stop").hidden`)
	waitRunning(t, p, 1)
	w.keep("sql-running")
	w.run(`document.getElementById("stop").click()`)
	w.until(`document.getElementById("clock").textContent === "已停止" && document.getElementById("stop").hidden && !document.querySelector("table.answer")`)
	waitRunning(t, p, 0)

	w.run(`document.getElementById("sql-text").value = "from core.month_ticket"; document.getElementById("run").click()`)
	w.until(`!!document.querySelector("#answer .wrong")`)
	w.accessible("refusal")
	w.keep("sql-refused")
	w.quiet("422")
	for _, path := range []string{"saved", "dictionary", "sql/tokens"} {
		w.visit("/" + path)
		if path == "dictionary" {
			w.run(`document.querySelectorAll("details.entry").forEach((d, i) => { d.open = i < 2 })`)
		}
		w.accessible(path)
		w.keep(strings.ReplaceAll(path, "/", "-"))
	}
	w.quiet("422")
}

func waitRunning(t *testing.T, p *portal, want int) {
	t.Helper()
	for range 300 {
		if running, _ := p.Desk.State(); running == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("want %d queries running", want)
}
