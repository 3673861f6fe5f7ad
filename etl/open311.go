package etl

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// open311 reads the requests of a GeoReport v2 server. One answer spans at most
// 90 days and 1,000 requests (specification, "Response Volume"), and nothing
// tells that some were left out; so the time is walked window by window, and a
// window that is full is halved until none is.
//
// The specification lets a client choose by requested_datetime only. What
// became of older requests is seen as far as the overlap reaches back.
type open311 struct{ *webClient }

const (
	open311Span  = 90 * 24 * time.Hour
	open311Least = time.Second // the parameters have no smaller step
)

func (o *open311) read(ctx context.Context, w window, into *rowFile) error {
	services, err := o.services(ctx)
	if err != nil {
		return err
	}
	from, _ := parseMoment(o.c.Start, o.c.zone)
	to := w.now
	if w.from != "" {
		from, _ = parseMoment(w.from, o.c.zone)
	}
	if w.to != "" {
		to, _ = parseMoment(w.to, o.c.zone)
	}
	from = from.Truncate(time.Second)
	for from.Before(to) {
		end := from.Add(open311Span - time.Second)
		if end.After(to) {
			end = to
		}
		if err := o.span(ctx, from, end, services, into); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// span reads one window. Its ends belong to it, so neighbours share a second,
// and a request of that second comes twice: the merge by key sees to it.
func (o *open311) span(ctx context.Context, from, to time.Time, services map[string]item, into *rowFile) error {
	answer, _, err := o.get(ctx, o.address("requests", url.Values{
		"start_date": {from.Format(time.RFC3339)}, "end_date": {to.Add(time.Second - 1).Format(time.RFC3339)},
	}))
	if err != nil {
		return err
	}
	items, err := o.items(answer, "request")
	if err != nil {
		return &FileError{Where: "read " + o.base.Path + "/requests", What: err.Error(), Do: "correct connect.form, or ask the server's operator; nothing was taken"}
	}
	if len(items) >= o.c.Cap {
		half := to.Sub(from) / 2
		if half < open311Least {
			return &FileError{Where: "read requests from " + from.Format(time.RFC3339), What: fmt.Sprintf("%d requests in one second fill an answer", len(items)), Do: "raise connect.cap if the server gives more; nothing was taken"}
		}
		middle := from.Add(half).Truncate(time.Second)
		if err := o.span(ctx, from, middle, services, into); err != nil {
			return err
		}
		return o.span(ctx, middle, to, services, into)
	}
	for _, request := range items {
		request.add(services)
		if err := into.columns(request.names); err != nil {
			return err
		}
		if err := into.row(request.values); err != nil {
			return err
		}
	}
	return nil
}

// add puts what the list of services says beside a request, as service.<field>.
func (o *item) add(services map[string]item) {
	service := services[o.value("service_code")]
	for i, name := range service.names {
		o.names, o.values = append(o.names, "service."+name), append(o.values, service.values[i])
	}
}

func (o item) value(name string) string {
	for i := range o.names {
		if o.names[i] == name {
			return string(o.values[i])
		}
	}
	return ""
}

// services reads the list of services, by code. Their keywords and group are
// often the only way to a category.
func (o *open311) services(ctx context.Context) (map[string]item, error) {
	answer, _, err := o.get(ctx, o.address("services", url.Values{}))
	if err != nil {
		return nil, err
	}
	items, err := o.items(answer, "service")
	if err != nil {
		return nil, &FileError{Where: "read " + o.base.Path + "/services", What: err.Error(), Do: "correct connect.form, or ask the server's operator; nothing was taken"}
	}
	services := map[string]item{}
	for _, service := range items {
		services[service.value("service_code")] = service
	}
	return services, nil
}

func (o *open311) address(resource string, query url.Values) *url.URL {
	for name, value := range o.c.Params {
		query.Set(name, value)
	}
	if o.c.Jurisdiction != "" {
		query.Set("jurisdiction_id", o.c.Jurisdiction)
	}
	if o.token != "" {
		query.Set("api_key", o.token)
	}
	address := o.base.JoinPath(resource + "." + o.c.Form)
	address.RawQuery = query.Encode()
	return address
}

// items reads an answer of either form. An error that came with status 200 is
// recognised by its element or by its fields.
func (o *open311) items(answer []byte, element string) ([]item, error) {
	if o.c.Form == "xml" {
		return xmlItems(answer, element)
	}
	list, err := jsonAt(answer, "")
	if err != nil {
		return nil, err
	}
	// Some servers wrap the list as the XML form does.
	var wrapped map[string]json.RawMessage
	if json.Unmarshal(list, &wrapped) == nil && len(wrapped) == 1 {
		for _, name := range []string{"service_requests", "services"} {
			if inner, found := wrapped[name]; found {
				list = inner
			}
		}
	}
	items, err := jsonItems(list, "")
	if err == nil && len(items) > 0 && items[0].value("service_code") == "" && items[0].value("code") != "" {
		err = fmt.Errorf("the server answers %s: %s", items[0].value("code"), items[0].value("description"))
	}
	return items, err
}

// xmlItems reads the children of the root that are named element: their own
// children are the fields. An empty field is null. The document must end.
func xmlItems(answer []byte, element string) ([]item, error) {
	decoder := xml.NewDecoder(bytes.NewReader(answer))
	var items []item
	var current *item
	var text strings.Builder
	depth, isError := 0, false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && depth == 0 && current == nil {
			if isError {
				said := append(items, item{})[0]
				return nil, fmt.Errorf("the server answers %s: %s", said.value("code"), said.value("description"))
			}
			return items, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the answer is no whole XML: %w", err)
		}
		switch part := token.(type) {
		case xml.Directive:
			return nil, errors.New("the XML declares a document type or entities, which is not taken")
		case xml.StartElement:
			depth++
			text.Reset()
			switch {
			case depth == 1:
				isError = part.Name.Local == "errors"
			case depth == 2 && (part.Name.Local == element || isError):
				items = append(items, item{})
				current = &items[len(items)-1]
			case depth > MaxDepth:
				return nil, fmt.Errorf("nests deeper than %d", MaxDepth)
			}
		case xml.CharData:
			text.Write(part)
		case xml.EndElement:
			if depth == 3 && current != nil {
				current.set(part.Name.Local, strings.TrimSpace(text.String()))
			}
			if depth == 2 {
				current = nil
			}
			depth--
		}
	}
}

func (o *item) set(name, value string) {
	o.names = append(o.names, name)
	if value == "" {
		o.values = append(o.values, nil)
		return
	}
	o.values = append(o.values, []byte(value))
}
