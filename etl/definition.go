package etl

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Windows has no names of zones
)

// formats are the kinds of files; each is one file of this package.
var formats = []string{"csv", "xlsx", "parquet", "jsonl"}

// Definition is data/sources/<source>.yaml: where a source's deliveries are,
// what they look like, and what each column becomes.
type Definition struct {
	Source string `yaml:"source" doc:"name of the source, the file's own name"`
	Name   string `yaml:"name" doc:"what people call it"`
	Target string `yaml:"target" doc:"the fact that its rows are: ticket, exclusion, repair, fund_entry, plan, activity, return, event"`
	// Files matches the names of its deliveries in the inbox. The group
	// "delivered" (20261103) gives the day of delivery, "month" (2026-10) and
	// "line" what the whole file is about.
	Files     string   `yaml:"files,omitempty" doc:"needed without connect: regular expression of file names; groups delivered, month and line are read from the name"`
	Format    string   `yaml:"format,omitempty" doc:"needed without connect: csv, xlsx, parquet or jsonl (a JSON object a line)"`
	Encoding  string   `yaml:"encoding,omitempty" doc:"auto (UTF-8, UTF-16 with its mark, else GB18030), utf-8, gb18030, gbk, utf-16 or cp950; auto if absent"`
	Delimiter string   `yaml:"delimiter,omitempty" doc:"one character; a comma if absent"`
	Sheet     string   `yaml:"sheet,omitempty" doc:"name of the sheet; the first visible one if absent"`
	Sheets    string   `yaml:"sheets,omitempty" doc:"instead of sheet: regular expression of the names of the visible sheets to read; .* is all"`
	Timezone  string   `yaml:"timezone,omitempty" doc:"zone whose clocks tell the time of a moment with an offset from UTC; Asia/Shanghai if absent"`
	Skip      *Skip    `yaml:"skip,omitempty" doc:"rows that are no data: totals and notes"`
	Key       []string `yaml:"key" doc:"target columns that make the source's own id"`
	GridDate  string   `yaml:"grid_date,omitempty" doc:"target column whose day decides which spelling of a grid was valid"`
	// Order lists target columns in the order in which their moments happen.
	Order   [][]string `yaml:"order,omitempty" doc:"pairs of target columns: the second never lies before the first"`
	Columns []Column   `yaml:"columns" doc:"what each column becomes"`
	// Connect takes the place of Files and Format.
	Connect  *Connect `yaml:"connect,omitempty" doc:"instead of files: the server that the source is fetched from"`
	Snapshot bool     `yaml:"snapshot,omitempty" doc:"a delivery is the full set: rows that it lacks are deleted; of a source with a cursor, a full fetch is"`
	Shrink   int      `yaml:"shrink,omitempty" doc:"percent of the held rows that a full set may lack before it is refused; 20 if absent"`
	Due      *Due     `yaml:"due,omitempty" doc:"when its delivery is late: 3rd working day (of the month after the one assessed), or at most 26 hours old"`
	// What is done with a delivery that is not as agreed; contract.go.
	OnUnknown   string `yaml:"on_unknown,omitempty" doc:"a column that the definition does not name: evolve (taken without it, and noted; if absent), freeze (the delivery is refused), discard_column (left out without a note), quarantine (all rows of the delivery wait)"`
	OnMissing   string `yaml:"on_missing,omitempty" doc:"a column that is not there and not required: evolve, freeze, discard_column or quarantine, as on_unknown"`
	OnBad       string `yaml:"on_bad,omitempty" doc:"a row that cannot be taken: quarantine (it waits, the others are loaded; if absent) or fail (one bad row refuses the delivery)"`
	MaxBadShare *int   `yaml:"max_bad_share,omitempty" doc:"percent of a delivery's rows that may be bad; above it nothing of it is loaded; if absent 50, for deliveries of 20 rows and more"`

	file    string
	hash    string
	pattern *regexp.Regexp
	sheets  *regexp.Regexp // nil without Sheets
}

// Due says from when on a source is late. One text is a warning; Error is a
// second, graver level.
type Due struct {
	Warn  string `yaml:"warn,omitempty" doc:"late from then on: 3rd working day, or at most 26 hours old"`
	Error string `yaml:"error,omitempty" doc:"gravely late from then on, in the same words"`
}

// UnmarshalYAML accepts one text as the warning.
func (d *Due) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&d.Warn); err == nil {
		return nil
	}
	type plain Due
	return decode((*plain)(d))
}

// Skip recognises rows that are no data.
type Skip struct {
	Column  string `yaml:"column" doc:"source column that tells"`
	Matches string `yaml:"matches" doc:"regular expression of its whole trimmed text"`
}

// Column maps one source column to a target column.
type Column struct {
	From     Names             `yaml:"from,omitempty" doc:"source column; several names are alternatives, the first that is there counts; group/name under a merged header; a.b within a JSON object; @sheet is the name of the sheet"`
	And      string            `yaml:"and,omitempty" doc:"a second source column appended after a space: a date and its time"`
	Capture  string            `yaml:"capture,omitempty" doc:"instead of from: a group of the file name"`
	To       string            `yaml:"to,omitempty" doc:"target column; grid resolves a name to grid_id and grid_name; absent: read and dropped"`
	Required bool              `yaml:"required,omitempty" doc:"a row without it goes to quarantine, a file without the column is refused"`
	Values   map[string]string `yaml:"values,omitempty" doc:"accepted values and what they become; any other goes to quarantine"`
	Lookup   string            `yaml:"lookup,omitempty" doc:"category: by name of seed.category; severity: by word of seed.severity; indicator: an id of the rubric; lower: in lower case"`
	Default  string            `yaml:"default,omitempty" doc:"what an empty cell becomes"`
	Formats  []string          `yaml:"formats,omitempty" doc:"forms of a date besides the usual ones, in strptime words"`
	DayEnd   bool              `yaml:"day_end,omitempty" doc:"a date without a time of day means its last second, not its first"`
	Extract  string            `yaml:"extract,omitempty" doc:"regular expression; its first group is the value"`
	Unique   bool              `yaml:"unique,omitempty" doc:"rows of one delivery that share a value go to quarantine, all of them, and so does a row whose value a loaded row with another key has"`
	Range    Range             `yaml:"range,omitempty" doc:"[least, most] of a number, day or moment, ~ for no bound; any other goes to quarantine"`
	Pattern  string            `yaml:"pattern,omitempty" doc:"regular expression that the whole text must match, else the row goes to quarantine"`
	Mask     string            `yaml:"mask,omitempty" doc:"hash: a salted hash instead of the value; hash_in_grid: of the grid and the value, for doors and homes; scan: phones, id numbers and rooms in a text are starred"`
}

// Names is one name or a list of alternatives.
type Names []string

// UnmarshalYAML accepts a scalar as a list of one.
func (n *Names) UnmarshalYAML(decode func(any) error) error {
	var one string
	if err := decode(&one); err == nil {
		*n = Names{one}
		return nil
	}
	var several []string
	if err := decode(&several); err != nil {
		return err
	}
	*n = several
	return nil
}

var (
	masks   = []string{"hash", "hash_in_grid", "scan"}
	lookups = []string{"category", "severity", "indicator", "lower"}
)

// gridColumn is the target name that stands for grid_id and grid_name.
const gridColumn = "grid"

// ReadDefinitions reads and checks all *.yaml of a folder, by name.
func ReadDefinitions(dir string) ([]Definition, error) {
	files := os.DirFS(dir)
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var definitions []Definition
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		definition, err := ParseDefinition(dir+"/"+name, content)
		if err != nil {
			return nil, err
		}
		if definition.Source != strings.TrimSuffix(name, ".yaml") {
			return nil, fmt.Errorf("%s/%s: source: %q: want the file's own name", dir, name, definition.Source)
		}
		definitions = append(definitions, definition)
	}
	return definitions, nil
}

// ParseDefinition reads and checks one definition.
func ParseDefinition(file string, content []byte) (Definition, error) {
	var d Definition
	if err := DecodeYAML(file, content, &d); err != nil {
		return d, err
	}
	sum := sha256.Sum256(content)
	d.file, d.hash = file, hex.EncodeToString(sum[:])[:16]
	if d.Encoding == "" {
		d.Encoding = "auto"
	}
	if d.Delimiter == "" {
		d.Delimiter = ","
	}
	if d.Timezone == "" {
		d.Timezone = "Asia/Shanghai"
	}
	var err error
	if d.pattern, err = regexp.Compile(d.Files); err != nil {
		return d, fmt.Errorf("%s: files: %w", file, err)
	}
	if d.Sheets != "" {
		if d.sheets, err = regexp.Compile("^(?:" + d.Sheets + ")$"); err != nil {
			return d, fmt.Errorf("%s: sheets: %w", file, err)
		}
	}
	for _, check := range []error{d.checkShape(), d.checkColumns(), d.checkContract()} {
		if check != nil {
			return d, fmt.Errorf("%s: %w", file, check)
		}
	}
	return d, nil
}

func (d *Definition) checkShape() error {
	switch {
	case d.Source == "":
		return fmt.Errorf("source is missing")
	case targets[d.Target] == nil:
		return fmt.Errorf("target: %q: want one of %s", d.Target, strings.Join(targetNames(), ", "))
	case (d.Files == "") == (d.Connect == nil):
		return fmt.Errorf("want either files or connect")
	case d.Connect != nil && d.Format != "":
		return fmt.Errorf("format: what is fetched has none")
	case d.Shrink < 0 || d.Shrink > 100:
		return fmt.Errorf("shrink: %d: want 0 to 100 percent", d.Shrink)
	case d.Connect == nil && !slices.Contains(formats, d.Format):
		return fmt.Errorf("format: %q: want one of %s", d.Format, strings.Join(formats, ", "))
	case d.Sheet != "" && d.Sheets != "":
		return fmt.Errorf("want either sheet or sheets")
	case !slices.Contains(encodings, d.Encoding):
		return fmt.Errorf("encoding: %q: want one of %s", d.Encoding, strings.Join(encodings, ", "))
	case len([]rune(d.Delimiter)) != 1 || d.Delimiter == `"` || d.Delimiter == "\n":
		return fmt.Errorf("delimiter: %q: want one character", d.Delimiter)
	case len(d.Key) == 0:
		return fmt.Errorf("key is missing: the target columns that make the source's own id")
	case len(d.Columns) == 0 || len(d.Columns) > MaxColumns:
		return fmt.Errorf("columns: want 1 to %d", MaxColumns)
	}
	zone, err := time.LoadLocation(d.Timezone)
	if err != nil {
		return fmt.Errorf("timezone: %q: want a name such as Asia/Shanghai", d.Timezone)
	}
	if d.Connect != nil {
		d.Connect.zone = zone
		if err := d.Connect.check(); err != nil {
			return err
		}
	}
	for _, pair := range d.Order {
		// Not arrays of two: the YAML library panics on a third element.
		if len(pair) != 2 {
			return fmt.Errorf("order: %v: want pairs of target columns", pair)
		}
	}
	if d.Skip != nil {
		if _, err := regexp.Compile(d.Skip.Matches); err != nil {
			return fmt.Errorf("skip.matches: %w", err)
		}
		if !slices.ContainsFunc(d.Columns, func(c Column) bool { return slices.Contains(c.From, d.Skip.Column) }) {
			return fmt.Errorf("skip.column: %q is not among the columns", d.Skip.Column)
		}
	}
	return nil
}

func (d *Definition) checkColumns() error {
	known := targets[d.Target]
	made := map[string]bool{}
	for i, c := range d.Columns {
		where := fmt.Sprintf("columns[%d] (%s)", i, strings.Join(c.From, "|")+c.Capture)
		if (len(c.From) == 0) == (c.Capture == "") {
			return fmt.Errorf("%s: want either from or capture", where)
		}
		if slices.Contains(c.From, sheetSource) && d.Format != "xlsx" {
			return fmt.Errorf("%s: only a workbook has sheets", where)
		}
		if c.Capture != "" && d.pattern.SubexpIndex(c.Capture) < 0 {
			return fmt.Errorf("%s: files has no group %q", where, c.Capture)
		}
		if _, isColumn := known[c.To]; !isColumn && c.To != "" && !(c.To == gridColumn && known["grid_id"] != "") {
			return fmt.Errorf("%s: to: %q is no column of %s; nearest: %s", where, c.To, d.Target, nearest(c.To, sortedKeys(known)))
		}
		if c.To != "" && made[c.To] {
			return fmt.Errorf("%s: to: %q is made twice", where, c.To)
		}
		made[c.To] = true
		if c.Mask != "" && !slices.Contains(masks, c.Mask) {
			return fmt.Errorf("%s: mask: %q: want one of %s", where, c.Mask, strings.Join(masks, ", "))
		}
		if c.Lookup != "" && !slices.Contains(lookups, c.Lookup) {
			return fmt.Errorf("%s: lookup: %q: want one of %s", where, c.Lookup, strings.Join(lookups, ", "))
		}
		if c.Extract != "" {
			if _, err := regexp.Compile(c.Extract); err != nil {
				return fmt.Errorf("%s: extract: %w", where, err)
			}
		}
	}
	needed := slices.Clone(d.Key)
	if d.GridDate != "" {
		needed = append(needed, d.GridDate)
	}
	for _, pair := range d.Order {
		needed = append(needed, pair[0], pair[1])
	}
	for _, name := range needed {
		if !made[name] && !(name == "grid_id" && made[gridColumn]) {
			return fmt.Errorf("%q (of key, grid_date or order) is made by no column", name)
		}
	}
	return nil
}
