package web

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tongbao/register"
)

var (
	rowPattern  = regexp.MustCompile(`<tr[^>]*>(.*?)</tr>`)
	cellPattern = regexp.MustCompile(`<t[hd][^>]*>(.*?)</t[hd]>`)
	tagPattern  = regexp.MustCompile(`<[^>]*>`)
)

// countedOn reads the list of counted records of a page, by the heading of the
// column.
func countedOn(page string) []map[string]string {
	_, page, _ = strings.Cut(page, `id="h-counted_record"`)
	page, _, _ = strings.Cut(page, "</section>")
	var heads []string
	var list []map[string]string
	for i, found := range rowPattern.FindAllStringSubmatch(page, -1) {
		one := map[string]string{}
		for at, cell := range cellPattern.FindAllStringSubmatch(found[1], -1) {
			text := html.UnescapeString(tagPattern.ReplaceAllString(cell[1], ""))
			if i == 0 {
				heads = append(heads, text)
			} else {
				one[heads[at]] = text
			}
		}
		if i > 0 {
			list = append(list, one)
		}
	}
	return list
}

// TestEveryNumberOpens: each published denominator of tickets and repairs, and
// each figure of work done, opens to exactly so many records, and each of the
// lost ones says why.
func TestEveryNumberOpens(t *testing.T) {
	p := demoPortal(t)
	r := p.as(register.RoleTaskforce)
	of, err := p.library.current(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{Server: p.Server, account: register.Account{Role: register.RoleTaskforce}}
	weight, against := p.words[defaultLocale].column("weight"), p.words[defaultLocale].column("against")
	seen := map[string]int{}
	for _, one := range v.rows(of, "long") {
		indicator, level := one.Get("indicator"), one.Get("level")
		opens, found := of.opened[indicator]
		key := "own_numerator"
		if opens.Denominator {
			key = "own_denominator"
		}
		if !found || one.Get(key) == "" || level != "2" && seen[indicator+level] >= 3 {
			continue
		}
		seen[indicator+level]++
		p.clock.move(time.Second)
		path := fmt.Sprintf("/records?grid=%s&indicator=%s&counted=1", one.Get("grid_id"), indicator)
		got := r.get(path)
		if got.status != http.StatusOK {
			t.Fatalf("%s: got %d", path, got.status)
		}
		sum, lost := 0, 0
		for _, record := range countedOn(got.text) {
			weighs, err := strconv.Atoi(record[weight])
			if err != nil {
				t.Fatalf("%s: %v", path, record)
			}
			sum += weighs
			if record[against] != "" {
				lost += weighs
			}
		}
		if want := one.Get(key); strconv.Itoa(sum) != want {
			t.Errorf("%s opens to %d, the figure is %s", path, sum, want)
		}
		if above, err := strconv.Atoi(one.Get("own_numerator")); err == nil && opens.Denominator && lost != above && sum-lost != above {
			t.Errorf("%s: %d of %d are lost, the numerator is %d", path, lost, sum, above)
		}
	}
	for _, indicator := range strings.Fields("ZF1 ZF8 AJ2 AJ3 HB5A HB5B HB6 CG1 CG2 CG3 CG4 CG5 WG1 WG2 WG3 WG9 HB1 JJ8 MZ1") {
		if seen[indicator+"2"] == 0 {
			t.Errorf("no figure of %s was opened: %v", indicator, seen)
		}
	}
}

// TestCountedRecordsAreKept: of what is counted each role sees what it may, and
// pages offer it to nobody else.
func TestCountedRecordsAreKept(t *testing.T) {
	p := demoPortal(t)
	community := p.words[defaultLocale].column("community")
	unit := p.as(register.RoleUnit)
	got := unit.get("/records?counted=1")
	list := countedOn(got.text)
	if len(list) == 0 || strings.Contains(got.text, ".csv") || strings.Contains(got.text, ".xlsx") {
		t.Errorf("a community's %d records, without files and rows", len(list))
	}
	for _, one := range list {
		if one[community] != list[0][community] {
			t.Fatalf("a community sees a record of others: %v", one)
		}
	}
	for _, path := range []string{"/records?grid=329118110202901&counted=1", "/records?grid=329118110202001&counted=1", "/records?grid=x%27+or+true&counted=1"} {
		if got := unit.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: a community got %d", path, got.status)
		}
	}
	if got := unit.get("/records?grid=329118110202&indicator=CG1&counted=1"); len(countedOn(got.text)) != 0 {
		t.Error("a community sees records of another")
	}
	line := p.words[defaultLocale].column("line")
	owner := p.as(register.RoleLine)
	list = countedOn(owner.get("/records?counted=1").text)
	if len(list) == 0 {
		t.Error("the owner of a line sees none of its records")
	}
	for _, one := range list {
		if one[line] != p.words[defaultLocale].codes("city") {
			t.Fatalf("the owner of a line sees a record of another: %v", one)
		}
	}
	taskforce := p.as(register.RoleTaskforce)
	if got := taskforce.get("/records?counted=1"); len(countedOn(got.text)) != maxRecords || !strings.Contains(got.text, "/sql?of=2026-10&amp;sql=select") {
		t.Errorf("a long list has %d rows, and says how to have all", len(countedOn(got.text)))
	}
	leader := p.as(register.RoleLeader)
	if got := leader.get("/records?counted=1"); got.status != http.StatusForbidden {
		t.Errorf("a leader got %d", got.status)
	}
	const link = "/records?grid=" + testUnit + "&amp;indicator=CG1&amp;counted=1"
	for _, path := range []string{"/unit/" + testUnit, "/indicator/CG1"} {
		for i, one := range []*reader{taskforce, unit, owner, leader} {
			if got, want := strings.Contains(one.get(path).text, link), one != leader; got != want {
				t.Errorf("reader %d: %s offers the records: %v", i, path, got)
			}
		}
	}
	noted := false
	err := p.Register.EachAudit(t.Context(), register.AuditFilter{Account: string(register.RoleUnit), Act: register.ActRecords}, func(one register.AuditEntry) error {
		noted = noted || one.Detail["counted"] == true
		return nil
	})
	if err != nil || !noted {
		t.Errorf("the look at counted records is not in the audit log (%v)", err)
	}
}
