package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tongbao"
	"tongbao/pipeline"
	"tongbao/reports"
)

func (a *app) reportCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "report",
		Short: "Draw an edition of a month again, page and workbook, without computing",
		Long: `Draws an edition from a published version, or with --build from a build, and computes nothing.
Editions: leaders, taskforce, statisticians, unit (with --unit), public, or all of them.`,
		Args: cobra.NoArgs,
	}
	flags := command.Flags()
	month := flags.String("month", "", "published month as 2026-10 (default: the newest)")
	build := flags.String("build", "", "a build of the month as 0003, instead of its published version")
	out := flags.String("out", ".", "folder to write into")
	var edition pipeline.Edition
	flags.StringVar(&edition.Edition, "edition", string(reports.Leaders), "leaders, taskforce, statisticians, unit, public or all")
	flags.StringVar(&edition.Unit, "unit", "", "code of the community, for the edition unit")
	flags.StringVar(&edition.Locale, "locale", reports.DefaultLocale, strings.Join(reports.Locales(), ", "))
	command.RunE = func(command *cobra.Command, _ []string) error {
		dir, of, err := a.drawn(*month, *build)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(*out, 0o755); err != nil {
			return err
		}
		files, err := pipeline.Redraw(command.Context(), a.dir, dir, of, edition, *out)
		for _, file := range files {
			fmt.Fprintln(a.stdout, file)
		}
		return err
	}
	return command
}

// drawn finds the folder to draw from: a version, or a build where one is named.
func (a *app) drawn(monthFlag, build string) (dir string, of tongbao.Month, err error) {
	workspace, err := pipeline.FindWorkspace(a.dir)
	if err != nil {
		return "", 0, err
	}
	if monthFlag == "" && build != "" {
		return "", 0, &usageError{fmt.Errorf("--build %s: say of which month with --month", build)}
	}
	if monthFlag != "" {
		if of, err = a.month(monthFlag); err != nil {
			return "", 0, err
		}
	}
	if build == "" {
		return workspace.Current(of)
	}
	dir, err = workspace.BuildDir(of, build)
	return dir, of, err
}
