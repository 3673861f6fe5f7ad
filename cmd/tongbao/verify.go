package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"tongbao/warehouse"
)

// verifyCommand is what a run starts on a file before it is published.
func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "verify FILE",
		Short:  "Read a published DuckDB file through",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return warehouse.Verify(command.Context(), args[0])
		},
	}
}

// verifyInChild runs "tongbao verify" in a process of its own: the engine
// keeps an instance of every path that a process has opened.
func verifyInChild(ctx context.Context, path string) error {
	self, err := ownPath()
	if err != nil {
		return err
	}
	child := exec.CommandContext(ctx, self, "verify", path)
	child.Stdin = strings.NewReader("") // not /dev/null, which a bare root has not
	output, err := child.CombinedOutput()
	if err != nil {
		return fmt.Errorf("verify %s: %w: %s", path, err, strings.TrimSpace(string(output)))
	}
	return nil
}
