package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tongbao"
	"tongbao/register"
	"tongbao/warehouse"
)

// Quarantine lists the rows that could not be taken in, or counts them by
// source and reason; source and reason narrow the list, "" does not.
func (h *House) Quarantine(ctx context.Context, source, reason string, counts bool) (warehouse.Rows, error) {
	where := "where ('' = " + quote(source) + " or source = " + quote(source) + ")" +
		" and ('' = " + quote(reason) + " or reason = " + quote(reason) + ")"
	if counts {
		return h.db.Rows(ctx, "select source, reason, count(*) as rows from core.quarantine "+where+
			" group by all order by all")
	}
	return h.db.Rows(ctx, `select file, sheet, row_no as row, column_name as "column", value, reason, detail
		from core.quarantine `+where+` order by file, sheet, row_no, column_name`)
}

// quote writes a text as an SQL literal.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// Status has one row a month: what was taken in for it, and what it became.
func (h *House) Status(ctx context.Context) (warehouse.Rows, error) {
	rows, err := h.db.Rows(ctx, `with loads as (
			select date_trunc('month', earliest_month)::date as month, count(*) as loads,
				sum(rows_in) as rows_in, sum(rows_loaded) as rows_loaded,
				sum(rows_duplicate) as rows_duplicate, sum(rows_quarantined) as rows_quarantined
			from core.load group by all
		), months as (
			select month from meta.built union select month from loads where month is not null
		)
		select strftime(months.month, '%Y-%m') as month, loads.* exclude (month),
			coalesce((select max(rubric_version) from core.month_info as info where info.month = months.month), '') as rubric,
			built.month is not null as computed, '' as published
		from months
		left join loads using (month)
		left join meta.built as built using (month)
		order by months.month`)
	if err != nil {
		return rows, err
	}
	for _, row := range rows.Cells {
		month, err := tongbao.ParseMonth(row[0].String)
		if err != nil {
			return rows, err
		}
		if dir, _, err := h.Current(month); err == nil {
			row[len(row)-1].String = filepath.Base(dir)
		}
	}
	return rows, nil
}

// History reads runs beside whoever works in the workspace.
func (w Workspace) History(ctx context.Context, filter register.RunFilter) ([]register.Run, error) {
	reg, err := register.Open(ctx, w.path("register.db"))
	if err != nil {
		return nil, err
	}
	defer reg.Close()
	if filter.ID == 0 {
		return reg.Runs(ctx, filter)
	}
	run, err := reg.Run(ctx, filter.ID)
	if errors.Is(err, register.ErrNoRun) {
		return nil, &Problem{err}
	}
	return []register.Run{run}, err
}

// RunLog reads the log that is kept with a run, "" if there is none.
func (w Workspace) RunLog(run register.Run) (string, error) {
	text, err := os.ReadFile(w.runFile(run, "log"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// Served says which process serves the workspace, and since when.
func (w Workspace) Served(ctx context.Context) (pid int, since time.Time, isServed bool) {
	if _, err := w.Dial(ctx); err != nil {
		return 0, time.Time{}, false
	}
	var who holder
	_ = readJSON(w.path(".lock.json"), &who) // the service answers; who it is matters less
	return who.PID, who.Since, true
}

// JobStatus has one row a job: when it is due next and how its last run went.
func (w Workspace) JobStatus(ctx context.Context, now time.Time) (warehouse.Rows, error) {
	rows := warehouse.Rows{Columns: []string{"job", "when", "next_due", "last_run", "last_state", "last_ended", "queued"}}
	jobs, err := w.jobs(now)
	if err != nil {
		return rows, err
	}
	reg, err := register.Open(ctx, w.path("register.db"))
	if err != nil {
		return rows, err
	}
	defer reg.Close()
	for _, job := range jobs {
		next := job.table.next(now)
		cells := []string{job.Name, job.when(), next.Format("2006-01-02 15:04 MST"), "", "", "", "0"}
		last, err := reg.Runs(ctx, register.RunFilter{Job: job.Name, Limit: 1})
		if err != nil {
			return rows, err
		}
		for _, run := range last {
			cells[3], cells[4] = strconv.FormatInt(run.ID, 10), string(run.State)
			if run.State.IsOver() {
				cells[5] = run.Ended.In(job.zone).Format("2006-01-02 15:04 MST")
			}
		}
		queued, err := reg.Runs(ctx, register.RunFilter{Job: job.Name, States: []register.RunState{register.Queued}})
		if err != nil {
			return rows, err
		}
		cells[6] = strconv.Itoa(len(queued))
		row := make([]sql.NullString, len(cells))
		for i, cell := range cells {
			row[i] = sql.NullString{String: cell, Valid: cell != ""}
		}
		rows.Cells = append(rows.Cells, row)
	}
	return rows, nil
}
