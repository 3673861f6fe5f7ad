package web

import (
	"net/http"
	"regexp"
	"strings"

	"tongbao/register"
)

// indicatorsBody is the list of all indicators of the rubric.
type indicatorsBody struct{ Method, Settings sheet }

// indicatorBody is one indicator: its rule in words and figures, the query
// that counts it, and what it came to.
type indicatorBody struct {
	Code, Name string
	Rule       []fact
	Letters    string // what the letters of its formula stand for
	SQL        string
	Results    sheet
	Areas      sheet
	Exclusions sheet
	Records    string
}

func (s *Server) indicators(v *visit) error {
	of, err := v.published()
	if err != nil {
		return err
	}
	return v.print(of, "indicators", func() (any, error) {
		to := func(r row) string { return v.to("/indicator/%s", r.Get("indicator")) }
		return indicatorsBody{
			Method: v.sheet("method", v.rows(of, "method"), column{Key: "line"}, column{Key: "indicator", To: to}, column{Key: "name", To: to}, column{Key: "points", Kind: score, Head: v.words.column("full_points")},
				column{Key: "rule", Kind: coded}, column{Key: "clause"}, column{Key: "cohort", Kind: coded}, column{Key: "levels"}, column{Key: "valid_from", Kind: date}),
			Settings: v.sheet("method_setting", v.rows(of, "method_setting"), column{Key: "item", Kind: coded}, column{Key: "value", Kind: coded}),
		}, nil
	})
}

// indicatorCode is the name of a query file, which the code is.
var indicatorCode = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)

func (s *Server) indicator(v *visit) error {
	code := strings.ToUpper(v.r.PathValue("code"))
	of, err := v.published()
	if err != nil {
		return err
	}
	rows := where(v.rows(of, "method"), "indicator", code)
	if !indicatorCode.MatchString(code) || len(rows) == 0 {
		return refuse(http.StatusNotFound, "no_indicator")
	}
	return v.print(of, "indicator", func() (any, error) {
		own := rows[0]
		body := indicatorBody{Code: code, Name: own.Get("name"), Rule: v.rule(own), Letters: v.words.Notes["method"]}
		var err error
		if body.SQL, err = of.query("indicator/" + strings.ToLower(code) + ".sql"); err != nil {
			return nil, err
		}
		codes := map[string]string{}
		for _, one := range v.rows(of, "community") {
			codes[one.Get("name")] = one.Get("grid_id")
		}
		figure := func(key string, code func(row) string) column {
			return column{Key: key, Kind: integer, To: v.toCounted(of, key, code)}
		}
		ofCommunity, ofArea := func(r row) string { return codes[r.Get("name")] }, func(r row) string { return r.Get("grid_id") }
		body.Results = v.sheetOf(of, "line_points", v.words.Sections["line_points"], where(v.rows(of, "line_points"), "indicator", code), []column{
			{Key: "name", To: func(r row) string { return v.to("/unit/%s", ofCommunity(r)) }}, figure("numerator", ofCommunity), figure("denominator", ofCommunity),
			{Key: "n", Kind: integer}, {Key: "points", Kind: score}, {Key: "full_points", Kind: score}, {Key: "lost", Kind: score}, {Key: "state", Kind: coded}})
		body.Areas = v.sheetOf(of, "long", v.words.Sections["long_area"], where(v.rows(of, "long"), "indicator", code, "level", "3"), []column{
			{Key: "name", To: func(r row) string { return v.to("/unit/%s", ofArea(r)) }}, figure("own_numerator", ofArea), figure("own_denominator", ofArea),
			figure("numerator", ofArea), figure("denominator", ofArea), {Key: "n", Kind: integer}, {Key: "points", Kind: score}, {Key: "state", Kind: coded}})
		body.Exclusions = v.exclusions(of, where(v.rows(of, "exclusion"), "indicator", code))
		if v.may(register.DoorRecords) {
			body.Records = v.to("/records?indicator=%s", code)
		}
		return body, nil
	})
}

// rule is the indicator's row of the rubric in words.
func (v *visit) rule(own row) []fact {
	var facts []fact
	for _, one := range []column{{Key: "line"}, {Key: "points", Kind: score}, {Key: "rule", Kind: coded}, {Key: "formula"}, {Key: "clause"}, {Key: "steps"}, {Key: "cap"},
		{Key: "min_cases", Kind: integer}, {Key: "cohort", Kind: coded}, {Key: "levels"}, {Key: "paired_with"}, {Key: "valid_from", Kind: date}} {
		if value := own.Get(one.Key); value != "" {
			word := v.words.column(one.Key)
			if own, found := v.words.text["rule."+one.Key]; found {
				word = own
			}
			facts = append(facts, fact{word, v.words.show(value, one.Kind, own), ""})
		}
	}
	return facts
}

func (v *visit) exclusions(of *version, rows []row) sheet {
	return v.sheet("exclusion", rows, column{Key: "community"}, column{Key: "line", Kind: coded}, column{Key: "record", Head: v.words.say("records.record")}, column{Key: "grid_id"}, column{Key: "indicator"},
		column{Key: "reason", Kind: coded, Head: v.words.say("records.reason")}, column{Key: "evidence"}, column{Key: "decided_by", Kind: coded}, column{Key: "decided_at", Kind: date}, column{Key: "approved_by"},
		column{Key: "source", Kind: coded}, column{Key: "file"}, column{Key: "row_no", Kind: integer})
}
