package web

import (
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"tongbao/register"
)

// BenchmarkPage is what one page costs of a core once its version was read:
// without the network, with session, layout and compression.
func BenchmarkPage(b *testing.B) {
	for _, path := range []string{"/", "/unit", "/unit/" + testUnit, "/line/city", "/indicator", "/archive", "/health"} {
		b.Run(path, func(b *testing.B) {
			p := newPortal(b)
			p.addAccount(register.RoleLeader)
			secret, err := p.Register.NewSession(b.Context(), "leader", "x", p.clock.now())
			if err != nil {
				b.Fatal(err)
			}
			ask := func() *httptest.ResponseRecorder {
				request := httptest.NewRequest(http.MethodGet, path, nil)
				request.AddCookie(&http.Cookie{Name: "tongbao", Value: secret})
				request.Header.Set("Accept-Encoding", "gzip")
				answer := httptest.NewRecorder()
				p.Handler().ServeHTTP(answer, request)
				p.clock.move(20 * time.Millisecond) // below the limit of requests
				return answer
			}
			if got := ask(); got.Code != http.StatusOK {
				b.Fatalf("got %d", got.Code)
			}
			var before, after syscall.Rusage
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			for b.Loop() {
				ask()
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			spent := time.Duration(after.Utime.Nano() - before.Utime.Nano() + after.Stime.Nano() - before.Stime.Nano())
			b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms/page")
		})
	}
}
