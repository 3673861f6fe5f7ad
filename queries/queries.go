// Package queries holds all SQL that makes data: one folder a layer, one file
// a table, one SELECT a file. It knows no Go beyond the embedding; warehouse
// reads the files, checks the layer rule and runs them.
package queries

import "embed"

// FS holds core/, indicator/, score/, ranking/, bulletin/, checks/, saved/, api/, and
// their cases under testdata/, so that a town can run them (tongbao test).
//
//go:embed */*.sql testdata
var FS embed.FS
