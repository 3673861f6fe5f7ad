package warehouse

import (
	"fmt"
	"time"

	"tongbao"
)

// Question is one SELECT of a person, with everything that a process of its
// own needs to answer it.
type Question struct {
	SQL     string
	Params  []Param
	Sources []Source
	Limits  Limits
	Form    Form
	Schema  string // of relations that are written without one; "" for none
	Extra   Extra
}

// Extra is what a door of its own adds to what may be asked: tables and macros
// that Setup makes in the answering process. It tells nothing that the asker
// may not know, because it is made by whoever lets the asker in.
type Extra struct {
	Setup     []string // statements, run before the engine's doors are locked
	Relations []string // schema.table
	Functions []string // names in lower case
}

// Form is what comes back.
type Form string

// The forms of an answer.
const (
	Table   Form = ""        // columns, then rows
	Columns Form = "columns" // columns only; nothing is run
	Plan    Form = "plan"    // the engine's plan as rows of text (explain)
	Parquet Form = "parquet" // the bytes of a Parquet file; Linux only
)

// Param is the value of $name. It stands in the text as a literal, so that it
// takes the type of what it is compared with.
type Param struct {
	Name, Value string
	Type        ParamType
}

// ParamType says how a value is written into the text.
type ParamType string

// The types of parameters.
const (
	TextParam   ParamType = ""       // 'value'
	DateParam   ParamType = "date"   // date 'value'; a month as 2026-10 is its first day
	NumberParam ParamType = "number" // value, which must be a number
	BoolParam   ParamType = "bool"   // true or false
	NullParam   ParamType = "null"
)

// Source is a published file and what of it may be read.
type Source struct {
	Path      string
	Relations []Relation
}

// Published is a month's version as one audience may ask it.
type Published struct {
	Month   tongbao.Month
	Version string // v1, v2 …
	Sources []Source
}

// Relation is a table that the asker may read. A file holds no more of it than
// whoever may ask the file may see.
type Relation struct {
	Name string // schema.table; the same name is in one source only

	// What pages tell of it; the process that answers needs none of it.
	Columns     []Column `json:"-"`
	Grain, Rule string   `json:"-"` // of the query that makes it, "" for what no query makes
}

// Limits bound the process that answers a question. Users meet them, so each
// refusal names the limit that it enforces.
type Limits struct {
	Rows    int           // at most; the answer says when there were more
	Bytes   int           // of the answer, at most
	Time    time.Duration // then the engine is interrupted; a second later its process is killed
	Memory  string        // the engine's own, as DuckDB writes it
	Space   uint64        // address space of the process in bytes
	CPU     time.Duration // of all threads
	Threads int
}

// The bounds of pages, of exports and of the command line.
var (
	PageLimits = Limits{Rows: 1000, Bytes: 4 << 20, Time: 5 * time.Second, Memory: "512MB", Space: 2 << 30, CPU: 20 * time.Second, Threads: 2}
	FileLimits = Limits{Rows: 100_000, Bytes: 64 << 20, Time: 60 * time.Second, Memory: "512MB", Space: 2 << 30, CPU: 150 * time.Second, Threads: 2}
)

// Column is a column of an answer; Type is the engine's name: VARCHAR,
// DECIMAL(7,2) …
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Summary is how a question ended.
type Summary struct {
	Rows      int           `json:"rows"`
	Bytes     int           `json:"bytes"`
	Truncated string        `json:"truncated,omitempty"` // "rows" or "bytes" if a limit cut the answer
	Took      time.Duration `json:"took"`
}

// Kind tells apart why a question has no answer.
type Kind string

// The kinds of failed questions.
const (
	Refused   Kind = "refused"   // the guard does not let it run; Code says which rule
	Failed    Kind = "failed"    // the engine could not run it; Detail has its words
	Stopped   Kind = "stopped"   // it reached its time
	Outgrew   Kind = "outgrew"   // it needed more memory than it may have, or broke its process
	Busy      Kind = "busy"      // others are being answered; ask again
	Cancelled Kind = "cancelled" // the asker left or cancelled
)

// QuestionError is why a question has no answer. Error is for a terminal or an
// API; pages look Kind and Code up in their catalogue.
type QuestionError struct {
	Kind    Kind   `json:"kind"`
	Code    string `json:"code,omitempty"`
	Subject string `json:"subject,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

func (e *QuestionError) Error() string {
	switch e.Kind {
	case Refused:
		return "query refused: " + fmt.Sprintf(refusals[e.Code], e.Subject)
	case Stopped:
		return fmt.Sprintf("query stopped after %s; ask for fewer rows or months", e.Subject)
	case Outgrew:
		return "query stopped: it needed more memory or CPU time than a query may have; ask for fewer rows or months"
	case Busy:
		return fmt.Sprintf(busyTexts[e.Code], e.Subject)
	case Cancelled:
		return "query cancelled"
	}
	return "query: " + e.Detail
}

// refusals has the words of each rule of the guard; the subject is what broke it.
var refusals = map[string]string{
	"long":      "%s bytes; a statement has at most 65536",
	"text":      "it is not UTF-8 text, or has a NUL%s",
	"brackets":  "%s brackets inside each other; at most 100",
	"syntax":    "%s",
	"select":    "only SELECT is answered (also FROM, VALUES, WITH, DESCRIBE, SUMMARIZE, and PIVOT with its values listed)%s",
	"several":   "%s statements; ask one at a time",
	"relation":  "no table %q; write tables with their schema, as bulletin.community",
	"source":    "%q may not stand in FROM; beside tables only range, generate_series and unnest",
	"function":  "the function %q may not be called; docs/sql.md says which may",
	"step":      "a step of WITH may not be called %q",
	"show":      "%q; DESCRIBE and SUMMARIZE of a table or SELECT are answered",
	"part":      "the part %q of the statement is not answered",
	"depth":     "parts inside each other more than %s deep",
	"parameter": "the parameter $%s has no value, or it is written as ?",
	"value":     "the value of the parameter $%s is not of its type",
}

// busyTexts has the words of each rule of the desk.
var busyTexts = map[string]string{
	"asker": "your other query is not answered yet; wait for it or cancel it%s",
	"queue": "%s queries are waiting already; try again in a few seconds",
}

func refuse(code, subject string) *QuestionError {
	return &QuestionError{Kind: Refused, Code: code, Subject: subject}
}
