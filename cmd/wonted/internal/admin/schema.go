package admin

import (
	"encoding"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemas collects the JSON schemas of what the API answers and takes, by the
// names of their types.
type schemas map[string]*jsonschema.Schema

// of is a reference to the schema of what encoding/json makes of v. It panics
// where there is none, or another type has the same name.
func (all schemas) of(v any) object {
	t := reflect.TypeOf(v)
	texts := map[reflect.Type]*jsonschema.Schema{}
	findTexts(t, texts)
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: texts})
	if err != nil {
		panic(err)
	}
	grow(s)
	if was := all[t.Name()]; t.Name() == "" || was != nil && !reflect.DeepEqual(was, s) {
		panic("admin: " + t.String() + " needs a name of its own")
	}
	all[t.Name()] = s
	return object{"$ref": "#/components/schemas/" + t.Name()}
}

// grow lets an object have names that a later version adds.
func grow(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if s.Properties != nil {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		grow(p)
	}
	grow(s.AdditionalProperties)
	grow(s.Items)
}

// findTexts finds the types below t of which encoding/json makes a string
// because they say how: times, prefixes, modes.
func findTexts(t reflect.Type, found map[reflect.Type]*jsonschema.Schema) {
	switch {
	case found[t] != nil:
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && t.Kind() != reflect.Pointer:
		found[t] = &jsonschema.Schema{Type: "string"}
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
		findTexts(t.Elem(), found)
	case t.Kind() == reflect.Struct:
		for _, f := range reflect.VisibleFields(t) {
			findTexts(f.Type, found)
		}
	}
}
