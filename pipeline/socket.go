package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tongbao/etl"
	"tongbao/warehouse"
)

// The service answers on a socket in a folder of its own, mode 0700: who may
// open the folder may ask. It speaks HTTP; a run is told as one JSON event a
// line.

// maxSocketPath is what the kernel takes as a socket's name, less its end.
const maxSocketPath = 107

func (w Workspace) socketDir() string { return w.path("service") }

// socketName returns a name of the socket that is short enough. A workspace
// that lies deep is reached through the open folder itself; close it after use.
func (w Workspace) socketName() (name string, folder io.Closer, err error) {
	const base = "socket"
	name, err = filepath.Abs(filepath.Join(w.socketDir(), base))
	if err != nil {
		return "", nil, err
	}
	if len(name) <= maxSocketPath {
		return name, io.NopCloser(nil), nil
	}
	dir, err := os.Open(w.socketDir())
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), base), dir, nil
}

// answerer is the service's side of the socket.
type answerer struct {
	server *http.Server
	folder io.Closer
}

func (a *answerer) close() {
	a.server.Close()
	a.folder.Close()
}

func (s *Service) listen() (*answerer, error) {
	if err := os.MkdirAll(s.house.socketDir(), 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(s.house.socketDir(), 0o700); err != nil {
		return nil, err
	}
	name, folder, err := s.house.socketName()
	if err != nil {
		return nil, err
	}
	// We hold the workspace's lock: a socket that lies here is a dead one.
	if err := os.Remove(filepath.Join(s.house.socketDir(), "socket")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", name)
	if err != nil {
		folder.Close()
		return nil, fmt.Errorf("listen on the socket of %s: %w", s.house.Dir, err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, err
	}
	a := &answerer{&http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}, folder}
	go func() { _ = a.server.Serve(listener) }() // ends with close
	return a, nil
}

// routes are all that the service can be asked.
func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /runs", s.serveRun)
	mux.HandleFunc("POST /runs/{run}/cancel", s.serveCancel)
	for name, look := range map[string]func(context.Context) (warehouse.Rows, error){
		"status": s.house.Status, "sources": s.house.Sources, "unmatched": s.house.Unmatched,
	} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			rows, err := look(r.Context())
			reply(w, rows, err)
		})
	}
	mux.HandleFunc("GET /quarantine", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		var waiting etl.Waiting
		if err := json.Unmarshal([]byte(query.Get("waiting")), &waiting); err != nil {
			reply(w, nil, problemf("request: %w", err))
			return
		}
		rows, err := s.house.Quarantine(r.Context(), waiting, query.Get("state"), query.Get("counts") == "true")
		reply(w, rows, err)
	})
	mux.HandleFunc("POST /trial", answer(s.house.TestSource))
	mux.HandleFunc("POST /proposal", answer(s.house.Discover))
	return mux
}

// answer serves what needs no more than a request and works beside a run.
func answer[Q, A any](work func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request Q
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&request); err != nil {
			reply(w, nil, problemf("request: %w", err))
			return
		}
		result, err := work(r.Context(), request)
		reply(w, result, err)
	}
}

func (s *Service) serveRun(w http.ResponseWriter, r *http.Request) {
	var request Request
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&request); err != nil {
		reply(w, nil, problemf("request: %w", err))
		return
	}
	_, feed, err := s.Ask(r.Context(), request)
	if err != nil {
		reply(w, nil, err)
		return
	}
	encoder, flush := json.NewEncoder(w), http.NewResponseController(w)
	// A watcher that goes away ends nothing.
	_ = feed.follow(r.Context(), func(event Event) error {
		if err := encoder.Encode(event); err != nil {
			return err
		}
		return flush.Flush()
	})
}

func (s *Service) serveCancel(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("run"), 10, 64)
	if err == nil {
		err = s.Cancel(r.Context(), id)
	}
	reply(w, struct{}{}, err)
}

// refusal is an error on its way over the socket.
type refusal struct {
	Error string `json:"error"`
	Usage bool   `json:"usage"`
}

func reply(w http.ResponseWriter, value any, err error) {
	if err != nil {
		var problem *Problem
		w.WriteHeader(http.StatusUnprocessableEntity)
		value = refusal{err.Error(), errors.As(err, &problem)}
	}
	_ = json.NewEncoder(w).Encode(value) // the asker may be gone
}

// Client asks the service of a workspace.
type Client struct{ http *http.Client }

// ErrNoService means that no service answers in the workspace.
var ErrNoService = errors.New("no service answers")

// Dial returns a client of the running service, ErrNoService if none answers.
func (w Workspace) Dial(ctx context.Context) (*Client, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		name, folder, err := w.socketName()
		if err != nil {
			return nil, err
		}
		defer folder.Close()
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", name)
	}
	conn, err := dial(ctx)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("the service of %s runs as another user; ask as that user: %w", w.Dir, err)
	}
	if err != nil {
		return nil, ErrNoService
	}
	conn.Close()
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}, nil
}

func (c *Client) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://service"+path, body)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the service: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	var refused refusal
	if err := json.NewDecoder(response.Body).Decode(&refused); err != nil || refused.Error == "" {
		return nil, fmt.Errorf("the service answers %s; it may be of another version, start it again", response.Status)
	}
	if refused.Usage {
		return nil, &Problem{errors.New(refused.Error)}
	}
	return nil, errors.New(refused.Error)
}

// Rows asks for a table: status, sources, unmatched or quarantine.
func (c *Client) Rows(ctx context.Context, path string) (rows warehouse.Rows, err error) {
	response, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return rows, err
	}
	defer response.Body.Close()
	err = json.NewDecoder(response.Body).Decode(&rows)
	return rows, err
}

// TestSource has the service try a source with the secrets that it has.
func (c *Client) TestSource(ctx context.Context, request TrialRequest) (trial Trial, err error) {
	err = c.post(ctx, "/trial", request, &trial)
	return trial, err
}

// Discover has the service look at a table with the secrets that it has.
func (c *Client) Discover(ctx context.Context, of Unknown) (text string, err error) {
	err = c.post(ctx, "/proposal", of, &text)
	return text, err
}

func (c *Client) post(ctx context.Context, path string, request, result any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	response, err := c.do(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(result)
}

// Cancel ends a run that is queued or at work.
func (c *Client) Cancel(ctx context.Context, id int64) error {
	response, err := c.do(ctx, http.MethodPost, fmt.Sprintf("/runs/%d/cancel", id), nil)
	if err == nil {
		response.Body.Close()
	}
	return err
}

// Run asks for a run and shows what it says until it is over.
func (c *Client) Run(ctx context.Context, request Request, show func(Event)) (Outcome, error) {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(json.NewEncoder(writer).Encode(request)) }()
	response, err := c.do(ctx, http.MethodPost, "/runs", reader)
	if err != nil {
		return Outcome{}, err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	for {
		var event Event
		if err := decoder.Decode(&event); err != nil {
			return Outcome{}, fmt.Errorf("the service stopped before the run was over (%w); \"tongbao history\" says what became of it", err)
		}
		if event.Outcome != nil {
			return *event.Outcome, nil
		}
		show(event)
	}
}
