package web

import (
	"database/sql"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"tongbao/register"
	"tongbao/reports/forms"
	"tongbao/warehouse"
)

// fileKinds are the media types of exports.
var fileKinds = map[string]string{
	"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// export sends the answer as a file, whole or not at all: it is written aside
// first, so that nobody takes half an answer for one.
func (v *visit) export(kind string, question warehouse.Question, of warehouse.Published) error {
	file, err := os.CreateTemp("", "tongbao-answer-*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	question.Limits = warehouse.FileLimits
	summary, err := v.writeFile(kind, question, of, file)
	if err != nil {
		return err
	}
	if summary.Truncated != "" {
		return &warehouse.QuestionError{Kind: warehouse.Failed, Code: "file", Subject: fmt.Sprint(question.Limits.Rows)}
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	err = v.audit(register.ActExport, "sql "+kind, map[string]any{"rows": summary.Rows, "bytes": size, "version": of.Version, "month": of.Month.String()})
	if err != nil {
		return err
	}
	header := v.w.Header()
	header.Set("Content-Type", fileKinds[kind])
	header.Set("Content-Length", fmt.Sprint(size))
	name := fmt.Sprintf("tongbao-%s-%s.%s", of.Month, v.Now().Format("20060102-150405"), kind)
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	v.w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(v.w, file) // the reader may be gone
	return nil
}

// writeFile asks and writes the answer into the file.
func (v *visit) writeFile(kind string, question warehouse.Question, of warehouse.Published, file *os.File) (warehouse.Summary, error) {
	// The server's own limit is shorter than an export may take. Not every
	// writer knows of limits; then there is none.
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(2 * question.Limits.Time))
	if kind == "parquet" {
		question.Form = warehouse.Parquet
		return v.Desk.Ask(v.r.Context(), v.asker(), question, nil, file)
	}
	sink := fileSink{forms.NewCSV(file)}
	if kind == "xlsx" {
		sink.table = forms.NewBook(file, v.words.say("sql.book_answer"), v.words.say("sql.book_about"), [][2]string{
			{"SQL", question.SQL}, {v.words.say("sql.book_of"), of.Month.String() + " " + of.Version},
			{v.words.say("sql.book_at"), v.Now().Format(time.DateTime)}, {v.words.say("sql.book_by"), v.account.Display},
		})
	}
	summary, err := v.Desk.Ask(v.r.Context(), v.asker(), question, sink, nil)
	if err != nil {
		return summary, err
	}
	return summary, sink.table.Close()
}

// fileSink lets a file take an answer.
type fileSink struct{ table forms.TableWriter }

func (f fileSink) Begin(columns []warehouse.Column) error {
	names, types := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		names[i], types[i] = column.Name, column.Type
	}
	return f.table.Head(names, types)
}

func (f fileSink) Row(cells []sql.NullString) error { return f.table.Row(cells) }
