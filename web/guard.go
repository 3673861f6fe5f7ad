package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"tongbao/register"
)

// policy is the Content-Security-Policy of the portal's own pages: nothing
// from elsewhere, nothing inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard stands before every route: headers, limits, faults.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		header.Set("Cache-Control", "no-store")
		if s.isSecure(r) {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		defer func() {
			if cause := recover(); cause != nil {
				if cause == http.ErrAbortHandler {
					panic(cause)
				}
				s.Log.Error("a fault in the program", "path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
				s.fail(&visit{Server: s, w: w, r: r, words: s.words[defaultLocale]}, errFault)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// answer is the one way to every route: who is it, may it, and what if not.
func (s *Server) answer(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Server: s, w: w, r: r, from: s.client(r), route: to}
		v.words = s.words[localeOf(r)]
		if err := s.enter(v); err != nil {
			s.fail(v, err)
			return
		}
		if err := to.do(v); err != nil {
			s.fail(v, err)
		}
	})
}

// enter finds out who visits and refuses what may not be.
func (s *Server) enter(v *visit) error {
	if v.route.door == register.DoorAPI {
		return s.enterAPI(v)
	}
	if cookie, err := v.r.Cookie(v.cookieName("")); err == nil {
		account, err := s.Register.Session(v.r.Context(), cookie.Value, s.Now())
		if err == nil {
			v.account, v.secret = account, cookie.Value
		} else if !errors.Is(err, register.ErrNoSession) {
			return err
		}
	}
	who := v.account.Name
	if who == "" {
		who = "address " + v.from
	}
	if !s.visits.allow(who, s.Now()) {
		return refuse(http.StatusTooManyRequests, "too_many")
	}
	if isAct := v.r.Method != http.MethodGet && v.r.Method != http.MethodHead; isAct {
		if err := s.checkForm(v); err != nil {
			return err
		}
	}
	if v.route.door == "" {
		return nil
	}
	if v.account.Name == "" {
		return errSignInFirst
	}
	if v.account.MustChange && v.route.door != register.DoorOwn {
		return errChangeFirst
	}
	if !register.May(v.account.Role, v.route.door) {
		if v.route.door == register.DoorHome {
			return errElsewhere
		}
		return errors.Join(refuse(http.StatusForbidden, "not_yours"), v.audit(register.ActPageRefused, v.r.URL.Path, nil))
	}
	return nil
}

// checkForm refuses a form that another site sent, or that carries no token of
// this very session: the standard library's protection and our own, because
// old browsers send neither of the headers that the first one needs.
func (s *Server) checkForm(v *visit) error {
	if err := s.origins.Check(v.r); err != nil {
		return refuse(http.StatusForbidden, "foreign_form")
	}
	if err := v.r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refuse(http.StatusRequestEntityTooLarge, "too_large")
		}
		return refuse(http.StatusBadRequest, "bad_form")
	}
	want := formToken(v.formSecret())
	if got := v.r.PostForm.Get("form_token"); want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return refuse(http.StatusForbidden, "old_form")
	}
	return nil
}

// formToken is what a form must carry: it can be made from the cookie's secret
// only, and gives nothing of it away. "" for no secret.
func formToken(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("form " + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// isSecure says whether the reader's way to us is encrypted.
func (s *Server) isSecure(r *http.Request) bool {
	return r.TLS != nil || s.isTrusted(r.RemoteAddr) && r.Header.Get("X-Forwarded-Proto") == "https"
}

func (s *Server) isTrusted(remote string) bool {
	address := addressOf(remote)
	for _, one := range s.TrustedProxies {
		if one.Contains(address) {
			return true
		}
	}
	return false
}

func addressOf(text string) netip.Addr {
	if pair, err := netip.ParseAddrPort(text); err == nil {
		return pair.Addr().Unmap()
	}
	address, _ := netip.ParseAddr(strings.TrimSpace(text))
	return address.Unmap()
}

// client is the address of the reader: that of the connection, or what a
// trusted proxy says, read from the right to the first that is not trusted
// itself. What an untrusted client says of itself is nothing.
func (s *Server) client(r *http.Request) string {
	address := addressOf(r.RemoteAddr)
	if !s.isTrusted(r.RemoteAddr) {
		return address.String()
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := addressOf(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break
		}
		address = hop
		if !s.isTrusted(hop.String()) {
			break
		}
	}
	return address.String()
}
