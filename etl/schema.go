package etl

import (
	"encoding/json"
	"reflect"
	"strings"
)

// key is one key of a definition, as its struct tags say it.
type key struct {
	Name, Doc string
	IsNeeded  bool
	Type      reflect.Type
}

// keysOf lists the keys of a struct in their order.
func keysOf(of reflect.Type) []key {
	var keys []key
	for i := range of.NumField() {
		field := of.Field(i)
		tag, found := field.Tag.Lookup("yaml")
		if !found || !field.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		keys = append(keys, key{name, field.Tag.Get("doc"), !strings.Contains(options, "omitempty"), kind})
	}
	return keys
}

// Schema returns the JSON Schema of a source definition, by which editors
// complete and check data/sources/*.yaml.
func Schema() ([]byte, error) {
	schema := schemaOf(reflect.TypeFor[Definition]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "source definition of tongbao"
	schema["oneOf"] = []any{map[string]any{"required": []string{"files", "format"}}, map[string]any{"required": []string{"connect"}}}
	text, err := json.MarshalIndent(schema, "", "  ")
	return append(text, '\n'), err
}

func schemaOf(of reflect.Type) map[string]any {
	scalar := map[string]any{"type": []string{"string", "number", "boolean"}}
	switch {
	case of == reflect.TypeFor[Names]():
		return map[string]any{"oneOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "minItems": 1}}}
	case of == reflect.TypeFor[Range]():
		return map[string]any{"type": "array", "items": map[string]any{"type": []string{"string", "number", "null"}}, "minItems": 2, "maxItems": 2}
	}
	switch of.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": scalar}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(of.Elem())}
	case reflect.Struct:
		properties, needed := map[string]any{}, []string{}
		for _, k := range keysOf(of) {
			property := schemaOf(k.Type)
			if k.Type.Kind() == reflect.String && k.Name == "default" {
				property = scalar
			}
			if k.Type == reflect.TypeFor[Due]() { // one text is short for its warn
				property = map[string]any{"oneOf": []any{map[string]any{"type": "string"}, property}}
			}
			if k.Name == "order" {
				property["items"].(map[string]any)["minItems"], property["items"].(map[string]any)["maxItems"] = 2, 2
			}
			if words := wordsOf(of, k.Name); words != nil {
				property["enum"] = words
			}
			property["description"] = k.Doc
			properties[k.Name] = property
			if k.IsNeeded {
				needed = append(needed, k.Name)
			}
		}
		return map[string]any{"type": "object", "properties": properties, "required": needed, "additionalProperties": false}
	}
	return map[string]any{}
}

// wordsOf lists the accepted words of a key, nil if it is free.
func wordsOf(of reflect.Type, name string) []string {
	isDefinition, isColumn, isConnect := of == reflect.TypeFor[Definition](), of == reflect.TypeFor[Column](), of == reflect.TypeFor[Connect]()
	switch {
	case name == "target" && isDefinition:
		return targetNames()
	case name == "format" && isDefinition:
		return formats
	case name == "kind" && isConnect:
		return sortedKeys(connectKinds)
	case name == "on_unknown" || name == "on_missing":
		return contractAnswers
	case name == "on_bad":
		return badAnswers
	case name == "lookup" && isColumn:
		return lookups
	case name == "mask" && isColumn:
		return masks
	}
	return nil
}
