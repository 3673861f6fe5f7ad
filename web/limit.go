package web

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	ratelimit "golang.org/x/time/rate"
)

// How often somebody may ask. A page is one request, or two with its style.
const (
	visitsPerSecond  = 50.0
	visitBurst       = 200
	signInsPerMinute = 30.0 // an office behind one address
	signInBurst      = 20
	maxLimited       = 10_000 // addresses that are remembered
)

// limiter bounds how often each of many may do something.
type limiter struct {
	perSecond ratelimit.Limit
	burst     int

	mu    sync.Mutex
	known map[string]*ratelimit.Limiter
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: ratelimit.Limit(perSecond), burst: burst, known: map[string]*ratelimit.Limiter{}}
}

func (l *limiter) allow(who string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, found := l.known[who]
	if !found {
		if len(l.known) >= maxLimited {
			l.forget(now)
		}
		one = ratelimit.NewLimiter(l.perSecond, l.burst)
		l.known[who] = one
	}
	return one.AllowN(now, 1)
}

// forget drops those that have all their tries back; where that frees nothing,
// all: a flood from ten thousand addresses is not ours to remember.
func (l *limiter) forget(now time.Time) {
	for who, one := range l.known {
		if one.TokensAt(now) >= float64(l.burst) {
			delete(l.known, who)
		}
	}
	if len(l.known) >= maxLimited {
		clear(l.known)
	}
}

// keyPair is a TLS certificate that is read again when its file changes, so
// that a renewed one needs no new start.
type keyPair struct {
	certificate, key string

	mu   sync.Mutex
	at   time.Time
	pair *tls.Certificate
}

func (k *keyPair) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get}
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.certificate)
	if err == nil && k.pair != nil && info.ModTime().Equal(k.at) {
		return k.pair, nil
	}
	pair, failed := tls.LoadX509KeyPair(k.certificate, k.key)
	if err == nil {
		err = failed
	}
	if err != nil && k.pair == nil {
		return nil, fmt.Errorf("certificate %s: %w", k.certificate, err)
	}
	if err == nil {
		k.pair, k.at = &pair, info.ModTime()
	}
	return k.pair, nil // the old one serves until the new one is whole
}
