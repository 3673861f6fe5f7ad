package web

import (
	"maps"
	"slices"
	"strings"

	"tongbao/warehouse"
)

// dictionaryBody says of every table that the reader may ask what it holds.
type dictionaryBody struct {
	Of        warehouse.Published
	Layers    []dictionaryLayer
	Functions []functionClass
}

// functionClass are functions that a statement may call, as they were judged.
type functionClass struct{ Class, Names string }

type dictionaryLayer struct {
	Name   string
	Tables []dictionaryTable
}

// dictionaryTable is a table: what it means in the reader's language, its
// grain and rule as its query's own head says them.
type dictionaryTable struct {
	Name, Meaning, Grain, Rule string
	Columns                    []dictionaryColumn
}

type dictionaryColumn struct{ Name, Type, Meaning string }

func (s *Server) dictionary(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	of, err := v.askable()
	if err != nil {
		return err
	}
	return v.show("dictionary", v.words.dictionary(of))
}

// dictionary describes the tables of a version, in the order of the layers.
func (w *words) dictionary(of warehouse.Published) dictionaryBody {
	body := dictionaryBody{Of: of}
	for _, layer := range warehouse.Layers {
		entry := dictionaryLayer{Name: layer}
		for _, source := range of.Sources {
			for _, relation := range source.Relations {
				if schema, name, _ := strings.Cut(relation.Name, "."); schema == layer {
					entry.Tables = append(entry.Tables, w.table(relation, name))
				}
			}
		}
		if len(entry.Tables) > 0 {
			body.Layers = append(body.Layers, entry)
		}
	}
	classes := map[string][]string{}
	for name, class := range warehouse.AllowedFunctions() {
		classes[class] = append(classes[class], name)
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		slices.Sort(classes[class])
		body.Functions = append(body.Functions, functionClass{class, strings.Join(classes[class], "  ")})
	}
	return body
}

func (w *words) table(relation warehouse.Relation, name string) dictionaryTable {
	table := dictionaryTable{Name: relation.Name, Meaning: w.text["table."+relation.Name], Grain: relation.Grain, Rule: relation.Rule}
	for _, column := range relation.Columns {
		// The bulletin's own words come first where they are of this very column.
		meaning := w.Columns[name+"."+column.Name]
		for _, other := range []string{w.text["column."+column.Name], w.Columns[column.Name]} {
			if meaning == "" {
				meaning = other
			}
		}
		table.Columns = append(table.Columns, dictionaryColumn{column.Name, column.Type, meaning})
	}
	return table
}
