package etl

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// workbook is an open .xlsx file, read part by part and never held as a whole.
//
// The library that writes our workbooks is not used to read foreign ones,
// because it loses cells without a word: a sheet whose cells carry an empty
// style attribute comes back as blank rows, a formula without a stored result
// and an unknown entity as empty cells (the tests hold one file of each).
type workbook struct {
	archive *zip.ReadCloser
	parts   map[string]*zip.File
	sheets  []sheetPart
	shared  []string  // the shared strings by number
	epoch   time.Time // day 0 of the workbook's date numbers
}

// sheetPart is a worksheet and where it lies in the archive; a sheet of
// charts has no part.
type sheetPart struct {
	name     string
	part     string
	isHidden bool
}

// openWorkbook checks what the file is and reads everything but the sheets.
func openWorkbook(file string) (*workbook, error) {
	if err := refuseNoXLSX(file); err != nil {
		return nil, err
	}
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, &FileError{What: "is a damaged workbook: " + err.Error(), Do: "export or copy it again"}
	}
	book := &workbook{archive: archive, parts: map[string]*zip.File{}}
	for _, part := range archive.File {
		book.parts[strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(part.Name, `\`, "/")), "/"))] = part
	}
	if err := errors.Join(refuseBomb(archive.File), book.readFrame()); err != nil {
		archive.Close()
		return nil, err
	}
	return book, nil
}

func (book *workbook) close() error { return book.archive.Close() }

// refuseNoXLSX recognises what people save under the name of a workbook.
func refuseNoXLSX(file string) error {
	start, err := firstBytes(file, 512)
	if err != nil {
		return err
	}
	again := "open it in Excel and save it as .xlsx"
	switch lower := bytes.ToLower(bytes.TrimSpace(start)); {
	case len(start) == 0:
		return &FileError{What: "is empty", Do: "export it again"}
	case bytes.HasPrefix(start, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return &FileError{What: "is protected by a password or an old .xls workbook", Do: again + " without a password"}
	case bytes.HasPrefix(lower, []byte("<!doctype")), bytes.HasPrefix(lower, []byte("<html")), bytes.HasPrefix(lower, []byte("<?xml")):
		return &FileError{What: "is a web page or XML, not an xlsx workbook", Do: again}
	case !bytes.HasPrefix(start, []byte("PK")):
		return &FileError{What: "is no xlsx workbook", Do: again}
	}
	return nil
}

// refuseBomb refuses an archive that unpacks to too much. The declared sizes
// may be trusted: the reader fails when a part is longer than it says.
func refuseBomb(files []*zip.File) error {
	var unpacked, packed uint64
	for _, part := range files {
		unpacked += min(part.UncompressedSize64, 1<<50)
		packed += min(part.CompressedSize64, 1<<50)
	}
	if unpacked > MaxUnzipped || unpacked > MinBomb && unpacked/max(packed, 1) > MaxUnzipRatio {
		return &FileError{What: fmt.Sprintf("unpacks to %d MiB from %d KiB (at most %d MiB and %d times)", unpacked>>20, packed>>10, MaxUnzipped>>20, MaxUnzipRatio),
			Do: "split it into smaller files"}
	}
	return nil
}

// each calls use with every element of a part, and with its whole text at
// its end.
func (book *workbook) each(name string, start func(xml.StartElement), end func(local, text string)) error {
	part, err := book.part(name)
	if err != nil {
		return err
	}
	defer part.file.Close()
	var text []byte
	for {
		token, err := part.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			text = text[:0]
			start(token)
		case xml.CharData:
			if text = append(text, token...); len(text) > 4*MaxFieldBytes {
				return part.damaged(errTokenTooLong)
			}
		case xml.EndElement:
			end(token.Name.Local, string(text))
			text = text[:0]
		}
	}
}

func attribute(element xml.StartElement, local string) string {
	for _, a := range element.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// readFrame reads what stands around the sheets: their names and parts, the
// epoch, the shared strings.
func (book *workbook) readFrame() error {
	none := func(local, text string) {}
	main, folder := "xl/workbook.xml", "xl"
	err := book.each("_rels/.rels", func(e xml.StartElement) {
		if strings.HasSuffix(attribute(e, "Type"), "/officeDocument") {
			main = strings.TrimPrefix(attribute(e, "Target"), "/")
			folder = path.Dir(main)
		}
	}, none)
	if err != nil {
		return err
	}
	targets, kinds := map[string]string{}, map[string]string{}
	shared := ""
	err = book.each(path.Join(folder, "_rels", path.Base(main)+".rels"), func(e xml.StartElement) {
		target := attribute(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(folder, target)
		}
		target = strings.TrimPrefix(path.Clean(target), "/")
		kind := path.Base(attribute(e, "Type"))
		targets[attribute(e, "Id")], kinds[attribute(e, "Id")] = target, kind
		if kind == "sharedStrings" {
			shared = target
		}
	}, none)
	if err != nil {
		return err
	}
	book.epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	err = book.each(main, func(e xml.StartElement) {
		switch e.Name.Local {
		case "workbookPr":
			if on := attribute(e, "date1904"); on == "1" || on == "true" {
				book.epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
			}
		case "sheet":
			sheet := sheetPart{name: attribute(e, "name"), isHidden: strings.Contains(strings.ToLower(attribute(e, "state")), "hidden")}
			for _, a := range e.Attr {
				if a.Name.Local == "id" && kinds[a.Value] == "worksheet" {
					sheet.part = targets[a.Value]
				}
			}
			book.sheets = append(book.sheets, sheet)
		}
	}, none)
	if err != nil || shared == "" || book.parts[strings.ToLower(shared)] == nil {
		return err
	}
	return book.readShared(shared)
}

// readShared reads the shared strings; what is said about their pronunciation
// is not part of the text.
func (book *workbook) readShared(name string) error {
	var item strings.Builder
	var size, phonetic int
	err := book.each(name, func(e xml.StartElement) {
		switch e.Name.Local {
		case "si":
			item.Reset()
		case "rPh":
			phonetic++
		}
	}, func(local, text string) {
		switch {
		case local == "rPh":
			phonetic--
		case local == "t" && phonetic == 0 && size <= MaxSharedText:
			item.WriteString(text)
			size += len(text)
		case local == "si" && size <= MaxSharedText:
			book.shared = append(book.shared, unescape(item.String()))
			size += 16 // what an empty text takes
		}
	})
	if err == nil && size > MaxSharedText {
		err = &FileError{Where: name, What: fmt.Sprintf("holds more than %d MiB of text", MaxSharedText>>20), Do: "split it into smaller workbooks"}
	}
	return err
}

var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// unescape resolves _x000D_ and its like, by which workbooks write characters
// that XML cannot hold.
func unescape(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	return escaped.ReplaceAllStringFunc(text, func(code string) string {
		char, err := strconv.ParseUint(code[2:6], 16, 32)
		if err != nil || char == 0 {
			return code
		}
		return string(rune(char))
	})
}

// findSheets picks the sheets that the definition means: one by name, all
// visible ones by pattern, else the first visible one.
func (d *Definition) findSheets(book *workbook) ([]sheetPart, error) {
	var picked []sheetPart
	var names []string
	for _, sheet := range book.sheets {
		names = append(names, sheet.name)
		switch {
		case d.Sheet != "":
			if sheet.name == d.Sheet {
				picked = append(picked, sheet)
			}
		case sheet.part == "" || sheet.isHidden:
		case d.sheets != nil && d.sheets.MatchString(sheet.name), d.sheets == nil && len(picked) == 0:
			picked = append(picked, sheet)
		}
	}
	wanted := d.Sheet + d.Sheets
	switch {
	case len(book.sheets) == 0 || len(picked) == 0 && wanted == "":
		return nil, &FileError{What: "has no sheet with cells", Do: "export it again"}
	case len(picked) == 0:
		return nil, &FileError{What: fmt.Sprintf("has no sheet %q; it has %s", wanted, strings.Join(names, ", ")),
			Do: "name the sheet as before, or change sheet or sheets in " + d.file}
	case slices.ContainsFunc(picked, func(s sheetPart) bool { return s.part == "" }):
		return nil, &FileError{Where: "sheet " + d.Sheet, What: "is a sheet of charts, without cells", Do: "name another sheet in " + d.file}
	}
	return picked, nil
}
