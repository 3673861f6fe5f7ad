package warehouse

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Answer is the whole life of the process that answers one question: it reads
// the question from in, confines itself, judges the statement, and writes one
// line of JSON for the columns, one a row, and one for the end. The statement
// is parsed here and not in the service, because a parser can break too.
func Answer(ctx context.Context, in io.Reader, out io.Writer) error {
	var q Question
	if err := json.NewDecoder(in).Decode(&q); err != nil {
		return fmt.Errorf("read the question: %w", err)
	}
	if err := confine(q.Limits); err != nil {
		return fmt.Errorf("set the limits of a query: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, q.Limits.Time)
	defer cancel()
	to := &answerWriter{out: bufio.NewWriterSize(out, 64<<10), most: q.Limits}
	err := answer(ctx, q, to)
	if err != nil {
		err = to.line(message{Error: failure(ctx, err)})
	}
	return errors.Join(err, to.out.Flush())
}

func answer(ctx context.Context, q Question, to *answerWriter) error {
	connector, err := duckdb.NewConnector(dsn("", Options{Memory: q.Limits.Memory, Threads: q.Limits.Threads}), nil)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector) // never closed: the process ends
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, source := range q.Sources {
		for _, relation := range source.Relations {
			names = append(names, relation.Name)
		}
	}
	may := granted{slices.Concat(names, q.Extra.Relations), q.Extra.Functions, q.Schema}
	guarded, err := guard(q.SQL, q.Params, may, func(text string) (node, error) { return parseWith(ctx, conn, text) })
	if err != nil {
		return err
	}
	if err := prepare(ctx, conn, q, guarded.Relations); err != nil {
		return err
	}
	switch q.Form {
	case Parquet:
		return writeParquet(ctx, conn, bounded(guarded.SQL, q.Limits.Rows), to)
	case Plan:
		return to.rows(ctx, conn, "explain "+bounded(guarded.SQL, q.Limits.Rows))
	}
	return sendRows(ctx, conn, bounded(guarded.SQL, q.Limits.Rows), q.Form, to)
}

// sendRows sends the columns, and the rows with every value cast to text by the
// engine: the driver has its own ideas of decimals and huge integers.
func sendRows(ctx context.Context, conn *sql.Conn, query string, form Form, to *answerWriter) error {
	probe, err := conn.QueryContext(ctx, "select * from (\n"+query+"\n) limit 0")
	if err != nil {
		return err
	}
	types, err := probe.ColumnTypes()
	probe.Close()
	if err != nil {
		return err
	}
	columns := make([]Column, len(types))
	// Names of columns may be equal or empty; numbers are neither.
	aliases, casts := make([]string, len(types)), make([]string, len(types))
	for i, t := range types {
		columns[i] = Column{t.Name(), t.DatabaseTypeName()}
		aliases[i] = fmt.Sprintf("c%d", i)
		casts[i] = fmt.Sprintf("cast(c%d as varchar)", i)
	}
	if err := to.line(message{Columns: &columns}); err != nil || form == Columns {
		return errors.Join(err, to.end())
	}
	return to.cells(ctx, conn, fmt.Sprintf("select %s from (\n%s\n) as answer(%s)", strings.Join(casts, ", "), query, strings.Join(aliases, ", ")))
}

// writeParquet writes the file into the pipe that the parent reads. A file with
// a row more than the limit is not for the asker: Truncated says so.
func writeParquet(ctx context.Context, conn *sql.Conn, query string, to *answerWriter) error {
	result, err := conn.ExecContext(ctx, fmt.Sprintf("copy (%s) to '%s' (format parquet, compression zstd, use_tmp_file false)", query, fileDescriptor))
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	to.sent.Rows = int(rows)
	if to.sent.Rows > to.most.Rows {
		to.sent.Truncated = "rows"
	}
	return errors.Join(err, to.end())
}

// failure turns an error into what the asker is told. Paths of files are not
// for the asker.
func failure(ctx context.Context, err error) *QuestionError {
	var known *QuestionError
	switch text := err.Error(); {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return &QuestionError{Kind: Stopped}
	case strings.HasPrefix(text, "Out of Memory Error"), strings.Contains(text, "bad allocation"), strings.Contains(text, "bad_alloc"):
		return &QuestionError{Kind: Outgrew}
	default:
		return &QuestionError{Kind: Failed, Detail: paths.ReplaceAllString(strings.TrimSpace(text), "…")}
	}
}

var paths = regexp.MustCompile(`(/[^/\s"']+){2,}`)

// answerWriter writes the lines of an answer and holds its limits.
type answerWriter struct {
	out  *bufio.Writer
	most Limits
	sent Summary
}

func (w *answerWriter) line(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	w.sent.Bytes += len(text) + 1
	_, err = w.out.Write(append(text, '\n'))
	return err
}

func (w *answerWriter) end() error { return w.line(message{End: &w.sent}) }

// rows sends an answer whose columns are all text.
func (w *answerWriter) rows(ctx context.Context, conn *sql.Conn, query string) error {
	if err := w.line(message{Columns: &[]Column{{"kind", "VARCHAR"}, {"plan", "VARCHAR"}}}); err != nil {
		return err
	}
	return w.cells(ctx, conn, query)
}

// cells sends the rows of a query whose columns are all text, up to the limits.
func (w *answerWriter) cells(ctx context.Context, conn *sql.Conn, query string) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		if w.sent.Rows == w.most.Rows {
			w.sent.Truncated = "rows"
			break
		}
		cells := make([]*string, len(columns))
		targets := make([]any, len(columns))
		length := 0
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for _, cell := range cells {
			if cell != nil {
				length += len(*cell)
			}
		}
		if w.sent.Bytes+length > w.most.Bytes {
			w.sent.Truncated = "bytes"
			break
		}
		if err := w.line(message{Row: cells}); err != nil {
			return err
		}
		w.sent.Rows++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return w.end()
}
