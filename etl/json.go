package etl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// jsonAt returns the part of a JSON answer at a path as data.rows, nil if it
// is not there; "" is the whole. The answer must be whole: one value and
// nothing after it.
func jsonAt(answer []byte, path string) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(answer))
	var part json.RawMessage
	if err := decoder.Decode(&part); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer goes on after its JSON")
	}
	if path == "" {
		return part, nil
	}
	for _, name := range strings.Split(path, ".") {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(part, &object); err != nil {
			return nil, fmt.Errorf("%s: %s is not in an object", path, name)
		}
		var found bool
		if part, found = object[name]; !found {
			return nil, nil
		}
	}
	return part, nil
}

// item is one object of a list as texts: numbers as they were written, an
// inner object as fields with dotted names, a list as its JSON.
type item struct {
	names  []string
	values [][]byte
}

// jsonItems reads a list of objects.
func jsonItems(list json.RawMessage, path string) ([]item, error) {
	if list == nil {
		return nil, fmt.Errorf("the answer has no %s", orElse(path, "list"))
	}
	var objects []json.RawMessage
	if err := json.Unmarshal(list, &objects); err != nil {
		return nil, fmt.Errorf("%s is no list", orElse(path, "the answer"))
	}
	items := make([]item, len(objects))
	for i, object := range objects {
		if err := items[i].fill(object, "", 0); err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return items, nil
}

func (o *item) fill(object json.RawMessage, prefix string, depth int) error {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return errors.New("is no object")
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		name := prefix + key.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		if value[0] == '{' {
			if depth == MaxDepth {
				return fmt.Errorf("%s: nests deeper than %d", name, MaxDepth)
			}
			if err := o.fill(value, name+".", depth+1); err != nil {
				return err
			}
			continue
		}
		if slices.Contains(o.names, name) {
			return fmt.Errorf("%s: stands twice", name)
		}
		text, err := jsonText(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		o.names, o.values = append(o.names, name), append(o.values, text)
	}
	return nil
}

// jsonText is a value's text: a number keeps all its digits.
func jsonText(value json.RawMessage) ([]byte, error) {
	switch value[0] {
	case 'n':
		return nil, nil
	case '"':
		var text string
		err := json.Unmarshal(value, &text)
		return []byte(text), err
	case '[':
		var compact bytes.Buffer
		err := json.Compact(&compact, value)
		return compact.Bytes(), err
	}
	return value, nil
}
