package etl

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Here, and only here, a file is guessed at: a person reads the proposal and
// makes it a definition. No value of the file is printed.

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
	if !s.namesItsColumns() {
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
