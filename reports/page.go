package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"strings"

	"tongbao/templates"
)

// page is what templates/page shows.
type page struct {
	Lang, Title, Short, Edition, Own                string
	Office, Issue, State, Rubric, Foot, DecideTitle string
	Summary                                         [][]part
	Decisions                                       []decision
	HasDecisions                                    bool
	Units                                           []string // of the picker; none, no picker
	IsDense                                         bool     // closer rows keep the first page on one sheet
	Ranking                                         []rankRow
	Strip                                           []stripRow
	Ticks                                           []tick
	HeatHead                                        []heatHead
	Heat                                            []heatRow
	Fall                                            *fall
	Document                                        *document
	Charts                                          []chart
	HasDrill                                        bool
	Sheets                                          []pageSheet
	T                                               map[string]string // words
	Policy                                          string
	Style                                           template.CSS
	Library, Script                                 template.JS
	Data                                            template.JS // what the script draws
}

// So many communities fit the first printed page, and so many if their rows
// stand closer; of more, the scores begin the second page.
const (
	looseUnits = 9
	denseUnits = 13
)

func (m *bulletin) page() ([]byte, error) {
	edition := m.Options.Edition
	p := page{
		Lang: m.Options.Locale, Title: m.text("title"), Short: m.text("short"), Edition: m.words.Editions[string(edition)], Own: m.own().get("name"),
		Office: m.text("office"), Issue: m.text("issue"), State: m.state(), Rubric: m.text("rubric"), Foot: m.text("foot"),
		Summary: m.summary(), T: m.words.Text, DecideTitle: m.words.Text["decide"],
	}
	if edition == Unit {
		p.Strip, p.Ticks = m.stripRows()
		p.DecideTitle = m.words.Text["decide_own"]
	} else {
		p.Ranking, p.Ticks = m.rankRows()
		p.HeatHead, p.Heat = m.heatRows()
		for _, one := range m.tables["community"] {
			p.Units = append(p.Units, one.get("name"))
		}
	}
	p.IsDense = len(p.Units) > looseUnits && len(p.Units) <= denseUnits || m.Options.Locale == "en" // English takes more lines
	if edition != Public {
		p.Fall = m.fallBars()
	}
	if m.hasColumn("coordination", "subject") {
		p.HasDecisions, p.Decisions = true, m.decisionList()
	}
	var err error
	if p.Document, err = m.document(); err != nil {
		return nil, err
	}
	if p.Charts, err = m.charts(); err != nil {
		return nil, err
	}
	for _, s := range m.Sheets {
		p.Sheets = append(p.Sheets, m.pageSheet(s))
	}
	drill := m.drill()
	p.HasDrill = len(drill) > 0
	if p.Data, err = m.pageData(p.Charts, drill); err != nil {
		return nil, err
	}
	return p.render()
}

// pageData is what the script draws, as JSON; the encoder escapes every "<",
// so no text of a delivery can end the block.
func (m *bulletin) pageData(list []chart, drill []drillUnit) (template.JS, error) {
	text, err := json.Marshal(map[string]any{
		"lang": m.Options.Locale, "charts": list, "drill": drill, "own": m.own().get("name"),
		"words": map[string]string{
			"town": m.Options.Town, "unit": m.words.Text["unit"], "place": m.words.Text["place"], "total": m.words.Text["total"],
			"households": m.words.Columns["households"], "sort": m.words.Text["sort"], "open": m.words.Text["drill_open"], "unranked": m.words.Text["unranked"],
			"shown": m.words.Text["rows_shown"],
		},
		"look": map[string]any{"ink": inkColor, "muted": mutedColor, "line": lineColor, "grid": gridColor, "accent": accentColor, "blue": blueColor,
			"pale": paleColor, "good": goodColor, "series": seriesColors, "size": typeSizes[3]},
	})
	return template.JS(text), err
}

// render fills the templates. The page forbids everything but its own blocks,
// which it names by their hashes; Policy reads them back for the portal.
func (p page) render() ([]byte, error) {
	var read [3]string
	for i, name := range []string{"bulletin.css", "vendor/echarts.min.js", "bulletin.js"} {
		content, err := fs.ReadFile(templates.FS, name)
		if err != nil {
			return nil, err
		}
		read[i] = string(content)
	}
	style := templates.LookCSS() + read[0]
	p.Style, p.Library, p.Script = template.CSS(style), template.JS(read[1]), template.JS(read[2])
	p.Policy = "default-src 'none'; img-src data:; style-src " + hashOf(style) + "; script-src " + hashOf(read[1]) + " " + hashOf(read[2]) +
		"; base-uri 'none'; form-action 'none'"
	parsed, err := template.ParseFS(templates.FS, "page/*.html")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.ExecuteTemplate(&out, "bulletin.html", p); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func hashOf(block string) string {
	sum := sha256.Sum256([]byte(block))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Policy returns the Content-Security-Policy that a page carries, for a server
// that sends it as a header too.
func Policy(page []byte) (string, error) {
	const before = `http-equiv="Content-Security-Policy" content="`
	_, rest, found := strings.Cut(string(page[:min(len(page), 4096)]), before)
	policy, _, ends := strings.Cut(rest, `"`)
	if !found || !ends {
		return "", fmt.Errorf("the page carries no Content-Security-Policy")
	}
	return strings.NewReplacer("&#39;", "'", "&#43;", "+", "&amp;", "&").Replace(policy), nil
}
