package pgwire

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"tongbao/warehouse"
)

// command is a statement about the session itself. Nothing in a published
// month changes, so a transaction is a word and nothing more.
type command struct {
	verb string // in capitals, as the client is told when it is done
	rest string
}

var (
	head = regexp.MustCompile(`(?is)^(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|;)*`)
	verb = regexp.MustCompile(`(?is)^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|set|reset|show|discard|deallocate|listen|unlisten|close)\b([^;]*)(?:;|$)`)
)

// nextCommand reads a command from the start of a text, and returns what
// follows it; nil if the text begins with something else.
func nextCommand(text string) (*command, string) {
	text = text[len(head.FindString(text)):]
	found := verb.FindStringSubmatch(text)
	if found == nil {
		return nil, text
	}
	name := strings.ToUpper(strings.Join(strings.Fields(found[1]), " "))
	switch name {
	case "END":
		name = "COMMIT"
	case "ABORT":
		name = "ROLLBACK"
	case "START TRANSACTION":
		name = "BEGIN"
	case "CLOSE":
		name = "CLOSE CURSOR"
	}
	return &command{name, strings.TrimSpace(found[2])}, text[len(found[0]):]
}

// query answers a simple query: commands one after another, and one question.
func (n *session) query(ctx context.Context, text string) error {
	delete(n.portals, "")
	c, rest := nextCommand(text)
	if c == nil && rest == "" {
		n.backend.Send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	for ; c != nil; c, rest = nextCommand(rest) {
		if err := n.obey(c, true); err != nil {
			return err
		}
	}
	if rest == "" {
		return nil
	}
	p := &portal{statement: &statement{text: rest}, isDescribed: true}
	return n.fetch(ctx, p, 0)
}

// mayGoOn refuses everything but the end of a failed transaction, as
// PostgreSQL does: clients count on it.
func (n *session) mayGoOn(c *command) error {
	if n.status != 'E' || c != nil && slices.Contains([]string{"COMMIT", "ROLLBACK"}, c.verb) {
		return nil
	}
	return fail("25P02", "an earlier statement of this transaction failed; roll it back")
}

// obey does a command; describes says that the columns of an answer go before it.
func (n *session) obey(c *command, describes bool) error {
	if err := n.mayGoOn(c); err != nil {
		return err
	}
	tag := c.verb
	switch c.verb {
	case "BEGIN":
		n.status = 'T'
	case "COMMIT", "ROLLBACK":
		if isSavepoint.MatchString(c.rest) {
			break
		}
		if n.status == 'E' {
			tag = "ROLLBACK"
		}
		n.status = 'I'
		clear(n.portals)
	case "SET":
		if err := n.setCommand(c.rest); err != nil {
			return err
		}
	case "RESET":
		if err := n.reset(c.rest); err != nil {
			return err
		}
	case "DISCARD":
		if strings.EqualFold(c.rest, "all") {
			n.startSettings()
			n.forget()
			clear(n.portals)
		}
		tag += " " + strings.ToUpper(c.rest)
	case "DEALLOCATE":
		name := unquote(strings.TrimSpace(dropPrefix.ReplaceAllString(c.rest, "")))
		if strings.EqualFold(name, "all") {
			n.forget()
			tag += " ALL"
		} else {
			n.drop(name)
		}
	case "SHOW":
		return n.show(c.rest, describes)
	}
	n.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	return nil
}

var (
	isSavepoint = regexp.MustCompile(`(?i)^(?:work\s+|transaction\s+)?to\b`)
	dropPrefix  = regexp.MustCompile(`(?i)^prepare\s+`)
)

// shown is the answer to SHOW: columns and rows of text.
func (n *session) shown(name string) (columns []string, rows [][]string, err error) {
	if strings.EqualFold(name, "all") {
		for _, key := range sortedNames(n.settings) {
			rows = append(rows, []string{key, n.settings[key], ""})
		}
		return []string{"name", "setting", "description"}, rows, nil
	}
	key := settingName(name)
	value, known := n.settings[key]
	if !known {
		return nil, nil, fail("42704", fmt.Sprintf("there is no setting %q", name))
	}
	return []string{key}, [][]string{{value}}, nil
}

func (n *session) show(name string, describes bool) error {
	columns, rows, err := n.shown(name)
	if err != nil {
		return err
	}
	if describes {
		n.backend.Send(rowDescription(textColumns(columns), nil))
	}
	for _, row := range rows {
		values := make([][]byte, len(row))
		for i, cell := range row {
			values[i] = []byte(cell)
		}
		n.backend.Send(&pgproto3.DataRow{Values: values})
	}
	n.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SHOW")})
	return nil
}

func textColumns(names []string) []warehouse.Column {
	columns := make([]warehouse.Column, len(names))
	for i, name := range names {
		columns[i] = warehouse.Column{Name: name, Type: "VARCHAR"}
	}
	return columns
}
