package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tongbao/register"
)

// visit is one request with what is known of who sent it.
type visit struct {
	*Server
	w       http.ResponseWriter
	r       *http.Request
	route   route
	from    string           // the reader's address
	account register.Account // Name "" where nobody is signed in
	secret  string           // of the session
	words   *words
	fresh   string // secret of the forms, where this answer gives one out
}

func (v *visit) by() register.By {
	return register.By{Account: v.account.Name, From: v.from, At: v.Now()}
}

// audit writes down what the reader does.
func (v *visit) audit(act, object string, detail map[string]any) error {
	by := v.by()
	return v.Register.Audit(v.r.Context(), register.AuditEntry{At: by.At, Account: by.Account, From: by.From, Act: act, Object: object, Detail: detail})
}

// may says whether the reader may go through a door; templates ask it too.
func (v *visit) may(door register.Door) bool {
	return v.account.Name != "" && register.May(v.account.Role, door)
}

// cookieName is the name of one of our cookies. Behind TLS the prefix binds it
// to this very host and to TLS.
func (v *visit) cookieName(which string) string {
	name := "tongbao" + which
	if v.isSecure(v.r) {
		return "__Host-" + name
	}
	return name
}

func (v *visit) setCookie(which, value string, life time.Duration) {
	cookie := &http.Cookie{
		Name: v.cookieName(which), Value: value, Path: "/", HttpOnly: true, Secure: v.isSecure(v.r), SameSite: http.SameSiteLaxMode,
	}
	if life != 0 {
		cookie.MaxAge = int(life.Seconds())
	}
	http.SetCookie(v.w, cookie)
}

// Cookies besides the session's own, which has the bare name.
const (
	formCookie   = "_form"   // secret of forms where nobody is signed in
	localeCookie = "_locale" // language
)

// formSecret is the secret that forms are bound to: the session's, or one of
// its own where nobody is signed in.
func (v *visit) formSecret() string {
	if v.secret != "" {
		return v.secret
	}
	if v.fresh != "" {
		return v.fresh
	}
	if cookie, err := v.r.Cookie(v.cookieName(formCookie)); err == nil && len(cookie.Value) >= 32 {
		return cookie.Value
	}
	return ""
}

// giveForm makes sure that there is a secret for the forms of a page.
func (v *visit) giveForm() error {
	if v.formSecret() != "" {
		return nil
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	v.fresh = base64.RawURLEncoding.EncodeToString(secret)
	v.setCookie(formCookie, v.fresh, 0)
	return nil
}

// screen is what a page's template gets: Body is the page's own.
type screen struct {
	Town, Page, Locale, Path string
	Base                     string // path without its query
	Title                    string // "" lets the page say it
	Account                  register.Account
	Of                       *ofMonth      // what is printed, nil for pages that are of no month
	Main                     template.HTML // the page's own part, where it was drawn before
	Token                    string        // of the forms, "" for none
	Nav                      []navItem
	Style, Script            string // addresses
	Locales                  []string
	Body                     any
}

type navItem struct {
	Key, Path string
	IsHere    bool
}

// show answers with a page. What a page holds may be personal, so browsers and
// proxies keep nothing without asking again.
func (v *visit) show(page string, body any) error { return v.showAs(http.StatusOK, page, body) }

func (v *visit) showAs(status int, page string, body any) error {
	text, err := v.render(page, body)
	if err != nil {
		return err
	}
	return v.send(status, "text/html; charset=utf-8", "private, no-cache", text)
}

func (v *visit) render(page string, body any) ([]byte, error) {
	if err := v.giveForm(); err != nil {
		return nil, err
	}
	return v.layout(page, screen{Body: body})
}

// layout draws a page; view has its own part, or what that is made from.
func (v *visit) layout(page string, view screen) ([]byte, error) {
	parsed, found := v.pages[v.words.name][page]
	if !found {
		return nil, fmt.Errorf("page %s: there is no such template", page)
	}
	path := v.r.URL.RequestURI()
	if v.r.Method != http.MethodGet {
		path = v.r.URL.Path
	}
	view.Town, view.Page, view.Locale, view.Path, view.Account, view.Token = v.Town, page, v.words.name, path, v.account, formToken(v.formSecret())
	view.Base = v.r.URL.Path
	view.Style, view.Script, view.Locales, view.Nav = v.assetPath("portal.css"), v.assetPath("portal.js"), localeNames(), v.nav()
	var out bytes.Buffer
	if err := parsed.ExecuteTemplate(&out, "layout.html", view); err != nil {
		return nil, fmt.Errorf("page %s: %w", page, err)
	}
	return out.Bytes(), nil
}

// nav lists the pages of the navigation that the reader may open.
func (v *visit) nav() []navItem {
	var items []navItem
	for _, one := range v.routes() {
		if one.nav == "" || !v.may(one.door) || v.account.MustChange {
			continue
		}
		path := strings.TrimSuffix(strings.TrimPrefix(one.pattern, "GET "), "{$}")
		here := v.r.URL.Path
		items = append(items, navItem{one.nav, path, here == path || path != "/" && strings.HasPrefix(here, path+"/")})
	}
	return items
}

// zippers are quick rather than thorough: a page is compressed for each reader,
// and a town's network is not the bottleneck.
var zippers = sync.Pool{New: func() any {
	zipper, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that there is
	return zipper
}}

// send answers with bytes, unless the reader has them; compressed where that
// is understood. The tag is weak: it is of the content, not of its coding.
func (v *visit) send(status int, kind, cache string, content []byte) error {
	header := v.w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", cache)
	header.Add("Vary", "Accept-Encoding, Cookie, Accept-Language")
	if status == http.StatusOK {
		sum := sha256.Sum256(content)
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
		header.Set("ETag", tag)
		if v.r.Header.Get("If-None-Match") == tag {
			v.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	if len(content) < 1<<10 || !strings.Contains(v.r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Length", fmt.Sprint(len(content)))
		v.w.WriteHeader(status)
		_, _ = v.w.Write(content) // the reader may be gone
		return nil
	}
	header.Set("Content-Encoding", "gzip")
	v.w.WriteHeader(status)
	zipper := zippers.Get().(*gzip.Writer)
	defer zippers.Put(zipper)
	zipper.Reset(v.w)
	_, _ = zipper.Write(content)
	_ = zipper.Close()
	return nil
}

// redirect sends the reader to another page of ours.
func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, localPath(to), http.StatusSeeOther)
	return nil
}

// localPath is a path of ours, "/" for whatever is none: where to go next is
// read from addresses that anybody can write.
func localPath(to string) string {
	parsed, err := url.Parse(to)
	if err != nil || parsed.IsAbs() || parsed.Host != "" || parsed.Opaque != "" || !strings.HasPrefix(to, "/") ||
		strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") || strings.HasPrefix(parsed.Path, "//") {
		return "/"
	}
	return to
}
