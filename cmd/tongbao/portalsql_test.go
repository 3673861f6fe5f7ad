package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tongbao/register"
)

// TestPortalSQL: completion, a query with its chart, its cancel, an export,
// and the pages beside, as a reader with script meets them.
func TestPortalSQL(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	address := portalTown(t)
	p := begin(t, b, address, register.RoleStatistician)
	p.to(address + "/sql")

	p.do(chromedp.SendKeys("#sql-text", "select name, total from bulletin.comm"))
	p.until(`document.querySelector("#completions li") && document.querySelector("#completions li").textContent === "bulletin.community"`)
	p.act(`document.getElementById("sql-text").dispatchEvent(new KeyboardEvent("keydown", {key: "Tab", bubbles: true, cancelable: true}))`)
	p.do(chromedp.SendKeys("#sql-text", " where month = $month order by place"))
	p.until(`document.getElementById("sql-text").value === "select name, total from bulletin.community where month = $month order by place"`)
	p.until(`document.querySelector("[name='p.month']").value === "2026-10"`)
	p.act(`document.getElementById("run").click()`)
	p.until(`document.querySelectorAll("table.answer tbody tr").length === 8 && document.querySelector("#chart canvas")`)
	if first := eval[string](p, `document.querySelector("table.answer tbody tr").innerText`); first != "锦苑社区\t98.52" {
		t.Errorf("the first row: %q", first)
	}
	if link := eval[string](p, "location.search"); !strings.Contains(link, "p.month=2026-10") {
		t.Errorf("the address is no link to the query: %q", link)
	}
	p.do(chromedp.Sleep(500 * time.Millisecond))
	ink := eval[int](p, `(() => { const c = document.querySelector("#chart canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 128 && d[i] < 128) n++; return n })()`)
	if ink < 2000 {
		t.Errorf("the chart has %d drawn pixels", ink)
	}
	p.checkPage("sql-answer")
	p.quiet()

	// An export, as the button sends it.
	size := eval[int](p, `fetch("/sql", {method: "POST", body: (() => { const d = new URLSearchParams(new FormData(document.getElementById("ask"))); d.set("do", "parquet"); return d })()})
		.then(r => r.arrayBuffer()).then(b => new TextDecoder().decode(b.slice(0, 4)) === "PAR1" ? b.byteLength : 0)`)
	if size < 300 {
		t.Errorf("the Parquet file has %d bytes", size)
	}

	// A slow query is stopped from the page, and its process with it: nobody has
	// two at a time, so the next one would not be answered beside it.
	const slow = "select count(*) from range(1000000) as a(i), range(1000000) as b(j) where hash(i * j) = 1"
	p.act(fmt.Sprintf(`document.getElementById("sql-text").value = %q; document.getElementById("run").click()`, slow))
	p.until(`!document.getElementById("stop").hidden`)
	p.keep("portal-sql-running")
	p.act(`document.getElementById("stop").click()`)
	p.until(`document.getElementById("clock").textContent === "已停止" && document.getElementById("stop").hidden && !document.querySelector("table.answer")`)

	p.act(`document.getElementById("sql-text").value = "from core.month_ticket"; document.getElementById("run").click()`)
	p.until(`!!document.querySelector("#answer .wrong")`)
	p.checkPage("sql-refused")
	p.quietBut("422")
	for _, path := range []string{"saved", "dictionary", "sql/tokens"} {
		p.to(address + "/" + path)
		if path == "dictionary" {
			p.act(`document.querySelectorAll("details.entry").forEach((d, i) => { d.open = i < 2 })`)
		}
		p.checkPage(strings.ReplaceAll(path, "/", "-"))
	}
	p.quietBut("422")
}

// act runs a script for what it does.
func (p *tab) act(script string) {
	p.t.Helper()
	eval[bool](p, "{"+script+"}; true")
}
