// Package tongbao is the map of the house; it holds the one type that every
// room shares, Month.
//
// The data goes one way:
//
//	source file
//	  -> etl        landed untouched, decoded, typed, masked, resolved; bad rows to quarantine
//	  -> queries    core, indicator, score, ranking, bulletin: all arithmetic is SQL
//	  -> pipeline   which months, in what order; checks; build; publish
//	  -> reports    a built month as workbook and page; they calculate nothing
//
// warehouse is the only package that knows DuckDB, register the only one that
// knows SQLite, data holds seeds, source definitions and the made-up town, and
// cmd/tongbao wires them together. ARCHITECTURE.md has the reasons.
package tongbao
