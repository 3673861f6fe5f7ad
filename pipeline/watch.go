package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// DefaultListen is where the service is watched when listen says nothing.
const DefaultListen = "127.0.0.1:9720"

func (w Workspace) listen() string {
	if w.Config.Listen == "" {
		return DefaultListen
	}
	return w.Config.Listen
}

func checkListen(address string) error {
	if address == "" || address == "off" {
		return nil
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return fmt.Errorf("%q: want host:port such as %s, or off", address, DefaultListen)
	}
	return nil
}

// isLoopback says whether only this machine can reach an address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// watch is what the service lets others see of itself.
type watch struct {
	service *Service

	mu      sync.Mutex
	looked  time.Time // when the clock was last looked at
	refused error     // the configuration on disk, nil if it is in force
	address string    // that it listens on, "" if none
}

func newWatch(s *Service) *watch { return &watch{service: s} }

func (w *watch) lookedAt(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = now
}

func (w *watch) configIs(refused error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = refused
}

// Watched is the address that the service is watched at, "" if it is not.
func (s *Service) Watched() string {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	return s.watch.address
}

// listenAgain is how long the service waits before it asks for a port again
// that another program has.
const listenAgain = time.Minute

// watchLoop answers /healthz, /readyz and /metrics. Being watched never holds
// up the work: where the port is taken, the log says so and the month goes on.
func (s *Service) watchLoop(ctx context.Context) error {
	address := s.house.listen()
	if address == "off" {
		return nil
	}
	var listener net.Listener
	for listener == nil {
		var err error
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err == nil {
			break
		}
		s.log.Warn("the service cannot be watched; it works all the same", "listen", address, "error", err, "again_in", listenAgain)
		select {
		case <-time.After(listenAgain):
		case <-ctx.Done():
			return nil
		}
	}
	s.watch.mu.Lock()
	s.watch.address = listener.Addr().String()
	s.watch.mu.Unlock()
	s.log.Info("the service is watched", "listen", listener.Addr().String())
	if !isLoopback(address) {
		s.log.Warn("others than this machine can read /metrics; listen on 127.0.0.1 unless that is meant", "listen", address)
	}
	server := &http.Server{Handler: s.watch.routes(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("the service is not watched any more", "error", err)
	}
	return nil
}

// routes are all that can be read there.
func (w *watch) routes() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newMeter(w.service), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	// Alive: the process answers. Ready: it can also do its work.
	mux.HandleFunc("GET /healthz", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "ok") })
	mux.HandleFunc("GET /readyz", w.serveReady)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Timeout: 20 * time.Second}))
	return mux
}

// Readiness is the answer of /readyz.
type Readiness struct {
	IsReady bool     `json:"ready"`
	Wrong   []string `json:"wrong,omitempty"`
	Notes   []string `json:"notes,omitempty"` // it works, but somebody should look
}

func (w *watch) serveReady(answer http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithTimeout(request.Context(), 5*time.Second)
	defer cancel()
	said := w.ready(ctx)
	answer.Header().Set("Content-Type", "application/json")
	if !said.IsReady {
		answer.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(answer).Encode(said) // the asker may be gone
}

func (w *watch) ready(ctx context.Context) Readiness {
	w.mu.Lock()
	looked, refused := w.looked, w.refused
	w.mu.Unlock()
	house := w.service.house
	var said Readiness
	if _, err := house.register.NoticeCounts(ctx); err != nil {
		said.Wrong = append(said.Wrong, "the register does not answer")
	}
	if err := house.db.Answers(ctx); err != nil {
		said.Wrong = append(said.Wrong, "the warehouse does not answer")
	}
	if err := house.wantSpace(); err != nil {
		said.Wrong = append(said.Wrong, "the disk is nearly full: a run would not begin; free some space")
	}
	if looked.IsZero() || house.Now().Sub(looked) > 4*lookAgain {
		said.Wrong = append(said.Wrong, "it has not looked at the clock")
	}
	if refused != nil {
		said.Notes = append(said.Notes, "the configuration on disk is refused; the log says why")
	}
	said.IsReady = len(said.Wrong) == 0
	return said
}
