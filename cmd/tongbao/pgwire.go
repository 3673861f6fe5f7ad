package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
	"tongbao/web/pgwire"
)

// The PostgreSQL door is started again when it ends, sooner at first.
const (
	pgwireAgain     = time.Second
	pgwireAgainMost = time.Minute
	pgwireStops     = 5 * time.Second
)

// pgwireCommand is the door's own process; the service starts it.
func (a *app) pgwireCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "pgwire",
		Short:  "Answer PostgreSQL clients until stdin ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			workspace, err := pipeline.FindWorkspace(a.dir)
			if err != nil {
				return err
			}
			// The service holds the other end: it may be killed in a way that
			// leaves it no time to stop us.
			ctx, stop := context.WithCancel(command.Context())
			go func() {
				defer stop()
				_, _ = io.Copy(io.Discard, a.stdin)
			}()
			return a.answerPgwire(ctx, workspace)
		},
	}
}

func (a *app) answerPgwire(ctx context.Context, w pipeline.Workspace) error {
	config := w.Config.Pgwire
	if config == nil {
		return &usageError{fmt.Errorf("%s has no key pgwire", pipeline.ConfigName)}
	}
	reg, err := w.OpenRegister(ctx)
	if err != nil {
		return err
	}
	defer reg.Close()
	readers, err := w.Readers()
	if err != nil {
		return err
	}
	door, err := pgwire.New(pgwire.Options{
		Certificate: w.InWorkspace(config.Certificate), Key: w.InWorkspace(config.Key), PlainLoopback: config.PlainLoopback,
		Register: reg, Desk: sharedDesk(w, reg), Log: slog.New(slog.NewTextHandler(a.stderr, nil)), Now: a.now,
		Published: func(ctx context.Context, by register.Audience) (warehouse.Published, error) {
			return readers.Published(ctx, by, 0)
		},
	})
	if err != nil {
		return err
	}
	listen := config.Listen
	if listen == "" {
		listen = pgwire.DefaultListen
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("pgwire: %w", err)
	}
	fmt.Fprintln(a.stdout, listener.Addr())
	return door.Serve(ctx, listener)
}

// servePgwire keeps the door open, where the configuration wants one, until
// the context ends. Whatever happens to it holds up no work.
func (a *app) servePgwire(ctx context.Context, w pipeline.Workspace, log *slog.Logger) error {
	if w.Config.Pgwire == nil {
		return nil
	}
	for wait := pgwireAgain; ; wait = min(2*wait, pgwireAgainMost) {
		began := time.Now()
		err := runPgwire(ctx, w.Dir, log)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > pgwireAgainMost {
			wait = pgwireAgain
		}
		log.Error("the PostgreSQL door ended; it is opened again", "error", err, "again_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// runPgwire runs the door's process once.
func runPgwire(ctx context.Context, dir string, log *slog.Logger) error {
	self, err := ownPath()
	if err != nil {
		return err
	}
	door := exec.CommandContext(ctx, self, "pgwire", "-w", dir)
	door.Env = []string{}
	door.WaitDelay = pgwireStops
	held, err := door.StdinPipe()
	if err != nil {
		return err
	}
	door.Cancel = held.Close
	said, err := door.StdoutPipe()
	if err != nil {
		return err
	}
	complaints, err := door.StderrPipe()
	if err != nil {
		return err
	}
	if err := door.Start(); err != nil {
		return err
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		for lines := bufio.NewScanner(complaints); lines.Scan(); {
			log.Warn("the PostgreSQL door says", "line", lines.Text())
		}
		_, _ = io.Copy(io.Discard, complaints) // a line too long to scan must not block it
	}()
	if lines := bufio.NewScanner(said); lines.Scan() {
		log.Info("the PostgreSQL door is open", "listen", lines.Text(), "pid", door.Process.Pid)
	}
	<-told
	return door.Wait()
}

// ownPath is the file of this program.
func ownPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		// A bare root file system has no /proc to ask.
		return exec.LookPath(os.Args[0])
	}
	return self, nil
}
