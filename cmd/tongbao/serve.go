package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Do the jobs of tongbao.yaml on schedule until told to stop",
		Long: `Does the jobs of tongbao.yaml on schedule, and what other commands of this workspace
ask for, one run at a time. SIGTERM or Ctrl-C stops it: the run at work is rolled back
within ` + pipeline.StopWithin.String() + ` and goes on at the next start where its job has retries.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			house, err := a.open(command.Context())
			if err != nil {
				return err
			}
			defer house.Close()
			log, file := house.OpenLog(a.stderr)
			defer file.Close()
			service, err := pipeline.NewService(house, pipeline.ServiceOptions{Log: log, Sleep: a.sleep})
			if err != nil {
				return err
			}
			return a.serveAll(command.Context(), house.Workspace, service, log)
		},
	}
}

// serveAll runs the service and, beside it, the portal and the PostgreSQL
// door. One that fails stops no work; the service's end is theirs.
func (a *app) serveAll(ctx context.Context, w pipeline.Workspace, service *pipeline.Service, log *slog.Logger) error {
	doors, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() {
		if err := a.servePortal(doors, w, service, log); err != nil {
			log.Error("there is no portal", "error", err)
		}
	})
	beside.Go(func() {
		if err := a.servePgwire(doors, w, log); err != nil {
			log.Error("there is no PostgreSQL door", "error", err)
		}
	})
	err := service.Serve(ctx)
	stop()
	beside.Wait()
	return err
}

// plan names steps without arguments.
func plan(steps ...string) []register.PlanStep {
	var plan []register.PlanStep
	for _, step := range steps {
		plan = append(plan, register.PlanStep{Step: step})
	}
	return plan
}

// startWait is how long a command waits for a service that is just starting.
const startWait = 10 * time.Second

// reach hands out the running service of the workspace, or, where there is
// none, the open house.
func (a *app) reach(ctx context.Context) (*pipeline.Client, *pipeline.House, error) {
	workspace, err := pipeline.FindWorkspace(a.dir)
	if err != nil {
		return nil, nil, err
	}
	for waited := time.Duration(0); ; waited += startWait / 50 {
		client, err := workspace.Dial(ctx)
		if !errors.Is(err, pipeline.ErrNoService) {
			return client, nil, err
		}
		house, err := a.open(ctx)
		var inUse *pipeline.InUseError
		if err == nil || !errors.As(err, &inUse) || !inUse.IsService || waited >= startWait {
			return nil, house, err
		}
		select {
		case <-time.After(startWait / 50):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// perform has a run done by the running service, or does it here. The outcome
// is filled as far as the run came also when there is an error.
func (a *app) perform(ctx context.Context, request pipeline.Request) (pipeline.Outcome, error) {
	client, house, err := a.reach(ctx)
	if err != nil {
		return pipeline.Outcome{}, err
	}
	var outcome pipeline.Outcome
	if client != nil {
		if outcome, err = client.Run(ctx, request, a.showEvents()); ctx.Err() != nil {
			fmt.Fprintln(a.stderr, "the service goes on with the run; \"tongbao cancel\" with its number ends it")
		}
	} else {
		defer house.Close()
		outcome, err = house.Perform(ctx, request)
		if err == nil {
			err = house.Tell(ctx, slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
		}
	}
	if err != nil {
		return outcome, err
	}
	return outcome, outcome.Err()
}

// showEvents shows what a run of the service says: its lines, and its progress
// on a terminal.
func (a *app) showEvents() func(pipeline.Event) {
	bar := newProgress(a.stderr)
	return func(event pipeline.Event) {
		if event.Progress != nil {
			bar.show(event.Progress.Step, event.Progress.Done, event.Progress.Total)
			return
		}
		fmt.Fprintln(a.stderr, event.Text)
	}
}

// look reads a table from the running service, or from the house.
func (a *app) look(ctx context.Context, path string, here func(*pipeline.House) (warehouse.Rows, error)) (warehouse.Rows, error) {
	client, house, err := a.reach(ctx)
	if err != nil {
		return warehouse.Rows{}, err
	}
	if client != nil {
		return client.Rows(ctx, path)
	}
	defer house.Close()
	return here(house)
}
