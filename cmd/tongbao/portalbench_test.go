package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"tongbao/pipeline"
	"tongbao/register"
)

// benchPages are what readers open, in no order.
var benchPages = []string{"/", "/line/city", "/line/law", "/unit", "/unit/329118110201", "/unit/329118110204", "/unit/329118110201901", "/indicator", "/indicator/cg2", "/archive", "/health", "/coordination"}

// BenchmarkPortal is 50 readers who open a page every second while the service
// takes deliveries in, computes and publishes. It reports the 95th percentile
// and the longest answer, and fails on any answer that is not a page.
func BenchmarkPortal(b *testing.B) {
	seconds := 30
	if text := os.Getenv("BENCH_SECONDS"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	town := copyWorkspace(b, demoTown(b))
	setPortal(b, town)
	setJobs(b, town, "  - {name: often, schedule: \"* * * * *\", steps: [pull, run, publish]}\n")
	startService(b, town)
	address := portalOf(b, town)
	readers := signedIn(b, town, address, 50)
	for b.Loop() {
		took, failed := readPages(readers, address, time.Duration(seconds)*time.Second)
		slices.Sort(took)
		for _, one := range failed {
			b.Error(one)
		}
		b.ReportMetric(float64(len(took))/float64(seconds), "pages/s")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	}
}

// signedIn are browsers of leaders with a session each.
func signedIn(t testing.TB, town, address string, count int) []*http.Client {
	t.Helper()
	ctx := context.Background()
	workspace, err := pipeline.FindWorkspace(town)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := workspace.OpenRegister(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	home, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var readers []*http.Client
	for i := range count {
		name := "reader" + strconv.Itoa(i)
		if err := reg.AddAccount(ctx, register.By{At: time.Now()}, register.Account{Name: name, Role: register.RoleLeader}, ""); err != nil {
			t.Fatal(err)
		}
		secret, err := reg.NewSession(ctx, name, "127.0.0.1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		jar, _ := cookiejar.New(nil)
		jar.SetCookies(home, []*http.Cookie{{Name: "tongbao", Value: secret}})
		readers = append(readers, &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1}})
	}
	return readers
}

// readPages opens a page a second with each reader and returns how long each
// took, and what was no page.
func readPages(readers []*http.Client, address string, lasting time.Duration) (took []time.Duration, failed []string) {
	var mu sync.Mutex
	var all sync.WaitGroup
	until := time.Now().Add(lasting)
	for _, reader := range readers {
		all.Go(func() {
			time.Sleep(rand.N(time.Second))
			for time.Now().Before(until) {
				page := benchPages[rand.IntN(len(benchPages))]
				begun := time.Now()
				response, err := reader.Get(address + page)
				wrong := ""
				if err == nil {
					text, readErr := io.ReadAll(response.Body)
					response.Body.Close()
					if err = readErr; err == nil && (response.StatusCode != http.StatusOK || len(text) < 500) {
						wrong = page + ": " + response.Status
					}
				}
				if err != nil {
					wrong = page + ": " + err.Error()
				}
				spent := time.Since(begun)
				mu.Lock()
				took = append(took, spent)
				if wrong != "" {
					failed = append(failed, wrong)
				}
				mu.Unlock()
				time.Sleep(500*time.Millisecond + rand.N(time.Second))
			}
		})
	}
	all.Wait()
	return took, failed
}
