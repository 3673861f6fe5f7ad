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
// enforces it.
const (
	MaxColumns    = 256
	MaxFieldBytes = 1 << 20
	MaxHeaderRow  = 30         // the header is looked for in so many first rows
	MaxCells      = 20_000_000 // of one xlsx sheet
	MaxUnzipped   = 1 << 30    // of one xlsx file
	MaxXMLMemory  = 16 << 20
	MaxUnzipRatio = 100
)

// FileError says why a whole delivery could not be taken. Nothing of it was
// loaded; it is tried again by the next pull.
type FileError struct {
	Source string
	File   string
	Where  string // sheet, row, column or byte, "" if the file as a whole
	What   string // what is wrong
	Do     string // what to do next
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
	Known     int // deliveries taken in before
	Unmatched []string
	Errors    []*FileError
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
