package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/url"
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
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is one Chromium for all tests; tab opens pages in it.
type browser struct{ ctx context.Context }

// chromium is started for the first test that looks at a page; TestMain stops
// it.
var chromium = sync.OnceValues(func() (browser, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return browser{}, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(ctx)
	stopChromium = func() { cancel(); stop() }
	return browser{ctx}, chromedp.Do(ctx)
})

var stopChromium = func() {}

func newBrowser(t *testing.T) browser {
	t.Helper()
	b, err := chromium()
	if err != nil {
		t.Fatalf("no browser; make setup installs Debian's chromium: %v", err)
	}
	return b
}

// tab is an open page that keeps what it complained about and asked for.
type tab struct {
	t     *testing.T
	ctx   context.Context
	close func()
	lock  sync.Mutex
	said  []string
}

// open loads a file at a window's size, and waits until it has drawn.
func (b browser) open(t *testing.T, file string, width, height int64) *tab {
	t.Helper()
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
	return b.visit(t, address, address, width, height)
}

// visit loads an address, as somebody of whom the other tabs know nothing; what
// is asked for outside of within is noted.
func (b browser) visit(t *testing.T, address, within string, width, height int64) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	tab := &tab{t: t, ctx: ctx, close: closeTab}
	tab.do()
	err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			tab.note("exception: " + event.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			tab.note(fmt.Sprintf("console.%s: %s", event.Type, event.Args[0].Value))
		case *log.EventEntryAdded:
			tab.note(event.Entry.Text)
		case *page.EventJavascriptDialogOpening:
			tab.note("dialog: " + event.Message)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(event.Request.URL, within) && !strings.HasPrefix(event.Request.URL, "data:") {
				tab.note("request: " + event.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tab.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		if err == nil {
			_, err = cdp.Call(ctx, target, log.Enable, cdp.Empty{})
		}
		return err
	}), chromedp.EmulateViewport(width, height), chromedp.Navigate(address), chromedp.WaitReady("main"))
	return tab
}

func (p *tab) note(text string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.said = append(p.said, text)
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// eval runs a script and returns what it comes to; promises are waited for.
func eval[T any](p *tab, script string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", script[:min(len(script), 100)], err)
	}
	return value
}

// quiet fails for every complaint and request so far.
func (p *tab) quiet() {
	p.t.Helper()
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, said := range p.said {
		p.t.Errorf("the page said: %s", said)
	}
}

// axe is axe-core, which looks at a page's accessibility.
var axe = sync.OnceValues(func() ([]byte, error) {
	return os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
})

// accessible fails for what axe-core finds serious. It is evaluated from
// outside, because the page's own policy lets no other script in.
func (p *tab) accessible() {
	p.t.Helper()
	script, err := axe()
	if err != nil {
		p.t.Fatalf("nothing looks at accessibility; make test brings axe-core: %v", err)
	}
	eval[int](p, string(script)+";0")
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
			at := eval[string](p, "location.pathname")
			p.t.Errorf("%s: %s (%s): %s\n%s", at, v.ID, v.Impact, v.Help, strings.Join(v.Where, "\n"))
		}
	}
}

// keep saves a picture of the whole page where TONGBAO_ARTEFACTS says.
func (p *tab) keep(name string) {
	p.t.Helper()
	dir := os.Getenv("TONGBAO_ARTEFACTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// ink counts, for each element of a class by its id, the pixels that are not
// near white, on a picture of it.
func (p *tab) ink(class string) map[string]int {
	p.t.Helper()
	type box struct {
		ID                  string
		X, Y, Width, Height float64
	}
	boxes := eval[[]box](p, `[...document.querySelectorAll(".`+class+`")].map(e => { const r = e.getBoundingClientRect();
		return {ID: e.id, X: r.left + scrollX, Y: r.top + scrollY, Width: r.width, Height: r.height} })`)
	counts := map[string]int{}
	for _, b := range boxes {
		picture, err := chromedp.Run(p.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
			yes := true
			taken, err := cdp.Call(ctx, target, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, OptimizeForSpeed: &yes,
				Clip: &page.Viewport{X: b.X, Y: b.Y, Width: b.Width, Height: b.Height, Scale: 1}})
			return taken.Data, err
		})
		if err != nil {
			p.t.Fatal(err)
		}
		drawn, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			p.t.Fatal(err)
		}
		counts[b.ID] = inkOf(drawn)
	}
	return counts
}

func inkOf(drawn image.Image) (count int) {
	for y := drawn.Bounds().Min.Y; y < drawn.Bounds().Max.Y; y++ {
		for x := drawn.Bounds().Min.X; x < drawn.Bounds().Max.X; x++ {
			if red, green, blue, _ := drawn.At(x, y).RGBA(); min(red, green, blue) < 0xd000 {
				count++
			}
		}
	}
	return count
}

// print makes a PDF as a reader's printer would, and returns its text by page.
func (p *tab) print() []string {
	p.t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		p.t.Fatal("no pdftotext; make setup installs poppler-utils")
	}
	pdf, err := chromedp.Run(p.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		yes := true
		printed, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes})
		return printed.Data, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	file := filepath.Join(p.t.TempDir(), "page.pdf")
	if err := os.WriteFile(file, pdf, 0o644); err != nil {
		p.t.Fatal(err)
	}
	text, err := exec.Command(tool, "-layout", file, "-").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\f"), "\f")
}
