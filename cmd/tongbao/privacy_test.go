package main

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"tongbao/warehouse"
)

// planted is the personal data of the demo town, by its last form.
type planted struct {
	numbers map[string]bool // phones and id numbers
	doors   map[string]bool // 2-2101室
	callers map[string]bool
}

func plantedIn(t *testing.T, town string) planted {
	t.Helper()
	p := planted{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, text := range readTruth(t, town).Personal {
		if door := doorForm.FindString(text); door != "" {
			p.doors[door] = true
		} else {
			p.numbers[text] = true
		}
	}
	// Everybody who called, from the untouched deliveries.
	files, err := filepath.Glob(filepath.Join(town, "data", "inbox", "12345工单_*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal("no ticket files", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(content), "\ufeff") {
			if content, err = simplifiedchinese.GB18030.NewDecoder().Bytes(content); err != nil {
				t.Fatal(err)
			}
		}
		reader := csv.NewReader(strings.NewReader(string(content)))
		reader.FieldsPerRecord = -1
		records, err := reader.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			if len(record) == len(records[0]) {
				p.callers[record[8]], p.numbers[record[9]], p.numbers[record[10]] = true, true, true
				p.doors[doorForm.FindString(record[11])] = true
			}
		}
	}
	for _, set := range []map[string]bool{p.numbers, p.doors, p.callers} {
		if delete(set, ""); len(set) < 100 {
			t.Fatalf("only %d planted", len(set))
		}
	}
	return p
}

var (
	doorForm   = regexp.MustCompile(`[0-9]+-[0-9]+室`)
	digitsForm = regexp.MustCompile(`[0-9]{11,}[Xx]?`)
)

// in returns the first planted thing in a text, "" if there is none.
func (p planted) in(text string) string {
	for _, run := range digitsForm.FindAllString(text, -1) {
		for _, length := range []int{11, 18} {
			for at := 0; at+length <= len(run); at++ {
				if p.numbers[run[at:at+length]] {
					return run[at : at+length]
				}
			}
		}
	}
	for _, door := range doorForm.FindAllString(text, -1) {
		if p.doors[door] {
			return door
		}
	}
	return ""
}

// TestNothingPersonalIsPublished greps everything that a run publishes, says
// or keeps outside raw/ and the inbox for what the demo's maker planted.
func TestNothingPersonalIsPublished(t *testing.T) {
	t.Parallel()
	town := demoTown(t)
	p := plantedIn(t, town)
	looked := map[string]int{}
	look := func(kind, where, text string) {
		looked[kind]++
		if found := p.in(text); found != "" {
			t.Errorf("%s holds %s", where, found)
		}
	}
	// Whoever decided an exclusion signs it; nobody else's name is published.
	signs := map[string]bool{"decided_by": true, "approved_by": true}
	lookInto := func(kind, where string, db *warehouse.DB, from, column string) {
		rows, err := db.Rows(context.Background(), fmt.Sprintf(`select distinct cast("%s" as varchar) from %s`, column, from))
		if err != nil {
			t.Fatal(err)
		}
		for _, cells := range rows.Cells {
			look(kind, where+" "+column, cells[0].String)
			if p.callers[cells[0].String] && !signs[column] {
				t.Errorf("%s %s is the caller %s", where, column, cells[0].String)
			}
		}
	}
	memory, err := warehouse.Open(context.Background(), "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	root := filepath.Join(town, "data")
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if name == "raw" || name == "inbox" || name == "seeds" {
				return fs.SkipDir
			}
			return err
		}
		path := filepath.Join(root, name)
		switch kind := filepath.Ext(name); {
		case name == "truth.json":
		case kind == ".duckdb":
			db, err := warehouse.Open(context.Background(), path, warehouse.Options{ReadOnly: true})
			if err != nil {
				return err
			}
			defer db.Close()
			tables, err := db.Tables(context.Background(), append(warehouse.Layers, "meta")...)
			if err != nil || len(tables) == 0 {
				return fmt.Errorf("%s: %d tables, %w", name, len(tables), err)
			}
			for table, columns := range tables {
				// Names of staff are the workspace's own.
				if table == "seed.staff" {
					continue
				}
				schema, short, _ := strings.Cut(table, ".")
				for _, column := range columns {
					lookInto(kind, name+" "+table, db, schema+`."`+short+`"`, column)
				}
			}
		case kind == ".parquet":
			from := "read_parquet('" + path + "')"
			columns, err := memory.Rows(context.Background(), "describe select * from "+from)
			if err != nil {
				return err
			}
			for _, column := range columns.Cells {
				lookInto(kind, name, memory, from, column[0].String)
			}
		case kind == ".xlsx":
			book, err := zip.OpenReader(path)
			if err != nil {
				return err
			}
			defer book.Close()
			for _, part := range book.File {
				reader, err := part.Open()
				if err != nil {
					return err
				}
				text, err := io.ReadAll(reader)
				if err != nil {
					return err
				}
				look(kind, name+" "+part.Name, string(text))
			}
		default:
			text, err := os.ReadFile(path)
			look(kind, name, string(text))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{".duckdb", ".parquet", ".xlsx", ".html", ".json", ".db"} {
		if looked[kind] == 0 {
			t.Errorf("no %s was looked into", kind)
		}
	}
	log, err := os.ReadFile(filepath.Join(filepath.Dir(town), "log.txt"))
	if err != nil || len(log) == 0 {
		t.Fatalf("the log of the run: %d bytes, %v", len(log), err)
	}
	look("log", "the log of the run", string(log))
	town = copyWorkspace(t, town) // others read the town meanwhile
	for _, args := range []string{"quarantine list --state all", "status", "sources list", "alias list --unmatched",
		"sources test tickets_12345 " + filepath.Join(root, "inbox", "12345工单_20261103.csv"), "sources test repairs", "sources discover " + filepath.Join(root, "inbox", "维修台账_20261103.xlsx")} {
		code, stdout, stderr := command(t, append(strings.Fields(args), "-w", town)...)
		if code != exitDone || stdout == "" {
			t.Errorf("tongbao %s: exit %d\n%s", args, code, stderr)
		}
		look("log", "tongbao "+args, stdout+stderr)
	}
}
