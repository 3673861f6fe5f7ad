package pgwire

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"tongbao/warehouse"
)

// statement is what Parse made: a question or a command.
type statement struct {
	text    string
	command *command // nil for a question
	size    int      // bytes of what the client sent
	oids    []uint32 // of the parameters, 0 where the client did not say
	columns []warehouse.Column
	isKnown bool // columns are
}

// portal is a statement with its parameters.
type portal struct {
	statement   *statement
	text        string // with lists in the place of parameters that are lists
	params      []warehouse.Param
	formats     []int16 // of the answer's columns
	isDescribed bool    // the columns go before the rows

	isRun bool
	kept  [][][]byte // rows of an answer that is fetched in parts
	sent  int
}

func (n *session) parse(message *pgproto3.Parse) error {
	if message.Name != "" && n.statements[message.Name] != nil {
		return fail("42P05", fmt.Sprintf("there is a prepared statement %q already", message.Name))
	}
	n.drop(message.Name)
	if len(n.statements) >= MaxStatements || n.prepared+len(message.Query) > MaxPrepared {
		return fail("54000", fmt.Sprintf("more than %d prepared statements, or %d MiB of them; close some", MaxStatements, MaxPrepared>>20))
	}
	// The text is judged when it is asked: nothing is run before.
	s := &statement{text: message.Query, size: len(message.Query), oids: slices.Clone(message.ParameterOIDs)}
	c, rest := nextCommand(message.Query)
	if following, left := nextCommand(rest); c != nil && (following != nil || left != "") {
		return fail("42601", "one statement at a time")
	}
	if s.command = c; c == nil {
		s.text = rest
	}
	if err := n.mayGoOn(s.command); err != nil {
		return err
	}
	most := countParams(s.text)
	for len(s.oids) < most {
		s.oids = append(s.oids, 0)
	}
	n.guessTypes(s)
	n.statements[message.Name] = s
	n.prepared += s.size
	n.backend.Send(&pgproto3.ParseComplete{})
	return nil
}

// anyOf is a parameter that can only be a list, castTo one whose type stands
// behind it.
var (
	anyOf  = regexp.MustCompile(`(?i)\b(?:any|some|all)\s*\(\s*\$(\d+)\s*\)`)
	castTo = regexp.MustCompile(`\$(\d+)\s*::\s*(\w+)`)
)

// guessTypes gives parameters a type of which the client said nothing, where
// the text says it.
func (n *session) guessTypes(s *statement) {
	guess := func(number string, oid uint32) {
		if i, err := strconv.Atoi(number); err == nil && i > 0 && i <= len(s.oids) && s.oids[i-1] == 0 {
			s.oids[i-1] = oid
		}
	}
	for _, found := range anyOf.FindAllStringSubmatch(s.text, -1) {
		guess(found[1], pgtype.TextArrayOID)
	}
	for _, found := range castTo.FindAllStringSubmatch(s.text, -1) {
		name := strings.ToLower(found[2])
		if other, isOther := otherNames[name]; isOther {
			name = other
		}
		if known, isKnown := n.types.TypeForName(name); isKnown {
			guess(found[1], known.OID)
		}
	}
}

var otherNames = map[string]string{
	"int": "int4", "integer": "int4", "bigint": "int8", "smallint": "int2", "decimal": "numeric", "double": "float8", "real": "float4", "boolean": "bool", "string": "text",
}

// drop forgets a prepared statement.
func (n *session) drop(name string) {
	if s := n.statements[name]; s != nil {
		n.prepared -= s.size
		delete(n.statements, name)
	}
}

func (n *session) forget() {
	clear(n.statements)
	n.prepared = 0
}

func (n *session) bind(message *pgproto3.Bind) error {
	s := n.statements[message.PreparedStatement]
	if s == nil {
		return fail("26000", fmt.Sprintf("there is no prepared statement %q", message.PreparedStatement))
	}
	if message.DestinationPortal != "" && n.portals[message.DestinationPortal] != nil {
		return fail("42P03", fmt.Sprintf("there is a portal %q already", message.DestinationPortal))
	}
	delete(n.portals, message.DestinationPortal)
	if len(n.portals) >= MaxPortals {
		return fail("54000", fmt.Sprintf("more than %d portals; close some", MaxPortals))
	}
	if len(message.Parameters) != len(s.oids) {
		return fail("08P01", fmt.Sprintf("the statement has %d parameters, %d were given", len(s.oids), len(message.Parameters)))
	}
	formats := len(message.ParameterFormatCodes)
	if formats > 1 && formats != len(s.oids) {
		return fail("08P01", "want one format for all parameters, or one for each")
	}
	p := &portal{statement: s, formats: slices.Clone(message.ResultFormatCodes)}
	if slices.ContainsFunc(p.formats, func(f int16) bool { return f != 0 && f != 1 }) {
		return fail("08P01", "the format of a column is 0 for text or 1 for binary")
	}
	lists := map[int][]string{}
	for i, value := range message.Parameters {
		format := int16(0)
		if formats > 0 {
			format = message.ParameterFormatCodes[min(i, formats-1)]
		}
		params, isList, err := n.param(i+1, s.oids[i], format, value)
		if err != nil {
			return err
		}
		if p.params = append(p.params, params...); isList {
			lists[i+1] = namesOf(params)
		}
	}
	p.text = writeLists(s.text, lists)
	n.portals[message.DestinationPortal] = p
	n.backend.Send(&pgproto3.BindComplete{})
	return nil
}

func (n *session) describe(ctx context.Context, message *pgproto3.Describe) error {
	if message.ObjectType == 'S' {
		s := n.statements[message.Name]
		if s == nil {
			return fail("26000", fmt.Sprintf("there is no prepared statement %q", message.Name))
		}
		oids := slices.Clone(s.oids)
		for i := range oids {
			if oids[i] == 0 {
				oids[i] = oidText
			}
		}
		n.backend.Send(&pgproto3.ParameterDescription{ParameterOIDs: oids})
		return n.sendColumns(ctx, s, nil)
	}
	p := n.portals[message.Name]
	if p == nil {
		return fail("34000", fmt.Sprintf("there is no portal %q", message.Name))
	}
	// Nearly always Execute comes next: then one child process does both.
	n.described = p
	return nil
}

// owedColumns answers an earlier Describe, unless what comes now is the
// Execute that will.
func (n *session) owedColumns(ctx context.Context, next pgproto3.FrontendMessage) error {
	p := n.described
	if p == nil {
		return nil
	}
	n.described = nil
	if execute, isExecute := next.(*pgproto3.Execute); isExecute && n.portals[execute.Portal] == p && !p.isRun {
		p.isDescribed = true
		return nil
	}
	return n.sendColumns(ctx, p.statement, p.formats)
}

// sendColumns sends the columns of a statement, whatever its parameters are.
func (n *session) sendColumns(ctx context.Context, s *statement, formats []int16) error {
	if s.command != nil {
		if s.command.verb != "SHOW" {
			n.backend.Send(&pgproto3.NoData{})
			return nil
		}
		columns, _, err := n.shown(s.command.rest)
		if err == nil {
			n.backend.Send(rowDescription(textColumns(columns), formats))
		}
		return err
	}
	if isEmpty(s.text) {
		n.backend.Send(&pgproto3.NoData{})
		return nil
	}
	if !s.isKnown {
		q := warehouse.Question{SQL: s.text, Form: warehouse.Columns, Limits: n.server.Limits}
		for i := range s.oids {
			q.Params = append(q.Params, warehouse.Param{Name: fmt.Sprint(i + 1), Type: warehouse.NullParam})
		}
		var rows warehouse.Rows
		if _, err := n.ask(ctx, q, &rows); err != nil {
			return err
		}
		for i, name := range rows.Columns {
			s.columns = append(s.columns, warehouse.Column{Name: name, Type: rows.Types[i]})
		}
		s.isKnown = true
	}
	n.backend.Send(rowDescription(s.columns, formats))
	return nil
}

func (n *session) execute(ctx context.Context, message *pgproto3.Execute) error {
	p := n.portals[message.Portal]
	if p == nil {
		return fail("34000", fmt.Sprintf("there is no portal %q", message.Portal))
	}
	if c := p.statement.command; c != nil {
		describes := p.isDescribed
		if describes && c.verb != "SHOW" {
			n.backend.Send(&pgproto3.NoData{})
		}
		return n.obey(c, describes)
	}
	if err := n.mayGoOn(nil); err != nil {
		return err
	}
	if isEmpty(p.statement.text) {
		if p.isDescribed {
			n.backend.Send(&pgproto3.NoData{})
		}
		n.backend.Send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	return n.fetch(ctx, p, int(message.MaxRows))
}

func (n *session) close(message *pgproto3.Close) error {
	if message.ObjectType == 'S' {
		n.drop(message.Name)
	} else {
		delete(n.portals, message.Name)
	}
	n.backend.Send(&pgproto3.CloseComplete{})
	return nil
}

func isEmpty(text string) bool { return head.FindString(text) == text }
