package etl

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // an office PC may have no zone tables
)

// Connect is the server that a source is fetched from, in place of files. A
// secret is never written here: it comes from the environment or from a file
// that only its owner may read.
type Connect struct {
	Kind string `yaml:"kind" doc:"postgres, mysql (MariaDB too), http or open311"`

	URL       string `yaml:"url,omitempty" doc:"http, open311: the address, without any secret"`
	URLEnv    string `yaml:"url_env,omitempty" doc:"postgres, mysql: environment variable with the address, account and password (postgres://account:password@host/database, mysql://…)"`
	URLFile   string `yaml:"url_file,omitempty" doc:"postgres, mysql: instead of url_env: a file with it that only its owner may read (0600)"`
	TokenEnv  string `yaml:"token_env,omitempty" doc:"http, open311: environment variable with the token or api_key"`
	TokenFile string `yaml:"token_file,omitempty" doc:"http, open311: instead of token_env: a file with it that only its owner may read (0600)"`
	Header    string `yaml:"header,omitempty" doc:"http: header that carries the token as it is; Authorization with Bearer if absent"`
	CAFile    string `yaml:"ca_file,omitempty" doc:"file with the certificate (PEM) of the authority that signed the server's, such as the town's own; the connection is then encrypted and the server's name checked, whatever the address says. If absent, http and open311 trust the system's authorities, and databases do what the address says (sslmode=verify-full; of mysql tls=true)"`

	Table string `yaml:"table,omitempty" doc:"postgres, mysql: table or view, as name or schema.name; only columns that the definition names are read"`
	Query string `yaml:"query,omitempty" doc:"postgres, mysql: instead of table: one SELECT; $cursor stands for the lower bound of the cursor, $until for the upper one"`

	Cursor     string `yaml:"cursor,omitempty" doc:"column by which new and changed rows are known; without it every fetch reads everything"`
	CursorType string `yaml:"cursor_type,omitempty" doc:"moment or integer; moment if absent"`
	Overlap    string `yaml:"overlap,omitempty" doc:"how far before the watermark the next fetch begins: 30s, 10m, 2h or 7d, or a number for an integer cursor; if absent 10m for databases, 7d for http, 90d for open311, 0 for integers"`
	Timeout    string `yaml:"timeout,omitempty" doc:"bound of one whole fetch; 30m if absent"`
	ZeroDates  string `yaml:"zero_dates,omitempty" doc:"mysql: null makes 0000-00-00 an empty cell; keep, if absent, sends such rows to quarantine"`

	Items  string            `yaml:"items,omitempty" doc:"http: path of the list in the answer, as data.rows; the whole answer if absent"`
	Params map[string]string `yaml:"params,omitempty" doc:"http, open311: fixed parameters of every request"`
	Since  string            `yaml:"since,omitempty" doc:"http: parameter that takes the lower bound of the cursor"`
	Until  string            `yaml:"until,omitempty" doc:"http: parameter that takes the upper bound of a backfill"`
	Moment string            `yaml:"moment,omitempty" doc:"http: form of moments in parameters: offset (2026-10-01T08:00:00+08:00), plain (2026-10-01 08:00:00), unix or unix_ms; offset if absent"`
	Page   *Page             `yaml:"page,omitempty" doc:"http: how the list is paged; one answer holds everything if absent"`

	Form         string `yaml:"form,omitempty" doc:"open311: json or xml; json if absent"`
	Jurisdiction string `yaml:"jurisdiction_id,omitempty" doc:"open311: jurisdiction_id of every request"`
	Start        string `yaml:"start,omitempty" doc:"open311: first day that is asked for, as 2024-01-01"`
	Cap          int    `yaml:"cap,omitempty" doc:"open311: requests that one answer may hold; a window with as many is halved; 1000 if absent"`

	zone    *time.Location
	overlap int64 // seconds, or steps of an integer cursor
	timeout time.Duration
	unread  []string // of a sample: columns whose type has no exact text
}

// Page says how a list comes in pages.
type Page struct {
	By    string `yaml:"by" doc:"number, cursor or link (the Link header's next)"`
	Param string `yaml:"param,omitempty" doc:"parameter that takes the page's number or cursor"`
	First *int   `yaml:"first,omitempty" doc:"number of the first page; 1 if absent"`
	Size  int    `yaml:"size,omitempty" doc:"items a page; sent only with size_param"`
	// SizeParam is apart from Size because many servers fix the size.
	SizeParam string `yaml:"size_param,omitempty" doc:"parameter that takes size"`
	Next      string `yaml:"next,omitempty" doc:"by cursor: path of the next cursor in the answer; empty or null ends the list"`
	Total     string `yaml:"total,omitempty" doc:"path of the number of all items; a list by number without it is walked until two walks agree"`
}

const (
	defaultTimeout = "30m"
	defaultCap     = 1000
	defaultShrink  = 20 // percent of the held rows that a full set may lack
)

// kinds of server, with the keys that only some of them know.
var connectKinds = map[string][]string{
	"postgres": {"url_env", "url_file", "ca_file", "table", "query"},
	"mysql":    {"url_env", "url_file", "ca_file", "table", "query", "zero_dates"},
	"http":     {"url", "token_env", "token_file", "ca_file", "header", "items", "params", "since", "until", "moment", "page"},
	"open311":  {"url", "token_env", "token_file", "ca_file", "params", "form", "jurisdiction_id", "start", "cap"},
}

// used lists the keys in use that depend on the kind.
func (c *Connect) used() []string {
	var keys []string
	for key, isUsed := range map[string]bool{
		"url": c.URL != "", "url_env": c.URLEnv != "", "url_file": c.URLFile != "", "token_env": c.TokenEnv != "",
		"token_file": c.TokenFile != "", "ca_file": c.CAFile != "", "header": c.Header != "", "table": c.Table != "", "query": c.Query != "",
		"zero_dates": c.ZeroDates != "", "items": c.Items != "", "params": c.Params != nil, "since": c.Since != "",
		"until": c.Until != "", "moment": c.Moment != "", "page": c.Page != nil, "form": c.Form != "",
		"jurisdiction_id": c.Jurisdiction != "", "start": c.Start != "", "cap": c.Cap != 0,
	} {
		if isUsed {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// check fills what is absent and refuses what does not fit together.
func (c *Connect) check() error {
	known, found := connectKinds[c.Kind]
	if !found {
		return fmt.Errorf("connect.kind: %q: want %s", c.Kind, strings.Join(sortedKeys(connectKinds), ", "))
	}
	for _, key := range c.used() {
		if !slices.Contains(known, key) {
			return fmt.Errorf("connect.%s: not a key of kind %s", key, c.Kind)
		}
	}
	for _, choice := range []struct {
		key   string
		value *string
		want  []string // the first one if absent
	}{
		{"cursor_type", &c.CursorType, []string{"moment", "integer"}},
		{"zero_dates", &c.ZeroDates, []string{"keep", "null"}},
		{"moment", &c.Moment, []string{"offset", "plain", "unix", "unix_ms"}},
		{"form", &c.Form, []string{"json", "xml"}},
	} {
		if *choice.value == "" {
			*choice.value = choice.want[0]
		}
		if !slices.Contains(choice.want, *choice.value) {
			return fmt.Errorf("connect.%s: %q: want %s", choice.key, *choice.value, strings.Join(choice.want, ", "))
		}
	}
	seconds, err := parseSpan(orElse(c.Timeout, defaultTimeout))
	if err != nil || seconds == 0 {
		return fmt.Errorf("connect.timeout: %q: want a span as 30s, 10m or 2h", c.Timeout)
	}
	c.timeout = time.Duration(seconds) * time.Second
	if err := c.checkOverlap(); err != nil {
		return err
	}
	if c.Kind == "postgres" || c.Kind == "mysql" {
		return c.checkDatabase()
	}
	return c.checkWeb()
}

func orElse(text, absent string) string {
	if text == "" {
		return absent
	}
	return text
}

func (c *Connect) checkOverlap() (err error) {
	if c.CursorType == "integer" {
		c.overlap, err = strconv.ParseInt(orElse(c.Overlap, "0"), 10, 64)
		if err != nil || c.overlap < 0 {
			return fmt.Errorf("connect.overlap: %q: want a number, because the cursor is an integer", c.Overlap)
		}
		return nil
	}
	absent := map[string]string{"http": "7d", "open311": "90d"}[c.Kind]
	if c.overlap, err = parseSpan(orElse(c.Overlap, orElse(absent, "10m"))); err != nil {
		return fmt.Errorf("connect.overlap: %w", err)
	}
	return nil
}

var (
	spanForm   = regexp.MustCompile(`^([0-9]{1,6})([smhd])$`)
	selectForm = regexp.MustCompile(`(?is)^\s*(select|with)\s`)
)

// parseSpan returns the seconds of 30s, 10m, 2h or 7d.
func parseSpan(text string) (int64, error) {
	match := spanForm.FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("%q: want a span as 30s, 10m, 2h or 7d", text)
	}
	n, err := strconv.ParseInt(match[1], 10, 64)
	return n * map[string]int64{"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]], err
}

func (c *Connect) checkDatabase() error {
	switch {
	case (c.URLEnv == "") == (c.URLFile == ""):
		return fmt.Errorf("connect: want either url_env or url_file; the address holds a password and is never written here")
	case (c.Table == "") == (c.Query == ""):
		return fmt.Errorf("connect: want either table or query")
	case c.Query != "" && (!selectForm.MatchString(c.Query) || strings.Contains(c.Query, ";")):
		return fmt.Errorf("connect.query: want one SELECT without a semicolon")
	case c.Query != "" && c.Cursor != "" && !strings.Contains(c.Query, "$cursor"):
		return fmt.Errorf("connect.query: cursor is %s, but the query has no $cursor to begin from", c.Cursor)
	}
	return nil
}

func (c *Connect) checkWeb() error {
	address, err := url.Parse(c.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return fmt.Errorf("connect.url: want http:// or https:// and a host")
	}
	if address.User != nil || address.RawQuery != "" {
		return fmt.Errorf("connect.url: no account, password or parameters here; use token_env, token_file or params")
	}
	if c.CAFile != "" && address.Scheme == "http" {
		return fmt.Errorf("connect.ca_file: only https:// has certificates")
	}
	if c.TokenEnv != "" && c.TokenFile != "" {
		return fmt.Errorf("connect: want token_env or token_file, not both")
	}
	if c.Kind == "open311" {
		if c.Cap == 0 {
			c.Cap = defaultCap
		}
		c.Cursor = orElse(c.Cursor, "requested_datetime")
		if _, err := time.Parse(time.DateOnly, c.Start); err != nil || c.Cap < 2 || c.CursorType != "moment" {
			return fmt.Errorf("connect: open311 wants start as 2024-01-01, a cap of at least 2, and a cursor of type moment")
		}
		return nil
	}
	if (c.Cursor == "") != (c.Since == "") {
		return fmt.Errorf("connect: cursor and since go together: the field of an item, and the parameter that takes its lower bound")
	}
	if p := c.Page; p != nil {
		switch {
		case !slices.Contains([]string{"number", "cursor", "link"}, p.By):
			return fmt.Errorf("connect.page.by: %q: want number, cursor or link", p.By)
		case p.By != "link" && p.Param == "", p.By == "cursor" && p.Next == "", p.SizeParam != "" && p.Size <= 0:
			return fmt.Errorf("connect.page: number needs param; cursor needs param and next; size_param needs size")
		}
	}
	return nil
}

// secret reads a secret from the environment or its file, "" if neither is
// named.
func (in Intake) secret(name, file string) (string, error) {
	if name != "" {
		value := os.Getenv(name)
		if value == "" {
			return "", &FileError{Where: "read the secret", What: "the environment variable " + name + " is not set", Do: "set it for the account that runs tongbao"}
		}
		return value, nil
	}
	if file == "" {
		return "", nil
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &FileError{Where: "read the secret", What: file + " does not exist", Do: "write it with mode 0600"}
	}
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", &FileError{Where: "read the secret", What: fmt.Sprintf("%s may be read by others (mode %04o)", file, info.Mode().Perm()), Do: "chmod 600 it"}
	}
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}

// scrub takes secrets out of a message that a driver or library wrote.
func scrub(message string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			message = strings.ReplaceAll(message, form, "***")
		}
	}
	return message
}
