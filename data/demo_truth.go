package data

import "tongbao"

// Truth is what the maker intended, written by it and never read back from
// the files: what a right pipeline finds.
type Truth struct {
	Files    map[string]*FileTruth   `json:"files"`   // by name of the delivery
	Sources  map[string]*SourceTruth `json:"sources"` // by source
	Units    []UnitTruth             `json:"units"`   // by month and unit, communities and building grids
	Personal []string                `json:"personal"`

	units map[unitMonth]int
	keys  map[string]map[string]bool
}

// FileTruth counts one delivery.
type FileTruth struct {
	Source string   `json:"source"`
	Rows   int      `json:"rows"` // data rows, good and bad; totals and notes are none
	Bad    []BadRow `json:"bad,omitempty"`
}

// BadRow is a planted fault: the record of the file from 1, its column, and
// the reason that quarantine must give.
type BadRow struct {
	Row    int    `json:"row"`
	Column string `json:"column"`
	Reason string `json:"reason"`
}

// SourceTruth counts the distinct good ids of a source.
type SourceTruth struct {
	Keys int `json:"keys"`
}

// UnitTruth counts the tickets (without void, hung and out of duty) and
// repairs (without void) of a unit in a month, as of the month's last moment.
type UnitTruth struct {
	Month           tongbao.Month `json:"month"`
	GridID          string        `json:"grid_id"`
	Reported        int           `json:"reported"`
	Due             int           `json:"due"`
	OnTime          int           `json:"on_time"` // of those due
	Settled         int           `json:"settled"` // of those due
	Closed          int           `json:"closed"`  // closed in the month
	OverdueOpen     int           `json:"overdue_open"`
	Repairs         int           `json:"repairs"`
	RepairsFinished int           `json:"repairs_finished"`
	Activities      int           `json:"activities"`
}

type unitMonth struct {
	month  tongbao.Month
	gridID string
}

func newTruth() *Truth {
	return &Truth{
		Files: map[string]*FileTruth{}, Sources: map[string]*SourceTruth{},
		units: map[unitMonth]int{}, keys: map[string]map[string]bool{},
	}
}

func (t *Truth) file(name, source string) *FileTruth {
	if t.Files[name] == nil {
		t.Files[name] = &FileTruth{Source: source}
	}
	return t.Files[name]
}

// key notes a good row of a source.
func (t *Truth) key(source, key string) {
	if t.keys[source] == nil {
		t.keys[source] = map[string]bool{}
		t.Sources[source] = &SourceTruth{}
	}
	if !t.keys[source][key] {
		t.keys[source][key] = true
		t.Sources[source].Keys++
	}
}

// count adds to the building grid of the month-end tree and its community.
func (t *Truth) count(town *town, month tongbao.Month, buildingID string, add func(*UnitTruth)) {
	building := town.at(buildingID, month)
	for _, id := range []string{building.id, building.community.id} {
		key := unitMonth{month, id}
		at, found := t.units[key]
		if !found {
			at = len(t.Units)
			t.units[key] = at
			t.Units = append(t.Units, UnitTruth{Month: month, GridID: id})
		}
		add(&t.Units[at])
	}
}
