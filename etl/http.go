package etl

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// httpList reads a list of JSON objects that comes in pages.
//
// A list by page number shifts when rows are added or removed while it is
// walked: a row at the end of a page may be lost, and the server's total may
// still be right. So such a list is walked until two walks one after the other
// saw the same, unless one page held all of it. Cursors and links do not shift.
type httpList struct{ *webClient }

// maxWalks is how often a list that changes is walked anew.
const maxWalks = 6

// walk is one way through all pages.
type walk struct {
	seen    map[[sha256.Size]byte]bool
	all     [sha256.Size]byte // xor of seen: the same for the same set
	pages   int
	total   string // as the first page told it
	changed bool   // a later page told another
}

func (h *httpList) read(ctx context.Context, w window, into *rowFile) error {
	first, err := h.firstPage(w)
	if err != nil {
		return err
	}
	isByNumber := h.c.Page != nil && h.c.Page.By == "number"
	var last *walk
	for range maxWalks {
		if err := into.restart(); err != nil {
			return err
		}
		found, err := h.walk(ctx, first, into)
		if errors.Is(err, errEnough) {
			return h.checkCursor(into)
		}
		if err != nil {
			return err
		}
		isWhole, err := found.isWhole(h.c.Page, last)
		if err != nil {
			return err
		}
		if isWhole {
			return h.checkCursor(into)
		}
		if !isByNumber {
			return &FileError{Where: "read " + h.base.Path, What: fmt.Sprintf("the server tells of %s items but gives %d", found.total, len(found.seen)), Do: "ask the platform's operator; nothing was taken"}
		}
		last = found
	}
	return &FileError{Where: "read " + h.base.Path, What: fmt.Sprintf("the list changed in each of %d walks", maxWalks),
		Do: "pull when the platform is quiet, use larger pages, or let it page by cursor; nothing was taken"}
}

// isWhole says whether a walk cannot have lost a row.
func (found *walk) isWhole(p *Page, last *walk) (bool, error) {
	if p == nil {
		return true, nil
	}
	isCounted := true
	if p.Total != "" {
		total, err := strconv.Atoi(found.total)
		if err != nil {
			return false, &FileError{Where: "read pages", What: fmt.Sprintf("%s is %q, no number", p.Total, found.total), Do: "correct connect.page.total"}
		}
		if p.By != "number" {
			return found.changed || len(found.seen) >= total, nil
		}
		isCounted = !found.changed && len(found.seen) == total
		if isCounted && found.pages == 1 {
			return true, nil
		}
	}
	return p.By != "number" || isCounted && last != nil && last.all == found.all && len(last.seen) == len(found.seen), nil
}

func (h *httpList) checkCursor(into *rowFile) error {
	if c := h.c.Cursor; c != "" && into.rows > 0 && !into.seen[c] {
		return &FileError{Where: "read " + h.base.Path, What: "no item has the field " + c + ", the cursor", Do: "correct connect.cursor"}
	}
	return nil
}

// firstPage is the address of a window's first page.
func (h *httpList) firstPage(w window) (*url.URL, error) {
	query := url.Values{}
	for name, value := range h.c.Params {
		query.Set(name, value)
	}
	for _, bound := range []struct{ name, parameter, value string }{{"--from", h.c.Since, w.from}, {"--to", h.c.Until, w.to}} {
		if bound.value == "" {
			continue
		}
		if bound.parameter == "" {
			return nil, &FileError{Where: "choose the window", What: "the source takes no " + bound.name, Do: "add connect.until, or leave it out"}
		}
		value, err := h.moment(bound.value)
		if err != nil {
			return nil, err
		}
		query.Set(bound.parameter, value)
	}
	if p := h.c.Page; p != nil {
		if p.SizeParam != "" {
			query.Set(p.SizeParam, strconv.Itoa(p.Size))
		}
		if p.By == "number" {
			query.Set(p.Param, strconv.Itoa(p.firstNumber()))
		}
	}
	address := *h.base
	address.RawQuery = query.Encode()
	return &address, nil
}

func (p *Page) firstNumber() int {
	if p.First == nil {
		return 1
	}
	return *p.First
}

// walk goes through all pages once. A short page is not the last one: only an
// empty page, the total, or no next cursor or link is.
func (h *httpList) walk(ctx context.Context, address *url.URL, into *rowFile) (*walk, error) {
	found := &walk{seen: map[[sha256.Size]byte]bool{}}
	visited := map[string]bool{}
	for page := 0; ; page++ {
		if page == MaxPages || visited[address.String()] {
			return nil, &FileError{Where: "read " + h.base.Path, What: fmt.Sprintf("the pages go in a circle, or are more than %d", MaxPages), Do: "correct connect.page; nothing was taken"}
		}
		visited[address.String()] = true
		answer, header, err := h.get(ctx, address)
		if err != nil {
			return nil, err
		}
		fresh, count, err := found.add(answer, h.c, into)
		found.pages++
		if errors.Is(err, errEnough) {
			return nil, err
		}
		if err != nil {
			return nil, &FileError{Where: fmt.Sprintf("read %s, page %d", h.base.Path, page+1), What: plain(err), Do: "correct connect.items and page, or ask the platform's operator; nothing was taken"}
		}
		next, err := h.next(address, answer, header, page)
		if err != nil {
			return nil, &FileError{Where: fmt.Sprintf("read %s, page %d", h.base.Path, page+1), What: plain(err), Do: "correct connect.page"}
		}
		isByNumber := h.c.Page != nil && h.c.Page.By == "number"
		// Some servers answer a page after the last one with the last one again.
		if next == nil || isByNumber && (count == 0 || fresh == 0 || strconv.Itoa(len(found.seen)) == found.total) {
			return found, nil
		}
		address = next
	}
}

// add takes a page's items, and says how many of them are new to the walk.
func (found *walk) add(answer []byte, c *Connect, into *rowFile) (fresh, count int, err error) {
	list, err := jsonAt(answer, c.Items)
	if err != nil {
		return 0, 0, err
	}
	items, err := jsonItems(list, c.Items)
	if err != nil {
		return 0, 0, err
	}
	for _, o := range items {
		sum := o.digest()
		if found.seen[sum] {
			continue
		}
		found.seen[sum] = true
		for i := range sum {
			found.all[i] ^= sum[i]
		}
		fresh++
		if err := into.columns(o.names); err != nil {
			return 0, 0, err
		}
		if err := into.row(o.values); err != nil {
			return 0, 0, err
		}
	}
	if p := c.Page; p != nil && p.Total != "" {
		part, err := jsonAt(answer, p.Total)
		if err != nil || part == nil {
			return 0, 0, fmt.Errorf("the answer has no %s", p.Total)
		}
		total := strings.Trim(string(part), `"`)
		found.changed = found.changed || found.total != "" && found.total != total
		found.total = orElse(found.total, total)
	}
	return fresh, len(items), nil
}

func (o item) digest() [sha256.Size]byte {
	sum := sha256.New()
	for i, name := range o.names {
		fmt.Fprintf(sum, "%q%t%q", name, o.values[i] == nil, o.values[i])
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// next is the address of the page after this one, nil if there is none.
func (h *httpList) next(address *url.URL, answer []byte, header http.Header, page int) (*url.URL, error) {
	if h.c.Page == nil {
		return nil, nil
	}
	following := *address
	query := following.Query()
	switch p := h.c.Page; p.By {
	case "number":
		query.Set(p.Param, strconv.Itoa(p.firstNumber()+page+1))
	case "cursor":
		part, err := jsonAt(answer, p.Next)
		if err != nil || part == nil {
			return nil, err
		}
		text, err := jsonText(part)
		if err != nil || len(text) == 0 || string(text) == "false" {
			return nil, err
		}
		query.Set(p.Param, string(text))
	case "link":
		return linkNext(address, header)
	}
	following.RawQuery = query.Encode()
	return &following, nil
}

// linkNext reads the Link header's rel="next" (RFC 8288).
func linkNext(address *url.URL, header http.Header) (*url.URL, error) {
	for _, line := range header.Values("Link") {
		for {
			start, end := strings.IndexByte(line, '<'), strings.IndexByte(line, '>')
			if start < 0 || end < start {
				break
			}
			target, rest := line[start+1:end], line[end+1:]
			parameters := rest
			if at := strings.IndexByte(rest, '<'); at >= 0 {
				parameters = rest[:at]
			}
			for _, parameter := range strings.FieldsFunc(parameters, func(r rune) bool { return r == ';' || r == ',' }) {
				name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
				if strings.EqualFold(name, "rel") && strings.EqualFold(strings.Trim(value, `"`), "next") {
					return address.Parse(target)
				}
			}
			line = rest
		}
	}
	return nil, nil
}
