package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tongbao/register"
)

// moody is a server of a ledger that behaves as it is told.
type moody struct {
	t       *testing.T
	address string
	mu      sync.Mutex
	mood    string
	server  *http.Server
}

func newMoody(t *testing.T) *moody {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{t: t, address: listener.Addr().String()}
	m.listen(listener)
	t.Cleanup(func() { m.server.Close() })
	return m
}

func (m *moody) listen(listener net.Listener) {
	server := &http.Server{Handler: m}
	m.server = server
	go func() { _ = server.Serve(listener) }() // ends with Close
}

// be changes the mood; "down" closes the port, and another mood opens it again.
func (m *moody) be(mood string) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.mood
	m.mood = mood
	switch {
	case mood == "down":
		m.server.Close()
	case was == "down":
		listener, err := net.Listen("tcp", m.address)
		if err != nil {
			m.t.Fatal(err)
		}
		m.listen(listener)
	}
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	mood := m.mood
	m.mu.Unlock()
	const body = `[{"id": "f1", "day": "2024-10-01", "kind": "拨入", "amount": 12.30, "updated_at": "2024-10-01T08:00:00+08:00"}]`
	switch mood {
	case "refusing":
		http.Error(w, "no", http.StatusUnauthorized)
	case "hanging":
		<-r.Context().Done()
	case "too slow", "slow":
		pause := 10 * time.Millisecond
		if mood == "too slow" {
			pause = time.Second
		}
		for _, part := range []byte(body) {
			if _, err := w.Write([]byte{part}); err != nil || r.Context().Err() != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(pause)
		}
	default:
		fmt.Fprint(w, body)
	}
}

// TestServingBadSource: a server is down, hangs, is too slow or refuses the
// credentials while the service pulls on schedule. Each run says which source,
// which server and what; its log shows at whom it hangs; the other sources are
// taken in; and the first run after the repair takes what was missing.
func TestServingBadSource(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	server := newMoody(t)
	town := ownDemo(t, 1, delivered)
	held := hold(t, town)
	definition := strings.Replace(fmt.Sprintf(ledger, "http://"+server.address), "cursor:", "timeout: 2s, cursor:", 1)
	if err := os.WriteFile(filepath.Join(town, "data", "sources", "ledger.yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	setJobs(t, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull]}\n")
	server.be("hanging") // before the first run: nothing is taken by chance
	child, log := serving(t, []string{fmt.Sprintf("TEST_CLOCK=%d %d 60", testNow.Unix(), time.Now().UnixNano())}, "serve", "-w", town)
	for _, one := range []struct{ mood, want string }{
		{"hanging", "not finished within the timeout of 2s"},
		{"down", "connection refused"},
		{"too slow", "not finished within the timeout of 2s"},
		{"refusing", "check the token"},
	} {
		server.be(one.mood)
		held.hand(t, 2)
		before := len(history(t, town))
		var failed register.Run
		waitFor(t, town, "a run fails: "+one.mood, func(runs []register.Run) bool {
			for _, run := range runs[min(before, len(runs)):] {
				if run.State == register.Failed && strings.Contains(run.Error, one.want) {
					failed = run
				}
			}
			return failed.ID != 0
		})
		if !strings.Contains(failed.Error, "ledger (http at "+server.address) || strings.Contains(failed.Error, "s3cret") {
			t.Errorf("%s: the error does not name the source and its server, or shows the secret: %s", one.mood, failed.Error)
		}
		if _, _, said := command(t, "history", fmt.Sprint(failed.ID), "-w", town); !strings.Contains(said, "ledger: asking "+server.address) {
			t.Errorf("%s: the run's log does not say whom it asked:\n%s", one.mood, said)
		}
	}
	server.be("slow")
	held.hand(t, len(held.names))
	waitFor(t, town, "a run is done", func(runs []register.Run) bool { return find(runs, register.Done) != nil })
	stopService(t, child)
	must(t, "pull", "-w", town)
	db := openWorking(t, town)
	if got := ask(t, db, "select count(*) from core.fund_entry where source = 'ledger'")[0][0]; got != "1" {
		t.Errorf("got %s entries of the repaired server, want 1\n%s", got, log)
	}
	if got, want := ask(t, db, "select count(*) from core.load where source <> 'ledger'")[0][0], len(deliveriesOf(t, town)); got != fmt.Sprint(want) {
		t.Errorf("%s of %d deliveries of the inbox were taken in", got, want)
	}
}

func deliveriesOf(t *testing.T, town string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(town, "data", "inbox"))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestServingClockSetBack: the service is started again with a clock two days
// behind what it did last. It says so, and goes on from there.
func TestServingClockSetBack(t *testing.T) {
	t.Parallel()
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town)
	setJobs(t, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull]}\n")
	for _, back := range []time.Duration{0, 48 * time.Hour} {
		before := len(history(t, town))
		clock := fmt.Sprintf("TEST_CLOCK=%d %d 60", testNow.Add(-back).Unix(), time.Now().UnixNano())
		child, log := serving(t, []string{clock}, "serve", "-w", town)
		waitFor(t, town, "a run is done", func(runs []register.Run) bool {
			return len(runs) > before && find(runs[before:], register.Done) != nil
		})
		stopService(t, child)
		if says := strings.Contains(log.String(), "the clock was set back"); says != (back > 0) {
			t.Errorf("set back by %s: the log says so: %v\n%s", back, says, log)
		}
	}
	seen := map[time.Time]bool{}
	for _, run := range history(t, town) {
		if seen[run.DueAt] || run.State != register.Done && run.State != register.Skipped && run.State != register.Queued {
			t.Errorf("got %+v", run)
		}
		seen[run.DueAt] = true
	}
}
