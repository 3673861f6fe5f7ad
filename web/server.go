// Package web is the portal: what a town's people see of a published month in
// a browser, each what the post needs, and what operators, auditors and
// administrators do there. It reads published files only, and asks for work
// through the interface Acts. Who may open what is register's table; what is
// printed comes from the layer bulletin; what it looks like is in templates.
package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/net/netutil"

	"tongbao/register"
	"tongbao/warehouse"
)

// Limits that a reader may meet; docs/portal.md names them.
const (
	MaxBody        = 1 << 20 // bytes of a form
	MaxHeader      = 16 << 10
	MaxConnections = 512
	headerWithin   = 5 * time.Second
	readWithin     = 30 * time.Second
	writeWithin    = 60 * time.Second
	idleWithin     = 2 * time.Minute
	stopWithin     = 5 * time.Second
)

// DefaultListen is where the portal is when its configuration does not say.
const DefaultListen = "127.0.0.1:8311"

// Options of New.
type Options struct {
	Town           string // heads every page
	Listen         string // "" is DefaultListen
	URL            string // as readers type it, "" if it is the address itself
	Certificate    string // file of the TLS certificate with its chain, "" for none
	Key            string // file of its key
	TrustedProxies []netip.Prefix
	OIDC           *OIDC  // nil for passwords only; it wants URL
	Published      string // folder data/published
	Register       *register.Register
	Acts           Acts
	Readers        Readers         // what may be asked with SQL; nil answers none
	Desk           *warehouse.Desk // lets questions in
	Log            *slog.Logger    // nil logs nothing
	Now            func() time.Time
}

// Server is the portal of a workspace.
type Server struct {
	Options
	pages    map[string]map[string]*template.Template // by locale, then page
	words    map[string]*words
	assets   map[string]asset
	library  *library
	drawn    *shelf   // pages of published versions
	tries    *limiter // of signing in, by address
	visits   *limiter // by session, or by address where nobody is signed in
	origins  *http.CrossOriginProtection
	provider provider
	handler  http.Handler
}

// New makes a portal. Its pages and texts are read here: what is wrong with
// them stops the start and no reader.
func New(opt Options) (*Server, error) {
	if opt.Listen == "" {
		opt.Listen = DefaultListen
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Server{Options: opt, tries: newLimiter(signInsPerMinute/60, signInBurst), visits: newLimiter(visitsPerSecond, visitBurst), origins: http.NewCrossOriginProtection(),
		library: newLibrary(opt.Published), drawn: newShelf()}
	if opt.OIDC != nil && opt.URL == "" {
		return nil, errors.New("portal: oidc wants url, the portal's address as readers type it")
	}
	if opt.URL != "" {
		parsed, err := url.Parse(opt.URL)
		if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
			return nil, fmt.Errorf("portal: url: %q: want an address such as https://tongbao.example", opt.URL)
		}
		if err := s.origins.AddTrustedOrigin(parsed.Scheme + "://" + parsed.Host); err != nil {
			return nil, fmt.Errorf("portal: url: %w", err)
		}
	}
	var err error
	if s.words, err = readWords(); err != nil {
		return nil, err
	}
	if s.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = s.parsePages(); err != nil {
		return nil, err
	}
	s.handler = s.guard(s.mux())
	return s, nil
}

// Handler answers every request of the portal.
func (s *Server) Handler() http.Handler { return s.handler }

// ListenOn takes the portal's port.
func (s *Server) ListenOn(ctx context.Context) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return netutil.LimitListener(listener, MaxConnections), nil
}

// Serve answers on a listener until the context ends; it gives what is being
// answered a few seconds.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin,
		IdleTimeout: idleWithin, MaxHeaderBytes: MaxHeader, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	// The first reader of the day need not wait for the tables to be read; that
	// nothing is published yet is no fault.
	warm := make(chan struct{})
	go func() { defer close(warm); _, _ = s.library.current(ctx, 0) }()
	defer func() { <-warm }()
	stopped := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		if server.Shutdown(within) != nil {
			server.Close()
		}
	})
	defer stopped()
	var err error
	if s.Certificate != "" {
		keys := &keyPair{certificate: s.Certificate, key: s.Key}
		if _, err := keys.get(nil); err != nil {
			return fmt.Errorf("portal: %w", err)
		}
		server.TLSConfig = keys.config()
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("portal: %w", err)
}
