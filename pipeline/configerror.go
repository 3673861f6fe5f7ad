package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"tongbao/etl"
)

// ConfigError says where tongbao.yaml is wrong. All but its words are safe to
// be told to anybody: values of the file may be about a person.
type ConfigError struct {
	File  string
	Line  int    // 0 where it is not known
	Key   string // in the program's own words, such as jobs[1].schedule; "" where it is not known
	Fault string // unknown (a key), form (no YAML, or another kind of value), value
	err   error
}

func (e *ConfigError) Error() string {
	if e.Fault != "value" || e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.err) // the reader of YAML names the line itself
	}
	return fmt.Sprintf("%s: line %d: %v", e.File, e.Line, e.err)
}

func (e *ConfigError) Unwrap() error { return e.err }

// wrongConfig says where content, the text of the configuration, is wrong.
func (w Workspace) wrongConfig(content []byte, err error) error {
	wrong := &ConfigError{File: w.configFile(), Fault: "value", Key: keyOf(err), err: err}
	var unread *etl.YAMLError
	switch {
	case errors.As(err, &unread) && unread.IsUnknown:
		wrong.Line, wrong.Fault, wrong.err = unread.Line, "unknown", unread
	case unread != nil:
		wrong.Line, wrong.Fault, wrong.err = unread.Line, "form", unread
	default:
		wrong.Line = etl.YAMLLine(content, wrong.Key)
	}
	return &Problem{wrong}
}

// keyError is an error of the value under a key.
type keyError struct {
	key, name string // name is what the file calls an entry of a list
	err       error
}

func (e *keyError) Error() string {
	if e.name != "" {
		return fmt.Sprintf("%s (%s): %v", e.key, e.name, e.err)
	}
	return e.key + ": " + e.err.Error()
}

func (e *keyError) Unwrap() error { return e.err }

func keyf(key, format string, args ...any) error {
	return under(key, "", fmt.Errorf(format, args...))
}

func under(key, name string, err error) error {
	if err == nil {
		return nil
	}
	return &keyError{key, name, err}
}

// keyOf joins the keys that an error lies under: jobs[1].schedule.
func keyOf(err error) string {
	var keys []string
	for inner := new(keyError); errors.As(err, &inner); err = inner.err {
		keys = append(keys, inner.key)
	}
	return strings.Join(keys, ".")
}
