package rego

import (
	"bytes"
	"context"
	"encoding/json"
	cli "flag"
	"os"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

var update = cli.Bool("update", false, "write the published schema of the input anew")

// jsonObject is a piece of JSON Schema, draft 7.
type jsonObject = map[string]any

// inputSchema writes the table in schema.go as JSON Schema.
func inputSchema(t *testing.T) []byte {
	doc := objectOf(schema)
	doc["$schema"] = "http://json-schema.org/draft-07/schema#"
	doc["title"] = "wonted policy input, version 1"
	doc["description"] = "What a policy reads as input. What is not known is absent, and so undefined."
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetEscapeHTML(false)
	out.SetIndent("", "\t")
	if err := out.Encode(doc); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func objectOf(fields []field) jsonObject {
	properties := jsonObject{}
	for _, f := range fields {
		properties[f.name] = schemaOf(f)
	}
	return jsonObject{"type": "object", "properties": properties, "additionalProperties": false}
}

func schemaOf(f field) jsonObject {
	s := typed(f)
	if f.about != "" {
		s["description"] = f.about
	}
	if f.words != nil {
		s["enum"] = f.words
	}
	if f.most > 0 && f.names == nil {
		s["maximum"] = f.most
	}
	if f.form != "" {
		s["pattern"], s["examples"] = f.form, []string{f.such}
	}
	return s
}

func typed(f field) jsonObject {
	aString := jsonObject{"type": "string"}
	switch source := f.source.(type) {
	case nil:
		return objectOf(f.fields)
	case flag:
		return jsonObject{"type": "boolean"}
	case count:
		return jsonObject{"type": "integer", "minimum": 0}
	case decimal:
		return jsonObject{"type": "number", "minimum": 0}
	case text, word, place:
		return aString
	case words:
		return jsonObject{"type": "array", "items": aString}
	case fixed:
		if _, list := source.t.Value.(*ast.Array); list {
			return jsonObject{"type": "array"}
		}
		n, err := ast.JSON(source.t.Value)
		if err != nil {
			panic(err)
		}
		return jsonObject{"type": "integer", "const": n}
	}
	switch { // a tree
	case f.index != nil:
		return jsonObject{"type": "array", "items": aString}
	case f.elem != nil:
		return jsonObject{"type": "array", "items": objectOf(f.elem)}
	case f.names == nil:
		return jsonObject{"type": "object", "additionalProperties": aString}
	}
	properties := jsonObject{}
	for _, name := range f.names {
		properties[name] = jsonObject{"type": "number", "minimum": 0, "maximum": f.most}
	}
	return jsonObject{"type": "object", "properties": properties, "additionalProperties": false}
}

const publishedInput = "starter/schema/input/schema.json"

func TestInputSchemaIsPublished(t *testing.T) {
	want := inputSchema(t)
	if *update {
		if err := os.WriteFile(publishedInput, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(publishedInput)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not say what schema.go says: go test ./policy/rego -run InputSchema -update", publishedInput)
	}
}

// asPublished answers whether doc is what a published schema says.
func asPublished(t *testing.T, doc any, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s any
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	rs, err := rego.New(rego.Query("json.match_schema(input.doc, input.schema)"), rego.Input(jsonObject{"doc": doc, "schema": s})).Eval(context.Background())
	if err != nil || len(rs) != 1 {
		t.Fatalf("%s: %d results, %v", file, len(rs), err)
	}
	return rs[0].Expressions[0].Value.([]any)[0].(bool)
}

func TestInputsAreAsPublished(t *testing.T) {
	f := func(in *policy.Input) {
		t.Helper()
		doc := document(t, must(t, everything), in)
		if !asPublished(t, doc, publishedInput) {
			t.Errorf("%v is not as published", doc)
		}
		doc["identiy"] = doc["identity"]
		if asPublished(t, doc, publishedInput) {
			t.Error("a name that is not there is as published")
		}
	}
	f(at(sample(), policy.PhaseRequest))
	f(at(odd(sample(), map[scoring.Detector]float64{scoring.Rate: 6, scoring.Hour: 12}), policy.PhaseBody))
	f(at(&scoring.Exchange{Time: time.Unix(0, 0), RequestBytes: -1, ResponseBytes: -1, Records: -1}, policy.PhaseResponse))
}

// said is what a policy says, as JSON.
func said(t *testing.T, text string) any {
	t.Helper()
	rs, err := rego.New(
		rego.Query("data.wonted.policy"),
		rego.Module("test.rego", "package wonted.policy\n"+text),
		rego.Input(document(t, must(t, everything), at(sample(), policy.PhaseRequest))),
	).Eval(context.Background())
	if err != nil || len(rs) != 1 {
		t.Fatalf("%s: %d results, %v", text, len(rs), err)
	}
	return rs[0].Expressions[0].Value
}

const publishedDecision = "starter/schema/decision/schema.json"

// fixture is what a query for what tests are made of gives.
func fixture(t *testing.T, query string) any {
	t.Helper()
	documents, err := new(files).documents()
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rego.New(
		rego.Query(query),
		rego.Module("anomaly.rego", string(testLibrary)),
		rego.Store(inmem.NewFromObject(documents)),
	).Eval(context.Background())
	if err != nil || len(rs) != 1 {
		t.Fatalf("%s: %d results, %v", query, len(rs), err)
	}
	return rs[0].Expressions[0].Value
}
