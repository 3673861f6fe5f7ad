package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
)

// shownRuns is how many runs the list has.
const shownRuns = 50

// runSteps are what an operator may have done.
var runSteps = strings.Fields("pull run publish report")

// ActError is a refusal of Acts in words for the one who asked.
type ActError struct{ Err error }

func (e *ActError) Error() string { return e.Err.Error() }
func (e *ActError) Unwrap() error { return e.Err }

// runsBody is the list of runs, and the form for another one.
type runsBody struct {
	Runs  []register.Run
	Steps []string
	Month string // of the form
	Error string
}

func (s *Server) runs(v *visit) error { return s.showRuns(v, http.StatusOK, "") }

func (s *Server) showRuns(v *visit, status int, wrong string) error {
	runs, err := s.Register.Runs(v.r.Context(), register.RunFilter{Limit: shownRuns})
	if err != nil {
		return err
	}
	return v.showAs(status, "runs", runsBody{runs, runSteps, tongbao.MonthOf(s.Now()).Prev().String(), wrong})
}

func (s *Server) runAsked(v *visit) error {
	steps := v.r.PostForm["step"]
	month, err := tongbao.ParseMonth(v.r.PostForm.Get("month"))
	if err != nil {
		return s.showRuns(v, http.StatusUnprocessableEntity, v.words.say("runs.month_wrong"))
	}
	var plan []string // in their own order, whatever the form's
	for _, step := range runSteps {
		if slices.Contains(steps, step) {
			plan = append(plan, step)
		}
	}
	if len(plan) == 0 || len(plan) != len(steps) {
		return s.showRuns(v, http.StatusUnprocessableEntity, v.words.say("runs.steps_wrong"))
	}
	id, err := s.Acts.Run(v.r.Context(), plan, month)
	return s.asked(v, id, err, map[string]any{"steps": plan, "month": month.String()})
}

func (s *Server) runRetried(v *visit) error {
	run, err := v.run()
	if err != nil {
		return err
	}
	id, err := s.Acts.Retry(v.r.Context(), run.ID)
	return s.asked(v, id, err, map[string]any{"retry_of": run.ID})
}

// asked writes down what was asked for and shows the new run.
func (s *Server) asked(v *visit, id int64, err error, detail map[string]any) error {
	var refused *ActError
	if errors.As(err, &refused) {
		return s.showRuns(v, http.StatusConflict, refused.Error())
	}
	if err == nil {
		err = v.audit(register.ActRunAsked, "run "+strconv.FormatInt(id, 10), detail)
	}
	if err != nil {
		return err
	}
	return v.redirect(fmt.Sprintf("/runs/%d", id))
}

func (s *Server) runCancelled(v *visit) error {
	run, err := v.run()
	if err != nil {
		return err
	}
	var refused *ActError
	if err := s.Acts.Cancel(v.r.Context(), run.ID); errors.As(err, &refused) {
		return s.showRuns(v, http.StatusConflict, refused.Error())
	} else if err != nil {
		return err
	}
	if err := v.audit(register.ActRunCancelled, "run "+strconv.FormatInt(run.ID, 10), nil); err != nil {
		return err
	}
	return v.redirect(fmt.Sprintf("/runs/%d", run.ID))
}

// run is the run that the address names.
func (v *visit) run() (register.Run, error) {
	id, err := strconv.ParseInt(v.r.PathValue("run"), 10, 64)
	if err != nil || id < 1 {
		return register.Run{}, refuse(http.StatusNotFound, "no_run")
	}
	run, err := v.Register.Run(v.r.Context(), id)
	if errors.Is(err, register.ErrNoRun) {
		return run, refuse(http.StatusNotFound, "no_run")
	}
	return run, err
}

// runBody is one run with its steps and its log.
type runBody struct {
	Run    register.Run
	IsOver bool
	Log    string
}

func (s *Server) runShown(v *visit) error {
	run, err := v.run()
	if err != nil {
		return err
	}
	log, err := s.Acts.Log(run)
	if err != nil {
		return err
	}
	return v.show("run", runBody{run, run.State.IsOver(), log})
}

// stillThere is how often a quiet stream says that it is.
const stillThere = 15 * time.Second

// runEvents tells what a run says as it says it, as server-sent events. It
// ends with the run, or when the reader leaves.
func (s *Server) runEvents(v *visit) error {
	run, err := v.run()
	if err != nil {
		return err
	}
	control := http.NewResponseController(v.w)
	header := v.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("X-Accel-Buffering", "no")
	events := make(chan RunEvent)
	done := make(chan error, 1)
	ctx := v.r.Context()
	go func() {
		done <- s.Acts.Follow(ctx, run.ID, func(event RunEvent) error {
			select {
			case events <- event:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	write := func(text string) error {
		if err := control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
			return err
		}
		if _, err := fmt.Fprint(v.w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	quiet := time.NewTicker(stillThere)
	defer quiet.Stop()
	for {
		select {
		case event := <-events:
			if event.Step != "" {
				event.Step = v.words.say("progress." + event.Step)
			}
			text, err := json.Marshal(event)
			if err != nil || write("data: "+string(text)+"\n\n") != nil {
				return nil
			}
		case <-quiet.C:
			if write(": \n\n") != nil {
				return nil
			}
		case <-done:
			return nil // the browser asks again, and gets the end
		case <-ctx.Done():
			return nil
		}
	}
}
