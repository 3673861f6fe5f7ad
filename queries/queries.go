// Package queries holds all SQL that makes data: one folder a layer, one file
// a table, one SELECT a file. It knows no Go beyond the embedding; warehouse
// reads the files, checks the layer rule and runs them.
package queries

import "embed"

// FS holds core/, indicator/, score/, ranking/, bulletin/, checks/ and saved/.
//
//go:embed */*.sql
var FS embed.FS
