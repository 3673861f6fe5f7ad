package warehouse

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// AskCommand is the hidden command under which the program answers one
// question; its main must call Answer for it.
const AskCommand = "answer"

// Sink takes an answer as it comes. A cell is the engine's own text of the
// value, so that decimals and 18-digit ids keep every digit; null is not valid.
type Sink interface {
	Begin(columns []Column) error
	Row(cells []sql.NullString) error
}

// Ask has a question answered by a process of its own and hands the answer to
// the sink; with the form Parquet it writes the file's bytes to raw. The process
// is killed when ctx ends or its time is up. Errors are *QuestionError, unless
// the process could not be started or the sink failed.
//
// It lets everybody in; see Desk.
func Ask(ctx context.Context, q Question, to Sink, raw io.Writer) (Summary, error) {
	if err := Shape(q.SQL); err != nil {
		return Summary{}, err
	}
	began := time.Now()
	killed, stop := context.WithTimeout(ctx, q.Limits.Time+time.Second)
	defer stop()
	summary, err := askChild(killed, q, to, raw)
	summary.Took = time.Since(began)
	var known *QuestionError
	switch {
	case ctx.Err() != nil:
		return summary, &QuestionError{Kind: Cancelled}
	case killed.Err() != nil:
		return summary, &QuestionError{Kind: Stopped, Subject: q.Limits.Time.String()}
	case errors.As(err, &known) && known.Kind == Stopped:
		known.Subject = q.Limits.Time.String()
	}
	return summary, err
}

func askChild(ctx context.Context, q Question, to Sink, raw io.Writer) (Summary, error) {
	// A child that dies with its parent's thread must not lose that thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	request, err := json.Marshal(q)
	if err != nil {
		return Summary{}, err
	}
	child, err := newChild(ctx)
	if err != nil {
		return Summary{}, err
	}
	child.Stdin = bytes.NewReader(request)
	var complaint bytes.Buffer
	child.Stderr = &capped{to: &complaint, left: 4 << 10}
	output, err := child.StdoutPipe()
	if err != nil {
		return Summary{}, err
	}
	file, err := rawPipe(child, q, raw, stop)
	if err != nil {
		return Summary{}, err
	}
	if err := child.Start(); err != nil {
		file.close()
		return Summary{}, fmt.Errorf("start the process that answers queries: %w", err)
	}
	file.started()
	summary, err := receive(output, q.Limits, to)
	if err != nil {
		stop()
	}
	wrote, fileErr := file.wait()
	exit := child.Wait()
	summary.Bytes += wrote
	switch {
	case err == nil && fileErr != nil:
		return summary, fileErr
	case errors.Is(err, errNoEnd) && exit != nil:
		return summary, &QuestionError{Kind: Outgrew, Detail: strings.TrimSpace(complaint.String())}
	}
	return summary, err
}

// newChild is this program once more, with nothing of its environment.
func newChild(ctx context.Context) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		// A bare root file system has no /proc to ask.
		if self, err = exec.LookPath(os.Args[0]); err != nil {
			return nil, err
		}
	}
	child := exec.CommandContext(ctx, self, AskCommand)
	child.Env = []string{}
	child.WaitDelay = time.Second
	isolate(child)
	return child, nil
}

// errNoEnd is an answer whose last line is missing: the process was killed or broke.
var errNoEnd = errors.New("the process that answers queries ended without an answer")

// message is one line of the child's output; exactly one field is set.
type message struct {
	Columns *[]Column      `json:"columns,omitempty"`
	Row     []*string      `json:"row,omitempty"`
	End     *Summary       `json:"end,omitempty"`
	Error   *QuestionError `json:"error,omitempty"`
}

// receive reads the child's lines. The child holds the limits; a line longer
// than they allow is taken for a broken child.
func receive(output io.Reader, limits Limits, to Sink) (Summary, error) {
	lines := bufio.NewScanner(output)
	lines.Buffer(make([]byte, 64<<10), 2*limits.Bytes+(1<<20))
	for lines.Scan() {
		var line message
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return Summary{}, fmt.Errorf("answer of a query: %w", err)
		}
		switch {
		case line.Error != nil:
			return Summary{}, line.Error
		case line.End != nil:
			return *line.End, nil
		case line.Columns != nil:
			if err := to.Begin(*line.Columns); err != nil {
				return Summary{}, err
			}
		default:
			cells := make([]sql.NullString, len(line.Row))
			for i, cell := range line.Row {
				if cell != nil {
					cells[i] = sql.NullString{String: *cell, Valid: true}
				}
			}
			if err := to.Row(cells); err != nil {
				return Summary{}, err
			}
		}
	}
	return Summary{}, errNoEnd
}

// capped keeps the first bytes of what is written.
type capped struct {
	to   io.Writer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	if _, err := c.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Begin and Row make Rows a sink.
func (r *Rows) Begin(columns []Column) error {
	for _, column := range columns {
		r.Columns = append(r.Columns, column.Name)
		r.Types = append(r.Types, column.Type)
	}
	return nil
}

// Row adds a row.
func (r *Rows) Row(cells []sql.NullString) error {
	r.Cells = append(r.Cells, cells)
	return nil
}
