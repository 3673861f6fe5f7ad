package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"tongbao/register"
)

// homeBody is the first page: the newest bulletin, who leads, what moved, what
// is late.
type homeBody struct {
	Month              string
	Bulletin, Workbook string // addresses of the reader's own edition, "" if it is not there
	Facts              []fact
	Ranking            sheet
	Moved, Late        []string
}

// fact is a figure with its word.
type fact struct{ Word, Value, Class string }

func (s *Server) home(v *visit) error {
	of, err := v.published()
	if err != nil {
		return err
	}
	return v.print(of, "home", func() (any, error) {
		body := homeBody{Month: of.Month.String(), Facts: v.headline(of), Moved: v.moved(of), Late: v.late(of)}
		for _, file := range v.files(of) {
			if file.IsOwn && strings.HasSuffix(file.Name, ".html") {
				body.Bulletin = file.Path
			}
			if file.IsOwn && strings.HasSuffix(file.Name, ".xlsx") {
				body.Workbook = file.Path
			}
		}
		columns := []column{{Key: "place", Kind: rank}, {Key: "name", To: func(r row) string { return v.to("/unit/%s", r.Get("grid_id")) }},
			{Key: "total", Kind: score}, {Key: "place_change", Kind: moves}, {Key: "total_change", Kind: signed}}
		for _, line := range register.Lines() {
			columns = append(columns, column{Key: line, Kind: score, Heat: true})
		}
		body.Ranking = v.sheet("community", v.rows(of, "community"), append(columns, column{Key: "reason"})...)
		return body, nil
	})
}

// headline are the month's figures at a glance.
func (v *visit) headline(of *version) []fact {
	rows := v.rows(of, "heading")
	if len(rows) == 0 {
		return nil
	}
	heading := rows[0]
	facts := []fact{
		{v.words.say("home.first"), heading.Get("first_name") + " " + heading.Get("first_total"), ""},
		{v.words.say("home.last"), heading.Get("last_name") + " " + heading.Get("last_total"), ""},
		{v.words.say("home.tickets"), heading.Get("tickets_on_time") + " / " + heading.Get("tickets_due"), ""},
		{v.words.say("home.on_time"), heading.Get("on_time_rate") + "%", ""},
		{v.words.say("home.overdue"), heading.Get("tickets_overdue"), ""},
		{v.words.say("home.cutoff"), v.words.day(heading.Get("cutoff_date")), ""},
	}
	if own := where(v.rows(of, "community"), "grid_id", v.account.Unit); v.account.Unit != "" && len(own) == 1 {
		facts[0] = fact{own[0].Get("name"), own[0].Get("total"), ""}
		facts[1] = fact{v.words.column("place"), v.words.show(own[0].Get("place"), rank, own[0]), ""}
	}
	return facts
}

// moved says for each community that can be compared the main reason why its
// total moved, the greatest changes first.
func (v *visit) moved(of *version) []string {
	var said []string
	rows := where(v.rows(of, "move_top"), "level", "2", "turn", "1", "is_comparable", "true")
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(moveSize(b, "total_change"), moveSize(a, "total_change")) })
	for _, one := range rows {
		said = append(said, v.words.say("home.moved", one.Get("name"), sign(one.Get("total_change")),
			v.words.data(one.Get("line_name")), v.words.data(one.Get("indicator_name")), v.words.codes(one.Get("cause")), sign(one.Get("amount"))))
	}
	return said
}

// moveSize is how far a total moved by a column of its row, whichever way.
func moveSize(moved row, key string) float64 {
	change, _ := strconv.ParseFloat(moved.Get(key), 64)
	return math.Abs(change)
}

// late says what came late or has not come.
func (v *visit) late(of *version) []string {
	var said []string
	for _, one := range v.rows(of, "quality_note") {
		if kind := one.Get("kind"); strings.HasPrefix(kind, "late_") || kind == "source_late" || kind == "not_reported" {
			said = append(said, v.words.say("home.late", v.words.codes(kind), v.words.data(one.Get("subject")), one.Get("cases")))
		}
	}
	return said
}
