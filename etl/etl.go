// Package etl takes deliveries in: it finds the files of each source, keeps
// them untouched, decodes them strictly, finds the header, types and maps the
// columns as the source definition says, masks personal data, resolves grids
// by their dated aliases, puts what cannot be taken into quarantine, and merges
// the rest into core by key. It does not know what is done with its data.
//
// A kind of source is one file here that turns a delivery into a stage: rows of
// text with their row numbers (csv.go, xlsx.go). Everything after the stage is
// the same SQL for all kinds (typed.go, load.go).
package etl

import (
	"fmt"
	"strings"
	"time"

	"tongbao"
)

// Limits of what is read from outside; each is named in the message that
// enforces it. They are far above what a town delivers, and low enough that a
// hostile file ends in a message and not in a full disk or memory.
const (
	MaxColumns     = 256         // of a table
	MaxFieldBytes  = 1 << 20     // of one field or cell
	MaxRecordBytes = 4 << 20     // of one record of a CSV or line of JSON
	MaxHeaderRow   = 30          // the header is looked for in so many first rows
	MaxRows        = 200_000_000 // of one delivery
	MaxSheetRows   = 1_048_576   // of one sheet, as Excel has it
	MaxCells       = 20_000_000  // of one workbook, those with text
	MaxSharedText  = 256 << 20   // of a workbook's shared texts, which are held in memory
	MaxUnzipped    = 1 << 30     // of a workbook's or an archive's parts together
	MaxUnzipRatio  = 100         // unpacked to packed, from MinBomb on
	MinBomb        = 16 << 20    // what unpacks to less is no bomb
	MaxMembers     = 1000        // of an archive
	MaxDepth       = 8           // of objects within objects in JSON and XML
)

// SettleTime is how long a file of the inbox must have been left alone before
// it is taken to be whole.
const SettleTime = time.Second

// FileError says why a whole delivery could not be taken. Nothing of it was
// loaded; it is tried again by the next pull.
type FileError struct {
	Source string
	File   string
	Where  string // sheet, row, column or byte, "" if the file as a whole
	What   string // what is wrong
	Do     string // what to do next

	tried string // what was wrong when it was tried before, "" if it was not
}

func (e *FileError) Error() string {
	var text strings.Builder
	text.WriteString(e.File)
	if e.Where != "" {
		text.WriteString(", " + e.Where)
	}
	text.WriteString(": " + e.What)
	if e.Do != "" {
		text.WriteString("; " + e.Do)
	}
	return text.String()
}

// Load is one delivery taken in; In = Loaded + Duplicate + Quarantined.
type Load struct {
	ID, Source, Target, File, SHA256   string
	Bytes                              int64
	DeliveredAt                        time.Time
	Month                              tongbao.Month // named by the file, 0 if it names none
	Line                               string        // named by the file
	In, Loaded, Duplicate, Quarantined int64
	Deleted                            int64         // rows of core that a full set lacks
	KeptFor                            int64         // rows without a readable key, for which nothing was deleted
	Earliest                           tongbao.Month // earliest month that the changed rows touch, 0 if none changed
	Steps                              []Step        // where the time went
	IsKnown                            bool          // taken in before; nothing was done
	NewColumns, MissingColumns         []string      // where the delivery differs from its definition, and the definition wants it noted
	Answers                            string        // the load whose quarantined rows it replays or fixes, "" for a delivery
}

// Step is a part of a load and how long it took.
type Step struct {
	Name string
	Took time.Duration
}

// Report is what a pull did.
type Report struct {
	Loads     []Load
	Fetches   []Fetch
	Known     int // deliveries taken in before
	Unmatched []string
	Unsettled []string // left alone: still being written, or open in Excel
	Errors    []*FileError
}

// Add joins another pull's report to r.
func (r *Report) Add(other Report) {
	r.Loads = append(r.Loads, other.Loads...)
	r.Fetches = append(r.Fetches, other.Fetches...)
	r.Known += other.Known
	r.Unmatched = append(r.Unmatched, other.Unmatched...)
	r.Unsettled = append(r.Unsettled, other.Unsettled...)
	r.Errors = append(r.Errors, other.Errors...)
}

// Err returns the deliveries that could not be taken as one error, nil if none.
func (r Report) Err() error {
	if len(r.Errors) == 0 {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d deliveries could not be taken in", len(r.Errors))
	for _, e := range r.Errors {
		text.WriteString("\n  " + e.Error())
	}
	return fmt.Errorf("%s", text.String())
}
