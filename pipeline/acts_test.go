package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tongbao/etl"
	"tongbao/register"
)

// TestActsAreNoJobs: an act is done where it was typed and when: nobody else
// is told that it failed, and it is not repeated by its number.
func TestActsAreNoJobs(t *testing.T) {
	h := &House{}
	for _, act := range []register.PlanStep{
		AliasAct(etl.Alias{Spelling: "a", Grid: "b"}), ExportAct("x.xlsx", etl.Waiting{}), ImportAct("x.xlsx"),
		ReplayAct("op", etl.Waiting{Source: "s"}), DismissAct("op", "twice", etl.Waiting{Row: 3}),
	} {
		run := register.Run{ID: 7, Trigger: register.ByHand, Plan: []register.PlanStep{act}, State: register.Failed, Error: "no"}
		var problem *Problem
		if _, err := Again(run); !errors.As(err, &problem) {
			t.Errorf("%s: again: got %v, want a refusal", act.Step, err)
		}
		if told := h.tellings(run, false); len(told) > 0 {
			t.Errorf("%s: it tells %+v", act.Step, told)
		}
		run.Plan = append(run.Plan, register.PlanStep{Step: "pull"})
		if told := h.tellings(run, false); len(told) != 1 {
			t.Errorf("%s and a pull: got %+v, want one telling", act.Step, told)
		}
	}
}

func TestActMistakes(t *testing.T) {
	h := &House{Workspace: Workspace{Dir: t.TempDir()}}
	for _, step := range []register.PlanStep{
		{Step: "nothing"}, {Step: actReplay}, {Step: actDismiss, Args: []string{"op"}}, {Step: actReplay, Args: []string{"op", "--state=open"}},
		{Step: actAlias, Args: []string{"a", "b", "soon", ""}},
	} {
		var problem *Problem
		if _, err := h.act(context.Background(), step, &Result{}, hearing{}); !errors.As(err, &problem) {
			t.Errorf("%+v: got %v, want an error of usage", step, err)
		}
	}
}

// TestExchange: only who may open the service's folder reaches a file in it,
// and what a killed asker left goes after a day.
func TestExchange(t *testing.T) {
	w := Workspace{Dir: t.TempDir()}
	var dirs []string
	for range 2 {
		name, err := w.Exchange()
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, filepath.Join(w.Dir, name))
	}
	if info, err := os.Stat(filepath.Dir(dirs[0])); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder above: got %v, %v; want mode 0700", info, err)
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(dirs[0], old, old); err != nil {
		t.Fatal(err)
	}
	if err := w.clearExchange(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(w.socketDir(), "*"))
	if err != nil || len(left) != 1 || left[0] != dirs[1] {
		t.Errorf("got %q left, %v; want %s", left, err, dirs[1])
	}
}
