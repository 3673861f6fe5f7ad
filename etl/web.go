package etl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Limits of what is asked of a web server; each is named in the message that
// enforces it.
const (
	MaxAnswerBytes = 64 << 20    // of one page
	MaxPages       = 100_000     // of one list
	webTries       = 5           // of one request
	webWaitLeast   = time.Second // before the second try
	webWaitMost    = 60 * time.Second
	webHeaderWait  = 60 * time.Second // for the first byte of an answer
)

// webClient asks one server and no other, with its token.
type webClient struct {
	c       *Connect
	base    *url.URL
	token   string
	retries *retryablehttp.Client
	waits   [2]time.Duration // least and most before another try
	failed  error            // why the last try of a request was not the last one
}

func newWebClient(c *Connect, token string, waits [2]time.Duration) (*webClient, error) {
	base, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	if waits[1] == 0 {
		waits = [2]time.Duration{webWaitLeast, webWaitMost}
	}
	w := &webClient{c: c, base: base, token: token, waits: waits}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = webHeaderWait
	// The name is that of the address asked for; get asks no other server.
	if transport.TLSClientConfig, err = c.trust(base.Hostname()); err != nil {
		return nil, err
	}
	w.retries = retryablehttp.NewClient()
	w.retries.HTTPClient = &http.Client{Transport: transport, CheckRedirect: w.redirect}
	w.retries.Logger = nil
	w.retries.RetryMax = webTries - 1
	w.retries.CheckRetry, w.retries.Backoff = w.mayRetry, w.wait
	// The last answer is ours to explain.
	w.retries.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return w, nil
}

func (w *webClient) host() string { return w.base.Host + w.base.Path }

// errElsewhere says that the server sent us to another one, which must not
// see the token.
var errElsewhere = errors.New("leads to another server")

func (w *webClient) redirect(request *http.Request, via []*http.Request) error {
	if request.URL.Host != w.base.Host || request.URL.Scheme != w.base.Scheme {
		return fmt.Errorf("%w: %s", errElsewhere, request.URL.Host)
	}
	if len(via) >= 10 {
		return errors.New("redirected in a circle")
	}
	return nil
}

// mayRetry reads the answer whole, because a connection cut in its middle is
// as good a reason to try again as one that was refused.
func (w *webClient) mayRetry(ctx context.Context, response *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		if errors.Is(err, errElsewhere) {
			return false, err
		}
		w.failed = err
		return retryablehttp.DefaultRetryPolicy(ctx, response, err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswerBytes+1))
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		w.failed = fmt.Errorf("the answer was cut after %d bytes: %w", len(body), err)
		return true, w.failed
	}
	if asked := retryAfter(response); asked > w.waits[1] {
		return false, &FileError{Where: "read " + response.Request.URL.Path, What: fmt.Sprintf("the server asks to wait %s", asked), Do: "pull again later"}
	}
	switch {
	case response.StatusCode == http.StatusTooManyRequests, response.StatusCode == http.StatusRequestTimeout,
		response.StatusCode >= 500 && response.StatusCode != http.StatusNotImplemented:
		w.failed = fmt.Errorf("the server answers %s", response.Status)
		return true, nil
	}
	return false, nil
}

// retryAfter is what the server asks us to wait, 0 if nothing.
func retryAfter(response *http.Response) time.Duration {
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && response.StatusCode >= 400 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && response.StatusCode >= 400 {
		return time.Until(at)
	}
	return 0
}

// wait is what the server asks for, else a random part of a span that doubles
// with every try: many clients must not come back at once.
func (w *webClient) wait(_, _ time.Duration, try int, response *http.Response) time.Duration {
	if response != nil {
		if asked := retryAfter(response); asked > 0 {
			return asked
		}
	}
	span := min(w.waits[0]<<min(try, 20), w.waits[1])
	return time.Duration(rand.Int64N(int64(span)) + 1)
}

// get asks for one address and returns the whole answer.
func (w *webClient) get(ctx context.Context, address *url.URL) ([]byte, http.Header, error) {
	if address.Host != w.base.Host || address.Scheme != w.base.Scheme {
		return nil, nil, &FileError{Where: "read " + w.base.Path, What: fmt.Sprintf("the next page lies on another server, %s", address.Host), Do: "the token is not sent there; ask the platform's operator"}
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("User-Agent", "tongbao")
	if w.token != "" && w.c.Kind == "http" {
		if w.c.Header == "" {
			request.Header.Set("Authorization", "Bearer "+w.token)
		} else {
			request.Header.Set(w.c.Header, w.token)
		}
	}
	w.failed = nil
	response, err := w.retries.Do(request)
	if err != nil {
		return nil, nil, w.wrong(address, err)
	}
	defer response.Body.Close()
	// What mayRetry read; a part of an answer says that every try was cut.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, w.wrong(address, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, w.refused(address, response.StatusCode, body)
	}
	if len(body) > MaxAnswerBytes {
		return nil, nil, &FileError{Where: "read " + address.Path, What: fmt.Sprintf("an answer of more than %d bytes", MaxAnswerBytes), Do: "ask for smaller pages (connect.page.size)"}
	}
	if kind := response.Header.Get("Content-Type"); strings.Contains(kind, "html") || bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(body)), []byte("<!doctype html")) {
		return nil, nil, &FileError{Where: "read " + address.Path, What: "the answer is a web page, not data", Do: "the token may have expired, or connect.url is the page for people"}
	}
	return body, response.Header, nil
}

func (w *webClient) wrong(address *url.URL, err error) error {
	var known *FileError
	if errors.As(err, &known) {
		return known
	}
	do := "see whether the server can be reached from here, then pull again; nothing was taken"
	if errors.Is(err, errElsewhere) {
		do = "the token is not sent there; write the address that it leads to into connect.url"
	}
	what := w.words(err)
	if why, next := distrusted(err); why != "" {
		what, do = scrub(why, w.token), next
	}
	return &FileError{Where: "read " + address.Path, What: what, Do: do, tried: w.words(w.failed)}
}

// words are an error's without what must not be shown: the address may hold a
// key.
func (w *webClient) words(err error) string {
	if err == nil {
		return ""
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	return scrub(err.Error(), w.token)
}

// refused explains an answer that is no data.
func (w *webClient) refused(address *url.URL, status int, body []byte) error {
	do := "look at connect.url, params and page"
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		do = "check the token and its rights; it is not tried again by itself"
	case status == http.StatusTooManyRequests || status >= 500:
		do = fmt.Sprintf("%d tries were made; pull again later", webTries)
	}
	said := strings.Join(strings.Fields(string(body[:min(len(body), 200)])), " ")
	return &FileError{Where: "read " + address.Path, What: scrub(fmt.Sprintf("the server answers %d %s: %s", status, http.StatusText(status), strings.ToValidUTF8(said, "")), w.token), Do: do}
}

// moment writes a bound as the server wants it.
func (w *webClient) moment(bound string) (string, error) {
	if w.c.CursorType == "integer" {
		return bound, nil
	}
	moment, ok := parseMoment(bound, w.c.zone)
	if !ok {
		return "", fmt.Errorf("%q is no moment", bound)
	}
	switch w.c.Moment {
	case "plain":
		return moment.Format(time.DateTime), nil
	case "unix":
		return strconv.FormatInt(moment.Unix(), 10), nil
	case "unix_ms":
		return strconv.FormatInt(moment.UnixMilli(), 10), nil
	}
	return moment.Format(time.RFC3339), nil
}
