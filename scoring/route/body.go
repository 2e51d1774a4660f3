package route

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
)

// Bounds of what is read to find an operation.
const (
	maxBody  = 64 << 10 // bytes
	maxBatch = 64       // calls
	maxDepth = 64
)

// Batch is the operation of a batch of several different ones.
const Batch = "batch"

// Operation finds the operation that a request's body asks for, on a path that
// Carries them:
//
//	GraphQL            operationName; else the name of the document's only operation,
//	                   or its type (query, mutation, subscription) where it has none
//	JSON-RPC, MCP      method, and for tools/call and prompts/get params.name:
//	                   "tools/call/search"
//	a batch            what all its calls ask for, or "batch" where they differ
//
// The body may be cut off: what is there is read, 64 KB at most. A batch of more
// than 64 is "batch". Of two members of one name the last counts, as it does for
// most servers. The name is what the client wrote, in its own bytes.
func Operation(contentType, path, body []byte) (name string, ok bool) {
	if !Carries(path) {
		return "", false
	}
	body = body[:min(len(body), maxBody)]
	media, _, _ := bytes.Cut(contentType, semicolon)
	switch media = bytes.ToLower(bytes.TrimSpace(media)); {
	case string(media) == "application/graphql":
		name = documentOperation(string(body))
	case string(media) == "application/x-www-form-urlencoded":
		name = formOperation(string(body))
	case len(media) == 0 || bytes.HasSuffix(media, []byte("json")):
		name = jsonOperation(body)
	}
	return name, name != ""
}

// QueryOperation finds the operation of a GraphQL request over GET in the
// query, on a path that Carries them (GraphQL over HTTP, section 6.2).
func QueryOperation(path []byte) (name string, ok bool) {
	_, query, _ := bytes.Cut(path, []byte("?"))
	query, _, _ = bytes.Cut(query, []byte("#"))
	if len(query) == 0 || !Carries(path) {
		return "", false
	}
	name = formOperation(string(query[:min(len(query), maxBody)]))
	return name, name != ""
}

func formOperation(form string) string {
	values, _ := url.ParseQuery(form) // what can be read of it
	return graphQL(last(values["operationName"]), last(values["query"]))
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// graphQL names an operation of a document.
func graphQL(operation, document string) string {
	if operation != "" {
		return operation
	}
	return documentOperation(document)
}

// call is what is read of one request object.
type call struct{ operation, document, method, tool string }

func (c *call) name() string {
	switch {
	case c.method != "" && c.tool != "" && (c.method == "tools/call" || c.method == "prompts/get"):
		return c.method + "/" + c.tool
	case c.method != "":
		return c.method
	}
	return graphQL(c.operation, c.document)
}

// jsonOperation reads as far as the body goes.
func jsonOperation(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	first, err := d.Token()
	if err != nil {
		return ""
	}
	if first == json.Delim('{') {
		c := call{}
		_ = c.read(d)
		return c.name()
	}
	if first != json.Delim('[') {
		return ""
	}
	common := ""
	for n := 0; d.More(); n++ {
		t, err := d.Token()
		if err != nil || t != json.Delim('{') {
			break
		}
		c := call{}
		err = c.read(d)
		name := c.name()
		if n > 0 && name != common || n == maxBatch {
			return Batch
		}
		if common = name; err != nil {
			break
		}
	}
	return common
}

// read takes the members of an object that has begun.
func (c *call) read(d *json.Decoder) error {
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		value, err := d.Token()
		if err != nil {
			return err
		}
		if value == json.Delim('{') && key == "params" {
			if err := c.readParams(d); err != nil {
				return err
			}
			continue
		}
		if err := skip(d, value); err != nil {
			return err
		}
		s, _ := value.(string)
		switch key {
		case "operationName":
			c.operation = s
		case "query":
			c.document = s
		case "method":
			c.method = s
		case "params":
			c.tool = ""
		}
	}
	_, err := d.Token()
	return err
}

func (c *call) readParams(d *json.Decoder) error {
	c.tool = ""
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		if s, ok := value.(string); ok && key == "name" {
			c.tool = s
		}
		if err := skip(d, value); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

var errDeep = errors.New("nested too deeply")

// skip reads what is left of a value that began with a token.
func skip(d *json.Decoder, t json.Token) error {
	for depth := 0; ; {
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return errDeep
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth <= 0 {
			return nil
		}
		var err error
		if t, err = d.Token(); err != nil {
			return err
		}
	}
}

// documentOperation is the name of a GraphQL document's operation, or its type
// where it has no name; of several, "batch"; empty where it is no document.
// Fragments may stand around it.
func documentOperation(s string) string {
	name, depth := "", 0
	head := false // between an operation's or a fragment's name and its selection
	for s = strings.TrimLeft(s, graphQLBlank); s != ""; s = strings.TrimLeft(s, graphQLBlank) {
		switch c := s[0]; {
		case c == '#':
			_, s, _ = strings.Cut(s, "\n")
			continue
		case c == '"':
			s = afterString(s)
			continue
		case c == '{' && depth == 0:
			if !head && name == "" {
				name = "query" // the short form
			}
			head = false
			depth++
		case c == '{' || c == '(' || c == '[':
			depth++
		case c == '}' || c == ')' || c == ']':
			depth = max(depth-1, 0)
		case depth == 0 && !head:
			var kind string
			kind, s = cutName(s)
			switch kind {
			case "fragment":
			case "query", "mutation", "subscription":
				if name != "" {
					return Batch
				}
				name = kind
				if s = strings.TrimLeft(s, graphQLBlank); s != "" && isName(s[0]) {
					name, s = cutName(s)
					s = strings.TrimLeft(s, graphQLBlank)
				}
				if s == "" || !strings.ContainsAny(s[:1], "{(@") {
					return "" // a text that begins alike
				}
			default:
				return ""
			}
			head = true
			continue
		}
		s = s[1:]
	}
	return name
}

const graphQLBlank = " \t\r\n,\ufeff"

func isName(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) || c == '_' }

func cutName(s string) (name, rest string) {
	i := 0
	for i < len(s) && isName(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// afterString is what follows a string that begins here.
func afterString(s string) string {
	if rest, ok := strings.CutPrefix(s, `"""`); ok {
		_, rest, _ = strings.Cut(rest, `"""`)
		return rest
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"', '\n':
			return s[i+1:]
		}
	}
	return ""
}
