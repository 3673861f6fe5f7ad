package web

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"tongbao/register"
)

// identityProvider is a small OpenID provider: discovery, keys, codes with
// PKCE, signed tokens. spoil changes what it answers.
type identityProvider struct {
	*httptest.Server
	t     *testing.T
	key   *rsa.PrivateKey
	mu    sync.Mutex
	codes map[string]url.Values // what the portal asked with
	who   string                // subject of whoever signs in there
	spoil func(claims map[string]any)
}

func newIdentityProvider(t *testing.T) *identityProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &identityProvider{t: t, key: key, codes: map[string]url.Values{}, who: "wang-of-the-town"}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		code := base64.RawURLEncoding.EncodeToString([]byte(query.Get("state")))[:16]
		p.mu.Lock()
		p.codes[code] = query
		p.mu.Unlock()
		http.Redirect(w, r, query.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {query.Get("state")}}.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { p.token(w, r, answer) })
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *identityProvider) token(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter, any)) {
	p.mu.Lock()
	asked, found := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	user, secret, _ := r.BasicAuth()
	if !found || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") || asked.Get("code_challenge_method") != "S256" || user != "tongbao" || secret != "between-us" {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": "tongbao", "sub": p.who, "nonce": asked.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if p.spoil != nil {
		p.spoil(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		p.t.Error(err)
		return
	}
	answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": token})
}

// TestOIDC: who the provider vouches for comes in with the account that names
// the identity; everything that does not fit is refused.
func TestOIDC(t *testing.T) {
	idp := newIdentityProvider(t)
	front := httptest.NewUnstartedServer(nil)
	front.Start()
	t.Cleanup(front.Close)
	p := newPortal(t, func(o *Options) {
		o.URL = front.URL
		o.OIDC = &OIDC{Name: "青禾认证", Issuer: idp.URL, ClientID: "tongbao", ClientSecret: "between-us"}
	})
	front.Config.Handler = p.Handler()
	p.http = front
	by := register.By{Account: "test", At: p.clock.now()}
	for _, account := range []register.Account{{Name: "wang", Role: register.RoleStatistician, Subject: "wang-of-the-town"}, {Name: "gone", Role: register.RoleAdmin, Subject: "gone", IsDisabled: true}} {
		if err := p.Register.AddAccount(context.Background(), by, account, ""); err != nil {
			t.Fatal(err)
		}
	}
	// travel goes to the provider and back; spoil changes the way back.
	travel := func(r *reader, spoil func(back *url.URL)) answer {
		t.Helper()
		if page := r.get("/sign-in"); !strings.Contains(page.text, "青禾认证") {
			t.Fatal("the sign-in page does not offer it")
		}
		out := r.get("/oidc?next=" + url.QueryEscape("/own"))
		response, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(out.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		back, err := url.Parse(response.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if spoil != nil {
			spoil(back)
		}
		return r.get(back.RequestURI())
	}
	r := p.reader()
	if got := travel(r, nil); got.status != http.StatusSeeOther || got.header.Get("Location") != "/own" {
		t.Fatalf("got %d to %q", got.status, got.header.Get("Location"))
	}
	if page := r.get("/own"); !strings.Contains(page.text, "wang") {
		t.Errorf("not signed in as wang:\n%s", page.text)
	}
	refused := func(what string, got answer) {
		t.Helper()
		if got.status != http.StatusForbidden {
			t.Errorf("%s: got %d", what, got.status)
		}
	}
	refused("another state", travel(p.reader(), func(back *url.URL) { back.RawQuery = strings.Replace(back.RawQuery, "state=", "state=x", 1) }))
	refused("another code", travel(p.reader(), func(back *url.URL) { back.RawQuery = strings.Replace(back.RawQuery, "code=", "code=x", 1) }))
	var used url.URL
	again := p.reader()
	travel(again, func(back *url.URL) { used = *back })
	refused("the same answer twice", again.get(used.RequestURI()))
	refused("an answer to another browser", p.reader().get(used.RequestURI()))
	for what, spoil := range map[string]func(map[string]any){
		"another nonce":    func(c map[string]any) { c["nonce"] = "x" },
		"another audience": func(c map[string]any) { c["aud"] = "x" },
		"another issuer":   func(c map[string]any) { c["iss"] = "https://evil.example" },
		"an old token":     func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"an unknown one":   func(c map[string]any) { c["sub"] = "nobody-here" },
		"no subject":       func(c map[string]any) { c["sub"] = "" },
		"a disabled one":   func(c map[string]any) { c["sub"] = "gone" },
	} {
		idp.spoil = spoil
		refused(what, travel(p.reader(), nil))
		p.clock.move(time.Minute)
	}
	idp.spoil = nil
	idp.key, _ = rsa.GenerateKey(rand.Reader, 2048)
	refused("a token signed by another key", travel(p.reader(), nil))
	if page := newPortal(t).reader().get("/oidc"); page.status != http.StatusNotFound {
		t.Errorf("without a provider: %d", page.status)
	}
	var acts []string
	p.Register.EachAudit(context.Background(), register.AuditFilter{Account: "wang"}, func(e register.AuditEntry) error { acts = append(acts, e.Act); return nil })
	if len(acts) == 0 || acts[0] != register.ActSignedIn {
		t.Errorf("the audit log has %q", acts)
	}
}
