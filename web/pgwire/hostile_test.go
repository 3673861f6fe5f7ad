package pgwire

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tongbao/warehouse"
	"tongbao/warehouse/hostile"
)

// TestHostile sends the written list of statements through the door, as simple
// queries and as prepared ones: each is refused or bounded, tells nothing
// hidden, writes nothing, and leaves the door as it was. Under SOAK all of
// them, else those with a star.
func TestHostile(t *testing.T) {
	d := openDoor(t, func(opt *Options) {
		opt.Limits = warehouse.FileLimits
		opt.Limits.Time = 5 * time.Second // a statement that wants a minute shows nothing more
	})
	dir := filepath.Dir(d.certificate)
	before := listing(t, dir)
	tried := 0
	for _, one := range hostile.Hostile(dir) {
		if !one.IsShort && os.Getenv("SOAK") == "" {
			continue
		}
		tried++
		for _, isPrepared := range []bool{false, true} {
			began := time.Now()
			code, answer := d.send(t, one.Text, isPrepared)
			command, _ := nextCommand(one.Text)
			wanted := codesOf(one)
			if command != nil || isEmpty(one.Text) || mentionsCatalog.MatchString(one.Text) {
				wanted = nil // the door answers these itself, of what the account may know
			}
			if wanted != nil && !slices.Contains(wanted, code) {
				t.Errorf("%s: %q, want one of %q\n%.200s\n%.300s", one.ID, code, wanted, one.Text, answer)
			}
			if told := strings.ToLower(answer); strings.Contains(told, "张三") || strings.Contains(told, "root:x") || strings.Contains(told, dir) {
				t.Errorf("%s: it tells %.300s", one.ID, answer)
			}
			if took := time.Since(began); took > d.server.Limits.Time+30*time.Second {
				t.Errorf("%s: took %s", one.ID, took)
			}
		}
		d.isHealthy(t)
	}
	if tried < 20 {
		t.Errorf("%d statements, want at least 20", tried)
	}
	if after := listing(t, dir); !slices.Equal(after, before) {
		t.Errorf("files: got %q, want %q", after, before)
	}
	for _, one := range hostile.Welcome(dir) {
		if !one.IsShort && os.Getenv("SOAK") == "" || strings.Contains(one.Text, "$") || strings.Contains(strings.ToLower(one.Text), "bulletin.") {
			continue // the parameters and tables of another test's month
		}
		if code, answer := d.send(t, one.Text, false); code != "" {
			t.Errorf("%s: %s %s\n%s", one.ID, code, answer, one.Text)
		}
	}
}

// codesOf are the SQLSTATEs with which a statement may end; "" is an answer.
func codesOf(one hostile.Statement) []string {
	switch {
	case one.Text == "from community":
		return []string{""} // tables of bulletin need no schema at this door
	case one.Code != "":
		code := refused[one.Code]
		if code == "" {
			code = "42501"
		}
		// A zero byte ends a text of the protocol, so that the message is none;
		// and a parameter is missed before the guard is asked.
		if one.Code == "text" || one.Code == "parameter" {
			return []string{code, "08P01"}
		}
		return []string{code}
	}
	// Some of the list's tables are not this month's.
	codes := []string{"42P01"}
	for _, end := range one.Ends {
		codes = append(codes, map[string]string{"answered": "", "failed": "42000", "stopped": "57014", "outgrew": "53200"}[end])
	}
	if slices.Contains(one.Ends, "answered") {
		codes = append(codes, "54000") // this door says what a limit cut
	}
	return codes
}

// send asks a statement on a connection of its own, and returns its SQLSTATE
// and all that was told.
func (d *door) send(t *testing.T, text string, isPrepared bool) (code, answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn := d.connect(t, "li").PgConn()
	defer conn.Close(context.Background())
	var results *pgconn.MultiResultReader
	var told strings.Builder
	var err error
	if isPrepared {
		result := conn.ExecParams(ctx, text, nil, nil, nil, nil)
		for result.NextRow() {
			for _, cell := range result.Values() {
				told.Write(cell)
			}
		}
		_, err = result.Close()
	} else {
		results = conn.Exec(ctx, text)
		for results.NextResult() {
			reader := results.ResultReader()
			for reader.NextRow() {
				for _, cell := range reader.Values() {
					told.Write(cell)
				}
			}
		}
		err = results.Close()
	}
	var known *pgconn.PgError
	switch {
	case errors.As(err, &known):
		return known.Code, told.String() + known.Message
	case err != nil && strings.ContainsRune(text, 0):
		return "08P01", err.Error() // the client does not send it
	case err != nil:
		t.Errorf("no answer: %v\n%.200s", err, text)
		return "?", err.Error()
	}
	return "", told.String()
}

// listing names the files below a folder, without the register's.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if !strings.Contains(path, "register.db") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
