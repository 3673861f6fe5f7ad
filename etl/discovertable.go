package etl

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	sampleRows    = 200  // rows of a table that a proposal is made from
	sampleTimeout = "2m" // bound of reading them
)

var (
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	cursorName   = regexp.MustCompile(`(?i)updat|modif|更新|修改|变更`)
	cursorText   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}( |$)`)
	keyName      = regexp.MustCompile(`(?i)^id$|[_-](id|no)$|编号|单号|流水号|序号`)
	zeroDateText = regexp.MustCompile(`^0000-00-00`)
)

// SampleTable reads the first rows of a database table as a fetch would read
// them: read-only, in bounded time, the address from the environment only.
func SampleTable(ctx context.Context, kind, urlEnv, table string) (Sample, error) {
	c := &Connect{Kind: kind, URLEnv: urlEnv, Table: table, Timeout: sampleTimeout}
	s := Sample{Name: table, Connect: c}
	if kind != "postgres" && kind != "mysql" {
		return s, errors.New("--connect: want postgres or mysql")
	}
	// What is no name may be the address itself, so it is not repeated.
	if !variableForm.MatchString(urlEnv) {
		return s, errors.New("--url-env: want the name of an environment variable that holds the address")
	}
	if err := c.check(); err != nil {
		return s, err
	}
	var err error
	if c.zone, err = time.LoadLocation("Asia/Shanghai"); err != nil {
		return s, err
	}
	d := &Definition{Source: table, Connect: c}
	server, err := Intake{}.connector(d)
	if err != nil {
		return s, named(d, "", err)
	}
	// The sample may hold personal data; it lies where only the owner looks, and goes.
	scratch, err := os.MkdirTemp("", "tongbao-discover-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(scratch)
	file, err := newRowFile(scratch, "", mark{zone: c.zone})
	if err != nil {
		return s, err
	}
	defer file.discard()
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	if err := server.read(ctx, window{kind: kindSample, most: sampleRows}, file); err != nil {
		return s, named(d, server.host(), err)
	}
	s.Rows, err = file.texts()
	for _, row := range s.Rows {
		for i := range row {
			if kind == "mysql" && zeroDateText.MatchString(row[i]) {
				row[i], c.ZeroDates = "", "null"
			}
		}
	}
	return s, err
}

// readable are the columns of a table that have an exact text; inexact names
// the type of one that has none.
func (c *Connect) readable(have []string, inexact func(i int) (string, error)) ([]string, error) {
	var names []string
	for i, name := range have {
		kind, err := inexact(i)
		if err != nil {
			return nil, err
		}
		if kind == "" {
			names = append(names, name)
		} else {
			c.unread = append(c.unread, fmt.Sprintf("%s (%s)", name, kind))
		}
	}
	if len(names) == 0 {
		return nil, &FileError{Where: "look at " + c.Table, What: "has no column that can be read as text", Do: "name another table or view"}
	}
	return names, nil
}

// texts reads the rows back, the names first; null is an empty text.
func (f *rowFile) texts() ([][]string, error) {
	if err := f.buffer.Flush(); err != nil {
		return nil, err
	}
	content, err := os.Open(f.file.Name())
	if err != nil {
		return nil, err
	}
	defer content.Close()
	rows := [][]string{f.names}
	decoder := json.NewDecoder(bufio.NewReader(content))
	for decoder.More() {
		var values map[string]string
		if err := decoder.Decode(&values); err != nil {
			return nil, err
		}
		row := make([]string, len(f.names))
		for i, name := range f.names {
			row[i] = values[name]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// connectLines are the lines of a table that take the place of files.
func (s Sample) connectLines() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("connect:")
	line("  kind: %s", s.Connect.Kind)
	line("  url_env: %s", quoted(s.Connect.URLEnv))
	line("  table: %s", quoted(s.Connect.Table))
	if cursor := s.Connect.Cursor; cursor != "" {
		line("  cursor: %s # by its name and values: check that every change of a row moves it, or leave the line out", quoted(cursor))
	} else {
		line("  # no cursor: no column looks like the moment of the last change, so every fetch reads everything")
	}
	if s.Connect.ZeroDates == "null" {
		line("  zero_dates: 'null' # the sample has dates 0000-00-00")
	}
	for _, column := range s.Connect.unread {
		line("# Not read, its type has no exact text: %s", columnName(column))
	}
	return b.String()
}

// proposeCursor chooses the cursor, which is also the row's updated_at where no
// other column is.
func (s Sample) proposeCursor(columns []proposed, made map[string]bool) {
	s.Connect.Cursor = s.guessCursor()
	for i := range columns {
		if p := &columns[i]; p.name == columnName(s.Connect.Cursor) && p.column == nil && !made["updated_at"] {
			p.column = &Column{To: "updated_at"}
			made["updated_at"] = true
		}
	}
}

// guessCursor is the first column whose name tells of a change and whose
// values are moments as the server writes them, so that they can be compared.
func (s Sample) guessCursor() string {
	for i, name := range s.Rows[0] {
		filled, isMoment := 0, true
		for _, row := range s.Rows[1:] {
			if row[i] != "" {
				filled++
				isMoment = isMoment && cursorText.MatchString(row[i])
			}
		}
		if cursorName.MatchString(name) && isMoment && filled > 0 {
			return name
		}
	}
	return ""
}

// proposeKey is the key's value and comment. Where no column is known to make
// the target's own id, the likeliest one is given it, so that the proposal can
// be tried as it is.
func (s Sample) proposeKey(target string, columns []proposed, made map[string]bool) (string, error) {
	id := firstKey(target)
	if made[id] {
		return "[" + id + "]", nil
	}
	if id == "" { // of a plan or a return: what it is about
		var names []string
		for _, p := range columns {
			if p.column != nil && slices.Contains([]string{gridColumn, "staff_id", "month", "line", "item", "kind", "class"}, p.column.To) {
				names = append(names, strings.Replace(p.column.To, gridColumn, "grid_id", 1))
			}
		}
		if len(names) > 0 {
			return "[" + strings.Join(names, ", ") + "] # guessed: name the columns that tell two rows apart", nil
		}
		id = "item"
		if target == "plan" {
			id = "kind"
		}
	}
	best, most := -1, 0
	for i, p := range columns {
		score := 1
		if p.column != nil || p.isPersonal {
			continue
		}
		if p.isDistinct {
			score += 2
		}
		if keyName.MatchString(p.name) {
			score += 3
		}
		if score > most {
			best, most = i, score
		}
	}
	if best < 0 {
		return "", &FileError{File: s.Name, What: "has no column that could be the source's own id", Do: "name another table, sheet or --target"}
	}
	columns[best].column = &Column{To: id, Required: true}
	made[id] = true
	return fmt.Sprintf("[%s] # guessed: check that %s tells two rows apart and never changes", id, columns[best].name), nil
}
