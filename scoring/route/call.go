package route

import (
	"bytes"
	"strings"

	"github.com/wonted-project/wonted/scoring/skim"
)

// member is one that says what a call asks for.
type member uint8

const (
	noMember member = iota
	memberOperation
	memberDocument
	memberMethod
	memberTool
	memberParams // from here on it counts that they are there
	memberResult
	memberError
	members
)

// memberNames are in lower case: there are servers that do not mind.
var memberNames = [members]string{
	memberOperation: "operationname", memberDocument: "query", memberMethod: "method",
	memberTool: "name", memberParams: "params", memberResult: "result", memberError: "error",
}

// call is what is read of one request object. Its values are as they are
// written.
type call struct {
	values    [members][]byte
	seen      [members]bool
	ambiguous bool
}

func (c *call) name() string {
	graphQL := c.seen[memberOperation] || c.seen[memberDocument]
	switch {
	case c.ambiguous, graphQL && c.seen[memberMethod]:
		return Batch
	case c.seen[memberMethod]:
		method := unescape(c.values[memberMethod])
		if tool := c.values[memberTool]; len(tool) > 0 && (method == "tools/call" || method == "prompts/get") {
			return method + "/" + unescape(tool)
		}
		return method
	case graphQL:
		if name := unescape(c.values[memberOperation]); name != "" {
			return name
		}
		return documentOperation(unescape(c.values[memberDocument]))
	case c.seen[memberResult], c.seen[memberError]:
		return Response
	}
	return ""
}

func unescape(s []byte) string {
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s)
	}
	return string(skim.Unescape(nil, s))
}

// jsonOperation reads a request, or a batch of them. What has more behind it is
// read by some servers as far as here, and by others to its end.
func jsonOperation(body []byte) (name string) {
	w := skim.Over(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch first, _ := w.Next(); first {
	case '{':
		var c call
		c.read(&w)
		name = c.name()
	case '[':
		name = batchOperation(&w)
	default:
		return ""
	}
	if more, _ := w.Next(); more != skim.End {
		return Batch
	}
	return name
}

// batchOperation reads calls to their end. What is no call asks for nothing: a
// server answers it with an error, and carries out the calls beside it.
func batchOperation(w *skim.Walk) (common string) {
	for n := 0; ; n++ {
		kind, _ := w.Next()
		if kind == ',' {
			kind, _ = w.Next()
		}
		var c call
		switch kind {
		case ']', skim.End:
			return common
		case '{':
			c.read(w)
		}
		name := c.name()
		if n > 0 && name != common || n == maxBatch {
			return Batch
		}
		common = name
	}
}

// read takes the members of an object that has begun, and what it names in its
// params.
func (c *call) read(w *skim.Walk) {
	var at member // of the value to come
	params := false
	for depth := 1; depth > 0; {
		kind, text := w.Next()
		switch kind {
		case skim.End:
			return
		case skim.Key:
			at = noMember
			switch {
			case depth == 1:
				at = memberOf(text, memberOperation, memberDocument, memberMethod, memberParams, memberResult, memberError)
			case depth == 2 && params:
				at = memberOf(text, memberTool)
			}
			if at >= memberParams {
				c.take(at, nil)
			}
			continue
		case '{', '[':
			if depth == 1 {
				params = at == memberParams && kind == '{'
			}
			depth++
		case '}', ']':
			depth--
		case skim.String:
			if at < memberParams {
				c.take(at, text)
			}
		}
		at = noMember
	}
}

// take sets a member. Of two that differ, which one counts is the server's to
// say. What is no string, such as null, names nothing.
func (c *call) take(m member, value []byte) {
	if m == noMember {
		return
	}
	c.ambiguous = c.ambiguous || c.seen[m] && (m == memberParams || !bytes.Equal(c.values[m], value))
	c.values[m], c.seen[m] = value, true
}

// memberOf is which of these members a key is. Letters are alike as Unicode folds
// them: for some servers "paramſ" is "params".
func memberOf(key []byte, among ...member) member {
	var room [3 * len("operationName")]byte
	if bytes.IndexByte(key, '\\') >= 0 && len(key) <= 6*len("operationName") { // each letter may be written \u0061
		key = skim.Unescape(room[:0], key)
	}
	for _, m := range among {
		if strings.EqualFold(string(key), memberNames[m]) {
			return m
		}
	}
	return noMember
}
