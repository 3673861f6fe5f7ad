package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/web"
)

// portalAgain is how long the portal waits before it asks again for a port
// that another program has.
const portalAgain = time.Minute

// servePortal answers readers until the context ends, where the configuration
// wants a portal. It never holds up the work: what is wrong with it is in the
// log, and the month goes on.
func (a *app) servePortal(ctx context.Context, w pipeline.Workspace, service *pipeline.Service, log *slog.Logger) error {
	config := w.Config.Portal
	if config == nil {
		return nil
	}
	proxies, err := config.Proxies()
	if err != nil {
		return err
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
	var oidc *web.OIDC
	if o := config.OIDC; o != nil {
		if oidc = (&web.OIDC{Name: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: os.Getenv(o.SecretEnv)}); oidc.ClientSecret == "" {
			return fmt.Errorf("portal: oidc: secret_env: %s is not set where the service is started", o.SecretEnv)
		}
	}
	portal, err := web.New(web.Options{
		OIDC: oidc,
		Town: w.Config.Town, Listen: config.Listen, URL: config.URL, TrustedProxies: proxies,
		Certificate: w.InWorkspace(config.Certificate), Key: w.InWorkspace(config.Key),
		Published: w.PublishedDir(), Register: reg, Acts: acts{w, service}, Readers: readers, Desk: sharedDesk(w, reg), Log: log, Now: a.now,
	})
	if err != nil {
		return err
	}
	for {
		listener, err := portal.ListenOn(ctx)
		if err == nil {
			log.Info("the portal is open", "listen", listener.Addr().String(), "tls", config.Certificate != "")
			return portal.Serve(ctx, listener)
		}
		log.Warn("the portal is not open; the service works all the same", "error", err, "again_in", portalAgain)
		select {
		case <-time.After(portalAgain):
		case <-ctx.Done():
			return nil
		}
	}
}

// acts does what readers of the portal ask for.
type acts struct {
	workspace pipeline.Workspace
	service   *pipeline.Service
}

// told turns what the asker can put right into words for a page.
func told(err error) error {
	var problem *pipeline.Problem
	if errors.As(err, &problem) {
		return &web.ActError{Err: err}
	}
	return err
}

func (a acts) Run(ctx context.Context, steps []string, month tongbao.Month) (int64, error) {
	id, _, err := a.service.Ask(ctx, pipeline.Request{Steps: plan(steps...), Month: month})
	return id, told(err)
}

func (a acts) Retry(ctx context.Context, id int64) (int64, error) {
	again, err := a.service.Retry(ctx, id)
	return again, told(err)
}

func (a acts) Cancel(ctx context.Context, id int64) error { return told(a.service.Cancel(ctx, id)) }

func (a acts) Log(run register.Run) (string, error) { return a.workspace.RunLog(run) }

func (a acts) Follow(ctx context.Context, id int64, show func(web.RunEvent) error) error {
	return a.service.Follow(ctx, id, func(event pipeline.Event) error {
		switch {
		case event.Progress != nil:
			return show(web.RunEvent{Step: event.Progress.Step, Done: event.Progress.Done, Total: event.Progress.Total})
		case event.Outcome != nil:
			return show(web.RunEvent{State: event.Outcome.Run.State, Text: event.Outcome.Run.Error})
		}
		return show(web.RunEvent{Text: event.Text})
	})
}
