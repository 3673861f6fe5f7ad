package web

import (
	"time"

	"tongbao/register"
)

// listBody is a page of tables and nothing else.
type listBody struct {
	Title  string // key of its heading
	Sheets []sheet
	Late   []lateSource
}

// lateSource is a source whose delivery is due and has not come.
type lateSource struct {
	Name  string
	DueAt time.Time
}

// staff is the ranking of grid members, by code.
func (s *Server) staff(v *visit) error {
	return v.list("staff", func(of *version) []sheet {
		return []sheet{v.sheet("staff", v.rows(of, "staff"), column{Key: "place", Kind: rank}, column{Key: "code"}, column{Key: "community"}, column{Key: "total", Kind: score, Heat: true},
			column{Key: "st1", Kind: score}, column{Key: "st1_n"}, column{Key: "st2", Kind: score}, column{Key: "st2_n"}, column{Key: "st3", Kind: score}, column{Key: "st3_n"},
			column{Key: "st4", Kind: score}, column{Key: "st4_n"}, column{Key: "place_change", Kind: moves}, column{Key: "unranked", Kind: coded})}
	})
}

// coordination is what the monthly meeting decides.
func (s *Server) coordination(v *visit) error {
	return v.list("coordination", func(of *version) []sheet {
		return []sheet{
			v.sheet("coordination", v.rows(of, "coordination"), column{Key: "kind", Kind: coded}, column{Key: "community"}, column{Key: "line"}, column{Key: "subject"},
				column{Key: "cases", Kind: integer}, column{Key: "until", Kind: date}),
			v.sheet("site", v.rows(of, "site"), column{Key: "site"}, column{Key: "topics"}, column{Key: "reported", Kind: integer}, column{Key: "unsettled", Kind: integer}),
		}
	})
}

func (v *visit) list(title string, sheets func(*version) []sheet) error {
	of, err := v.published()
	if err != nil {
		return err
	}
	return v.print(of, "list", func() (any, error) {
		body := listBody{Title: title}
		for _, one := range sheets(of) {
			if len(one.Heads) > 0 {
				body.Sheets = append(body.Sheets, one)
			}
		}
		return body, nil
	})
}

// health says what the month's figures rest on: loads, reconciliation,
// quarantine, what was late, and what is late now.
func (s *Server) health(v *visit) error {
	of, err := v.published()
	if err != nil {
		return err
	}
	body := listBody{Title: "health", Sheets: []sheet{
		v.sheet("quality_load", v.rows(of, "quality_load"), column{Key: "name", Kind: coded}, column{Key: "loads", Kind: integer}, column{Key: "last_delivered", Kind: date},
			column{Key: "rows_in", Kind: integer}, column{Key: "rows_current", Kind: integer}, column{Key: "rows_superseded", Kind: integer}, column{Key: "rows_quarantined", Kind: integer}),
		v.sheet("quality_note", v.rows(of, "quality_note"), column{Key: "kind", Kind: coded}, column{Key: "subject"}, column{Key: "cases", Kind: integer}),
		v.sheet("quality_quarantine", v.rows(of, "quality_quarantine"), column{Key: "name", Kind: coded}, column{Key: "column_name"}, column{Key: "reason", Kind: coded},
			column{Key: "cases", Kind: integer}, column{Key: "example_file"}, column{Key: "example_row", Kind: integer}),
	}}
	if v.sees("correction", "name") {
		body.Sheets = append(body.Sheets, v.sheet("correction", v.rows(of, "correction"), column{Key: "of_month", Kind: month}, column{Key: "name", Kind: coded},
			column{Key: "rows_new", Kind: integer}, column{Key: "rows_again", Kind: integer}, column{Key: "last_delivered", Kind: date}))
	}
	runs, err := s.Register.Runs(v.r.Context(), register.RunFilter{States: []register.RunState{register.Done, register.Failed}, Limit: 1})
	if err != nil {
		return err
	}
	for _, run := range runs {
		for _, late := range run.Late {
			body.Late = append(body.Late, lateSource{late.Name, late.DueAt})
		}
	}
	return v.showFresh(of, "list", body)
}
