package main

import (
	"database/sql"
	"fmt"

	"github.com/spf13/cobra"

	"tongbao/pipeline"
	"tongbao/warehouse"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look the workspace and this machine over, and say what to do",
		Long:  "Looks the workspace and this machine over; changes nothing. Exit code 1 if something is an error.",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			workspace, err := pipeline.FindWorkspace(a.dir)
			if err != nil {
				return err
			}
			rows, wrong := warehouse.Rows{Columns: []string{"check", "state", "found", "do"}}, 0
			for _, f := range workspace.Doctor(command.Context(), version, a.now()) {
				row := make([]sql.NullString, 0, 4)
				for _, cell := range []string{f.Check, f.State, f.Found, f.Do} {
					row = append(row, sql.NullString{String: cell, Valid: true})
				}
				rows.Cells = append(rows.Cells, row)
				if f.State == pipeline.DoctorError {
					wrong++
				}
			}
			if err := a.print(rows); err != nil {
				return err
			}
			if wrong > 0 {
				return fmt.Errorf("doctor: %d errors; do what the last column says", wrong)
			}
			return nil
		},
	}
}
