package extproc

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// responseField is the member of ProcessingResponse's oneof that answers a
// message of that kind.
var responseField = [kinds]protowire.Number{
	kindRequestHeaders: 1, kindResponseHeaders: 2, kindRequestBody: 3, kindResponseBody: 4, kindRequestTrailers: 5, kindResponseTrailers: 6,
}

// harmless are the replies that let a message of each kind go on as it is. A
// CONTINUE of the wrong kind would be an error for Envoy.
var harmless = func() (all [kinds]*reply) {
	for k, number := range responseField {
		if number != 0 {
			all[k] = constant(appendContinue(nil, kind(k), nil))
		}
	}
	return all
}()

// streamed lets response headers go on and asks for the body in chunks.
var streamed = constant(appendMode(appendContinue(nil, kindResponseHeaders, nil), modeStreaming))

// appendContinue appends the oneof's member with status CONTINUE, which is its
// zero value, and for headers the mutation, if any.
func appendContinue(b []byte, k kind, mu *mutation) []byte {
	return nest(b, responseField[k], func(b []byte) []byte {
		if mu == nil || mu.empty() {
			return b
		}
		return nest(b, 1, func(b []byte) []byte { return appendMutation(b, 2, mu) })
	})
}

// template is an answer that was encoded once. Its id and score have a fixed
// width and are patched in each copy.
type template struct {
	bytes     []byte
	id, score int // offsets
}

// allowed are the answers to request headers that are allowed and go on
// unchanged, which is nearly all of them, by mode; lean where nothing more is
// asked for.
var allowed, lean = newTemplates(false), newTemplates(true)

func newTemplates(awaited bool) [2]template {
	return [...]template{
		policy.Shadow:  newTemplate(policy.Shadow, awaited),
		policy.Enforce: newTemplate(policy.Enforce, awaited),
	}
}

func newTemplate(m policy.Mode, awaited bool) template {
	id := bytes.Repeat([]byte{'#'}, 2*len(scoring.ID{}))
	score := math.MaxFloat64
	b := appendContinue(nil, kindRequestHeaders, nil)
	b = appendMark(b, &mark{id: id, score: score, action: policy.Allow, mode: m, ending: endOf(awaited, false)})
	if !awaited {
		b = appendMode(b, modeHeaders)
	}
	t := template{
		bytes: b,
		id:    bytes.Index(b, id),
		score: bytes.Index(b, binary.LittleEndian.AppendUint64(nil, math.Float64bits(score))),
	}
	if t.id < 0 || t.score < 0 {
		panic("extproc: a template without its fields")
	}
	return t
}

// fill appends a patched copy.
func (t *template) fill(b []byte, id scoring.ID, score float64) []byte {
	at := len(b)
	b = append(b, t.bytes...)
	hex.Encode(b[at+t.id:], id[:])
	binary.LittleEndian.PutUint64(b[at+t.score:], math.Float64bits(score))
	return b
}
