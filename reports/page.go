package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"strconv"

	"tongbao/templates"
)

// page is what bulletin.html shows.
type page struct {
	Title, Office, Issue, State, Rubric, Foot string
	Summary, Decisions                        [][]part
	Ranking                                   []rankRow
	Ticks                                     []tick
	HeatHead                                  []heatHead
	Charts                                    []pageChart
	Sheets                                    []pageSheet
	T                                         map[string]string // words
	Style                                     template.CSS
	Library, Script                           template.JS
	Data                                      template.JS // the charts' options
}

// rankRow is a community on the first page.
type rankRow struct {
	Place, Name, Total, Change, ChangeClass, Reason string
	Left                                            template.CSS // where the dot stands
	Heat                                            []heatCell
}

type tick struct {
	Label string
	Left  template.CSS
}

type heatHead struct{ Name, Weight string }

type heatCell struct {
	Text, Class string
}

type pageChart struct {
	ID, Title, Alt string
	Height         template.CSS
}

type pageSheet struct {
	ID, Title string
	Sections  []pageSection
}

type pageSection struct {
	ID, Title string
	Heads     []pageHead
	Rows      [][]pageCell
}

type pageHead struct {
	Key, Title string
	IsNumber   bool
}

// pageCell keeps the engine's own text beside what is shown, so that sorting
// and tests do not read formats.
type pageCell struct {
	Raw, Text, Class string
}

func (m *bulletin) page() ([]byte, error) {
	p := page{
		Title: m.text("title"), Office: m.text("office"), Issue: m.text("issue"), State: m.state(), Rubric: m.text("rubric"), Foot: m.text("foot"),
		Summary: m.summary(), Decisions: m.decisions(), T: m.words.Text,
	}
	p.Ranking, p.Ticks = m.rankRows()
	for _, line := range lines {
		p.HeatHead = append(p.HeatHead, heatHead{m.words.Columns[line], m.weight(line)})
	}
	list, err := m.charts()
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		p.Charts = append(p.Charts, pageChart{c.ID, m.words.Charts[c.ID], c.Alt, template.CSS(fmt.Sprintf("height:%dpx", c.Height))})
	}
	if p.Data, err = chartData(list); err != nil {
		return nil, err
	}
	for _, s := range m.Sheets {
		p.Sheets = append(p.Sheets, m.pageSheet(s))
	}
	return p.render()
}

// chartData is the options of all charts as JSON; the encoder escapes every
// "<", so no text of a delivery can end the block.
func chartData(list []chart) (template.JS, error) {
	type entry struct {
		ID      string          `json:"id"`
		Kind    string          `json:"kind"`
		Options json.RawMessage `json:"options"`
	}
	var entries []entry
	for _, c := range list {
		entries = append(entries, entry{c.ID, c.Kind, c.Options})
	}
	text, err := json.Marshal(map[string]any{"charts": entries, "heat": heatColors, "heatFloor": heatFloor,
		"ink": inkColor, "muted": mutedColor, "line": lineColor, "accent": accentColor, "blue": blueColor, "pale": paleColor, "good": goodColor})
	return template.JS(text), err
}

func (p page) render() ([]byte, error) {
	text := func(name string) (string, error) {
		content, err := fs.ReadFile(templates.FS, name)
		return string(content), err
	}
	css, err := text("bulletin.css")
	if err != nil {
		return nil, err
	}
	library, err := text("vendor/echarts.min.js")
	if err != nil {
		return nil, err
	}
	script, err := text("bulletin.js")
	if err != nil {
		return nil, err
	}
	p.Style, p.Library, p.Script = template.CSS(css), template.JS(library), template.JS(script)
	parsed, err := template.ParseFS(templates.FS, "bulletin.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, p); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (m *bulletin) weight(line string) string {
	for _, one := range m.tables["line_unit"] {
		if one["line"] == line {
			return one["weight"]
		}
	}
	return ""
}

// rankRows are the communities with a dot on a scale of five-point steps that
// holds all totals.
func (m *bulletin) rankRows() ([]rankRow, []tick) {
	low := 95.0
	for _, one := range m.tables["community"] {
		if total, err := strconv.ParseFloat(one["total"], 64); err == nil {
			low = math.Min(low, math.Floor(total/5)*5)
		}
	}
	const high = 100.0
	at := func(value float64) template.CSS {
		return template.CSS(fmt.Sprintf("left:%.2f%%", 100*(math.Min(value, high)-low)/(high-low)))
	}
	var ticks []tick
	step := 5.0
	if high-low > 30 {
		step = 10
	}
	for value := low; value <= high; value += step {
		ticks = append(ticks, tick{strconv.FormatFloat(value, 'f', -1, 64), at(value)})
	}
	var rows []rankRow
	for _, one := range m.tables["community"] {
		r := rankRow{
			Place: show(one["place"], rank, m.words, one), Name: one["name"], Total: one["total"], Reason: one["reason"],
			Change: show(one["place_change"], moves, m.words, one), ChangeClass: moveClass(one["place_change"]),
		}
		if one["is_provisional"] == "true" {
			r.Total += " " + m.words.Text["provisional"]
		}
		if total, err := strconv.ParseFloat(one["total"], 64); err == nil {
			r.Left = at(total)
		}
		for _, line := range lines {
			class := "missing"
			if value, err := strconv.ParseFloat(one[line], 64); err == nil {
				class = fmt.Sprintf("h%d", heatStep(value))
			}
			r.Heat = append(r.Heat, heatCell{show(one[line], score, m.words, one), class})
		}
		rows = append(rows, r)
	}
	return rows, ticks
}

func moveClass(change string) string {
	switch {
	case change == "" || change == "0":
		return "same"
	case change[0] == '-':
		return "worse"
	}
	return "better"
}

func (m *bulletin) pageSheet(s sheet) pageSheet {
	drawn := pageSheet{ID: s.ID, Title: m.words.Sheets[s.ID]}
	for _, section := range s.Sections {
		ps := pageSection{ID: s.ID + "-" + section.ID, Title: m.words.Sections[section.ID]}
		for _, c := range section.Columns {
			ps.Heads = append(ps.Heads, pageHead{c.Key, m.words.Columns[c.Key], isNumber(c.Kind)})
		}
		for _, one := range m.rows(section) {
			var cells []pageCell
			for _, c := range section.Columns {
				cells = append(cells, m.pageCell(c, one))
			}
			ps.Rows = append(ps.Rows, cells)
		}
		drawn.Sections = append(drawn.Sections, ps)
	}
	return drawn
}

func (m *bulletin) pageCell(c column, one row) pageCell {
	cell := pageCell{Raw: one[c.Key], Text: show(one[c.Key], c.Kind, m.words, one)}
	if isNumber(c.Kind) {
		cell.Class = "n"
	}
	switch {
	case c.Heat:
		if value, err := strconv.ParseFloat(one[c.Key], 64); err == nil {
			cell.Class += fmt.Sprintf(" h%d", heatStep(value))
		}
	case c.Kind == moves || c.Kind == signed:
		cell.Class += " " + moveClass(one[c.Key])
	}
	return cell
}

func isNumber(k kind) bool { return k != words && k != code && k != date }
