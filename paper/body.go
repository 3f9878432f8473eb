package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// readQuery reads the query and refuses what the call does not know.
func (q *request) readQuery() error {
	q.query = url.Values{}
	values, err := url.ParseQuery(q.rawQuery)
	if err != nil {
		return refuse("The query cannot be read")
	}
	for name, given := range values {
		if !slices.Contains(q.call.params, name) {
			return refuse("Unknown parameter %q", name)
		}
		if len(given) != 1 {
			return refuse("%s is given %d times", name, len(given))
		}
	}
	q.query = values
	return nil
}

// decodeBody reads a JSON object into T. It refuses fields that T does not have,
// by their exact name, fields given twice, null, wrong types, and anything after
// the object.
func decodeBody[T any](raw []byte) (T, error) {
	var into T
	fields, err := objectFields(raw)
	if err != nil {
		return into, err
	}
	known := typesOf(reflect.TypeFor[T](), map[string]reflect.Type{})
	for _, f := range fields {
		kind, ok := known[f.name]
		switch {
		case !ok:
			return into, refuse("Unknown field %q", f.name)
		case string(f.value) == "null":
			return into, refuse("%s must not be null", f.name)
		case kind == reflect.TypeFor[json.Number]() && f.value[0] == '"': // Go would take it
			return into, refuse("%s has the wrong type: string", f.name)
		}
	}
	if err := json.Unmarshal(raw, &into); err != nil {
		return into, refuse("%s", plainly(err))
	}
	return into, nil
}

type field struct {
	name  string
	value json.RawMessage
}

// objectFields takes one JSON object apart.
func objectFields(raw []byte) ([]field, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	notObject := refuse("The body must be a JSON object")
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, notObject
	}
	var fields []field
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, notObject
		}
		f := field{name: fmt.Sprint(token)}
		if slices.ContainsFunc(fields, func(have field) bool { return have.name == f.name }) {
			return nil, refuse("%s is given twice", f.name)
		}
		if err := d.Decode(&f.value); err != nil {
			return nil, notObject
		}
		fields = append(fields, f)
	}
	if _, err := d.Token(); err != nil {
		return nil, notObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("Something follows the body")
	}
	return fields, nil
}

// typesOf adds the fields of a struct by their names in JSON.
func typesOf(t reflect.Type, into map[string]reflect.Type) map[string]reflect.Type {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			typesOf(f.Type, into)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			into[name] = f.Type
		}
	}
	return into
}

// plainly says what is wrong with a value without Go's words for its type.
func plainly(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s has the wrong type: %s", wrong.Field, wrong.Value)
	}
	return err.Error()
}
