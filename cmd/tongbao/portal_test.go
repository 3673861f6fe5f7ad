package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tongbao/pipeline"
)

// setPortal gives a workspace a portal on a free port, and no other listener.
func setPortal(t testing.TB, town string) {
	t.Helper()
	file := filepath.Join(town, pipeline.ConfigName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept := regexp.MustCompile(`(?m)^(listen:.*|portal:.*(\n[ #].*)*)\n`).ReplaceAllString(string(text), "")
	if err := os.WriteFile(file, []byte("listen: \"off\"\nportal:\n  listen: 127.0.0.1:0\n"+kept), 0o644); err != nil {
		t.Fatal(err)
	}
}

// portalOf waits until the portal of a town is open and returns its address.
func portalOf(t testing.TB, town string) string {
	t.Helper()
	said := regexp.MustCompile(`"msg":"the portal is open","listen":"([^"]+)"`)
	for range 300 {
		log, _ := os.ReadFile(filepath.Join(town, "data", "logs", "tongbao.log"))
		if found := said.FindAllSubmatch(log, -1); found != nil {
			return "http://" + string(found[len(found)-1][1])
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the portal does not open")
	return ""
}

const portalPassword = "correct horse battery staple"

// account runs an account command with what is typed on its stdin.
func account(t testing.TB, town, typed string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(typed), stdout: &out, stderr: &errs, now: time.Now}
	code = a.run(context.Background(), append(append([]string{"account"}, args...), "-w", town))
	return code, out.String(), errs.String()
}

// TestAccounts: what is typed, what is refused and why, and what the list says.
func TestAccounts(t *testing.T) {
	t.Parallel()
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town, "--town", "青禾镇")
	for _, one := range []struct {
		args, typed, says string
		code              int
	}{
		{"add first --role admin", portalPassword + "\n", "is added", exitDone},
		{"add first --role admin", portalPassword + "\n", "there is one already", exitUsage},
		{"add second --role admin", "short\n", "at least 12", exitUsage},
		{"add second --role admin", "", "no password on stdin", exitUsage},
		{"add second --role king", portalPassword, "want one of leader", exitUsage},
		{"add second --role line", portalPassword, "a line goes with", exitUsage},
		{"add second --role line --line city --display 城管", portalPassword, "", exitDone},
		{"disable second", "", "", exitDone},
		{"disable nobody", "", "no such account", exitUsage},
		{"password first", "another long sentence of words\r\n", "", exitDone},
	} {
		code, _, stderr := account(t, town, one.typed, strings.Fields(one.args)...)
		if code != one.code || !strings.Contains(stderr, one.says) {
			t.Errorf("account %s: exit %d, %q; want %d and %q", one.args, code, stderr, one.code, one.says)
		}
	}
	_, list, _ := account(t, town, "", "list", "-o", "csv")
	for _, want := range []string{"first,first,admin,,,must change the password,", "second,城管,line,city,,disabled,"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q:\n%s", want, list)
		}
	}
}

// TestPortalServes: the real service opens the portal, the first account comes
// in by its link, and a killed reader's session is the register's.
func TestPortalServes(t *testing.T) {
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town, "--demo", "--months", "1", "--grids", "16")
	setPortal(t, town)
	setJobs(t, town, "  - {name: yearly, schedule: \"0 0 1 1 *\", steps: [pull]}\n")
	code, link, stderr := account(t, town, "", "add", "first", "--role", "operator", "--link")
	if code != exitDone {
		t.Fatal(stderr)
	}
	service := startService(t, town)
	address := portalOf(t, town)
	parsed, err := url.Parse(strings.TrimSpace(link))
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	page := func(response *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	welcome := page(browser.Get(address + parsed.RequestURI()))
	token := regexp.MustCompile(`name="form_token" value="([^"]+)"`).FindStringSubmatch(welcome)
	if token == nil {
		t.Fatalf("no form on the page of the link:\n%s", welcome)
	}
	form := url.Values{"form_token": {token[1]}, "link": {parsed.Query().Get("link")}, "password": {portalPassword}, "again": {portalPassword}}
	if inside := page(browser.PostForm(address+"/welcome", form)); !strings.Contains(inside, "/sign-out") {
		t.Errorf("the link did not let its owner in:\n%s", inside)
	}
	if again := page(browser.Get(address + parsed.RequestURI())); !strings.Contains(again, "链接已失效") {
		t.Errorf("the link works twice:\n%s", again)
	}
	stopService(t, service)
	if _, err := browser.Get(address + "/sign-in"); err == nil {
		t.Error("the portal answers after the service stopped")
	}
}
