package etl

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Here, and only here, a file is guessed at: a person reads the proposal and
// makes it a definition. No value of the file is printed.

// discoverRows is how many rows a proposal is made from.
const discoverRows = 1000

// Sample is the first rows of a table that nothing is known of.
type Sample struct {
	Name                       string // of the file or table
	Format                     string
	Encoding, Delimiter, Sheet string
	Rows                       [][]string
	Target                     string   // "" is guessed by the names
	Connect                    *Connect // of a table, in place of Format
}

// SampleFile reads the first rows of a CSV or a workbook.
func SampleFile(path, sheet string) (Sample, error) {
	s := Sample{Name: filepath.Base(path), Format: "csv"}
	if strings.EqualFold(filepath.Ext(path), ".xlsx") {
		s.Format = "xlsx"
		return s, s.readWorkbook(path, sheet)
	}
	if err := refuseNoCSV(path); err != nil {
		return s, err
	}
	scratch, err := os.MkdirTemp("", "tongbao-discover-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(scratch)
	plain, err := utf8File(path, filepath.Join(scratch, "utf8.csv"), "auto")
	if err != nil {
		return s, err
	}
	file, err := os.Open(plain)
	if err != nil {
		return s, err
	}
	defer file.Close()
	buffer := bufio.NewReaderSize(file, 1<<16)
	start, err := buffer.Peek(1 << 14)
	if err != nil && !errors.Is(err, io.EOF) {
		return s, err
	}
	s.Delimiter = guessDelimiter(string(start))
	reader := csv.NewReader(buffer)
	reader.Comma, reader.FieldsPerRecord, reader.LazyQuotes = []rune(s.Delimiter)[0], -1, true
	for len(s.Rows) < discoverRows {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			s.Rows = append(s.Rows, record)
		}
	}
	return s, nil
}

func (s *Sample) readWorkbook(path, sheet string) error {
	if err := refuseNoXLSX(path); err != nil {
		return err
	}
	book, err := excelize.OpenFile(path, excelize.Options{UnzipSizeLimit: MaxUnzipped})
	if err != nil {
		return &FileError{File: s.Name, What: "is no readable workbook: " + err.Error(), Do: "open it in Excel and save it again without a password"}
	}
	defer book.Close()
	sheets := book.GetSheetList()
	s.Sheet = sheet
	if sheet == "" && len(sheets) > 0 {
		s.Sheet = sheets[0]
	}
	rows, err := book.Rows(s.Sheet)
	if err != nil {
		return &FileError{File: s.Name, What: fmt.Sprintf("has no sheet %q; it has %s", s.Sheet, strings.Join(sheets, ", ")), Do: "name one with --sheet"}
	}
	defer rows.Close()
	for len(s.Rows) < discoverRows && rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return err
		}
		s.Rows = append(s.Rows, cells)
	}
	return rows.Error()
}

// guessDelimiter takes the sign that stands equally often in the first lines.
func guessDelimiter(start string) string {
	lines := strings.SplitN(start, "\n", 12)
	if len(lines) > 2 {
		lines = lines[:len(lines)-1]
	}
	best, most := ",", 0
	for _, sign := range []string{",", "\t", ";", "|"} {
		least := 1 << 30
		for _, line := range lines {
			if strings.TrimSpace(line) != "" {
				least = min(least, strings.Count(line, sign))
			}
		}
		if least < 1<<30 && least > most {
			best, most = sign, least
		}
	}
	return best
}

// synonym is how an existing definition reads a column of some name.
type synonym struct {
	target string
	column Column
}

func synonyms(definitions []Definition) map[string][]synonym {
	known := map[string][]synonym{}
	for _, d := range definitions {
		for _, c := range d.Columns {
			for _, name := range c.From {
				known[columnName(name)] = append(known[columnName(name)], synonym{d.Target, c})
			}
		}
	}
	return known
}

var (
	personalName = regexp.MustCompile(`姓名|来电人|报修人|用户|申请人|联系人|诉求人|反映人|投诉人|当事人|业主|电话|手机|号码|身份证|证件|地址|住址|门牌|房号|室号|(?i)phone|mobile|tel|caller|applicant|requester|address|id_?card`)
	doorName     = regexp.MustCompile(`门牌|房号|室号|(?i)door|room`)
	phoneText    = regexp.MustCompile(`^(\+?86)?[- ]?(1[3-9][0-9]([- ]?[0-9]){8}|0[0-9]{2,3}[-) ]?[0-9]{7,8})$`)
	cardText     = regexp.MustCompile(`^[1-9][0-9]{14}([0-9]{2}[0-9Xx])?$`)
	momentText   = regexp.MustCompile(`^(19|20)[0-9]{2}([-/.年])[0-9]{1,2}([-/.月])[0-9]{1,2}日?([ T]+[0-9]{1,2}[:时][0-9]{1,2}.*)?$|^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2} [0-9]{1,2}:[0-9]{2}$|^[0-9]{2}-[0-9]{2}-[0-9]{2}$`)
	numberForm   = regexp.MustCompile(`^[+-]?[0-9][0-9,]*(\.[0-9]+)?%?$`)
)

// proposed is what the sample says of one column.
type proposed struct {
	name, kind string
	isPersonal bool
	filled     int // percent
	isDistinct bool
	column     *Column
}

// Discover writes a definition for a sample, to be read and corrected by a
// person. Names that the existing definitions read are mapped as they do;
// what looks like personal data is masked or dropped.
func Discover(s Sample, source string, definitions []Definition) (string, error) {
	known := synonyms(definitions)
	head := 0
	if s.Connect == nil {
		head = guessHeader(s.Rows, known)
	}
	if head < 0 {
		return "", &FileError{File: s.Name, What: "has no row that could be a header", Do: "look into it, or name another sheet with --sheet"}
	}
	names, body := s.Rows[head], s.Rows[head+1:]
	target := s.Target
	switch {
	case target == "":
		target = guessTarget(names, known)
	case targets[target] == nil:
		return "", fmt.Errorf("target %q: want one of %s", target, strings.Join(targetNames(), ", "))
	}
	var columns []proposed
	made := map[string]bool{}
	for i, name := range names {
		if columnName(name) == "" {
			continue
		}
		p := look(columnName(name), i, body)
		for _, one := range known[p.name] {
			if one.target == target && !made[one.column.To] {
				column := one.column
				p.column = &column
				made[column.To] = column.To != ""
				break
			}
		}
		columns = append(columns, p)
	}
	if s.Connect != nil {
		s.proposeCursor(columns, made)
	}
	key, err := s.proposeKey(target, columns, made)
	if err != nil {
		return "", err
	}
	return s.write(source, target, key, columns, made), nil
}

// guessHeader is the row with the most known names, or the first one that is
// as wide as the table and has no number.
func guessHeader(rows [][]string, known map[string][]synonym) int {
	best, most, width := -1, 0, 0
	for _, row := range rows {
		width = max(width, countText(row))
	}
	for i, row := range rows[:min(len(rows), MaxHeaderRow)] {
		hits, isPlain := 0, true
		for _, cell := range row {
			if len(known[columnName(cell)]) > 0 {
				hits++
			}
			isPlain = isPlain && !numberForm.MatchString(strings.TrimSpace(cell)) && !momentText.MatchString(strings.TrimSpace(cell))
		}
		score := hits * 1000
		if isPlain && countText(row)*5 >= width*4 {
			score += countText(row)
		}
		if score > most {
			best, most = i, score
		}
	}
	return best
}

func countText(row []string) int {
	n := 0
	for _, cell := range row {
		if strings.TrimSpace(cell) != "" {
			n++
		}
	}
	return n
}

func guessTarget(names []string, known map[string][]synonym) string {
	hits := map[string]int{}
	for _, name := range names {
		seen := map[string]bool{}
		for _, one := range known[columnName(name)] {
			if !seen[one.target] {
				seen[one.target] = true
				hits[one.target]++
			}
		}
	}
	best := "ticket"
	for _, target := range targetNames() {
		if hits[target] > hits[best] {
			best = target
		}
	}
	return best
}

// look says what the values of a column look like.
func look(name string, at int, body [][]string) proposed {
	p := proposed{name: name, kind: "text"}
	var filled, moments, numbers, personal, long int
	seen := map[string]bool{}
	for _, row := range body {
		if at >= len(row) || strings.TrimSpace(row[at]) == "" {
			continue
		}
		filled++
		text := strings.TrimSpace(row[at])
		seen[text] = true
		switch {
		case phoneText.MatchString(text) || cardText.MatchString(text):
			personal++
		case momentText.MatchString(text):
			moments++
		case numberForm.MatchString(text):
			numbers++
		case utf8.RuneCountInString(text) > 12:
			long++
		}
	}
	if len(body) > 0 {
		p.filled = 100 * filled / len(body)
	}
	p.isDistinct = filled > 0 && len(seen) == len(body)
	switch {
	case filled == 0:
		p.kind = "empty"
	case moments*10 >= filled*9:
		p.kind = "moment"
	case numbers*10 >= filled*9:
		p.kind = "number"
	case long*2 >= filled:
		p.kind = "long text"
	}
	p.isPersonal = personalName.MatchString(name) || filled > 0 && personal*2 >= filled
	return p
}

func (s Sample) write(source, target, key string, columns []proposed, made map[string]bool) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# yaml-language-server: $schema=schema.json")
	line("# Proposed from %s; read every line, then try: tongbao sources test %s", s.Name, source)
	line("source: %s", source)
	if s.Connect != nil {
		line("name: %s", quoted(s.Name[strings.LastIndex(s.Name, ".")+1:]))
		line("target: %s", target)
		b.WriteString(s.connectLines())
	} else {
		line("name: %s", quoted(strings.TrimSuffix(s.Name, filepath.Ext(s.Name))))
		line("target: %s", target)
		line("files: %s", literal(filePattern(s.Name)))
		line("format: %s", s.Format)
	}
	if s.Delimiter != "" && s.Delimiter != "," {
		line("delimiter: %q", s.Delimiter)
	}
	if s.Sheet != "" {
		line("sheet: %s", quoted(s.Sheet))
	}
	line("key: %s", key)
	if when := factTime[target]; made[gridColumn] && made[when] {
		line("grid_date: %s", when)
	}
	line("columns:")
	for _, p := range columns {
		note := fmt.Sprintf("%s, %d %% filled", p.kind, p.filled)
		parts := []string{"from: " + quoted(p.name)}
		switch {
		case p.column != nil:
			parts = append(parts, columnKeys(*p.column)...)
			if p.column.To == "" {
				note += "; read and dropped"
			}
		case p.isPersonal && doorName.MatchString(p.name):
			note += "; personal: dropped. To count homes, give it a to with mask: hash_in_grid"
		case p.isPersonal:
			note += "; personal: dropped. To find duplicates, give it a to with mask: hash"
		case p.kind == "long text":
			note += "; not mapped. If you give it a to, add mask: scan"
		default:
			note += "; not mapped: give it a to, or leave the line out"
		}
		line("  - {%s} # %s", strings.Join(parts, ", "), note)
	}
	return b.String()
}

// columnKeys are the keys of a known column, without its from.
func columnKeys(c Column) []string {
	var keys []string
	add := func(name, value string) {
		if value != "" {
			keys = append(keys, name+": "+value)
		}
	}
	add("to", c.To)
	if c.Required {
		add("required", "true")
	}
	add("lookup", c.Lookup)
	if c.Default != "" {
		add("default", quoted(c.Default))
	}
	if len(c.Values) > 0 {
		var pairs []string
		for _, value := range sortedKeys(c.Values) {
			pairs = append(pairs, quoted(value)+": "+quoted(c.Values[value]))
		}
		add("values", "{"+strings.Join(pairs, ", ")+"}")
	}
	if c.DayEnd {
		add("day_end", "true")
	}
	add("mask", c.Mask)
	return keys
}

func firstKey(target string) string {
	for _, name := range sortedKeys(targets[target]) {
		if strings.HasSuffix(name, "_id") && name != "grid_id" && name != "staff_id" {
			return name
		}
	}
	return ""
}

var plainScalar = regexp.MustCompile(`^\p{Han}[\p{Han}A-Za-z0-9_]*$|^[A-Za-z_][\p{Han}A-Za-z0-9_]*$`)

// quoted writes a text as a YAML scalar.
func quoted(text string) string {
	reserved := []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
	if plainScalar.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	return literal(text)
}

var datePart = regexp.MustCompile(`[0-9]{8}`)

// filePattern makes of a name the pattern of its sisters: a day in it is the
// day of delivery.
func filePattern(name string) string {
	if at := datePart.FindStringIndex(name); at != nil {
		return "^" + regexp.QuoteMeta(name[:at[0]]) + `(?P<delivered>\d{8})` + regexp.QuoteMeta(name[at[1]:]) + "$"
	}
	return "^" + regexp.QuoteMeta(name) + "$"
}
