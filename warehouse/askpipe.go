package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// fileDescriptor is where the child finds the pipe that a Parquet file is
// written to: its own files may not grow by a byte, a pipe may.
const fileDescriptor = "/dev/fd/3"

// rawFile copies a child's file from a pipe.
type rawFile struct {
	reader, writer *os.File
	done           chan error
	wrote          int
	limit          int
	to             io.Writer
	stop           context.CancelFunc
}

// rawPipe gives the child a pipe for the file's bytes; nothing for other forms.
func rawPipe(child *exec.Cmd, q Question, to io.Writer, stop context.CancelFunc) (*rawFile, error) {
	if q.Form != Parquet {
		return &rawFile{}, nil
	}
	if to == nil {
		return nil, errors.New("a Parquet answer has nowhere to go")
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	child.ExtraFiles = []*os.File{writer}
	return &rawFile{reader: reader, writer: writer, done: make(chan error, 1), limit: q.Limits.Bytes, to: to, stop: stop}, nil
}

func (f *rawFile) close() {
	if f.reader != nil {
		f.reader.Close()
		f.writer.Close()
	}
}

// started lets the child alone hold the writing end, and copies what it writes.
func (f *rawFile) started() {
	if f.reader == nil {
		return
	}
	f.writer.Close()
	go func() {
		n, err := io.Copy(f.to, io.LimitReader(f.reader, int64(f.limit)+1))
		f.wrote = int(n)
		if n > int64(f.limit) {
			err = &QuestionError{Kind: Failed, Detail: fmt.Sprintf("the file would have more than %d MiB; ask for fewer rows or columns", f.limit>>20)}
		}
		if err != nil {
			f.stop()
		}
		f.done <- err
	}()
}

// wait returns the bytes copied, when the child has closed its end.
func (f *rawFile) wait() (int, error) {
	if f.reader == nil {
		return 0, nil
	}
	err := <-f.done
	f.reader.Close()
	return f.wrote, err
}
