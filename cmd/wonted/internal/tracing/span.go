package tracing

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

const header = "traceparent"

// longest is as much as a traceparent may have: 55 bytes by its version 00, more
// by later ones, which may add to its end. (W3C Trace Context, 3.2)
const longest = 256

// carrier is a traceparent, whoever brings it.
type carrier string

func (c carrier) Get(name string) string {
	if name == header {
		return string(c)
	}
	return ""
}

func (carrier) Set(string, string) {}
func (carrier) Keys() []string     { return []string{header} }

// parent is the span that caused the exchange: the proxy's, where it traces, or
// else the one that the request's sender names. What is malformed is none.
func parent(c *policy.Case) context.Context {
	from := carrier(c.Traceparent)
	if from == "" {
		for _, h := range c.Exchange.Headers {
			if string(h.Name) == header && len(h.Value) <= longest {
				from = carrier(h.Value)
				break
			}
		}
	}
	return propagation.TraceContext{}.Extract(context.Background(), from)
}

// spanName is the route, of which there are few: backends count by it.
func spanName(ex *scoring.Exchange) string {
	if ex.Route.Name == "" {
		return "wonted"
	}
	return strings.ToValidUTF8(ex.Route.Name, "\uFFFD") // what is not UTF-8 would cost its whole batch
}

// methods are those of semantic conventions; any other is _OTHER there.
var methods = []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}

// describe says what is known of the exchange, but for who it was and what the
// request held: traces are read by many.
func describe(c *policy.Case, end scoring.End) []attribute.KeyValue {
	ex, v := &c.Exchange, c.Verdict()
	method := string(ex.Method)
	if !slices.Contains(methods, method) {
		method = "_OTHER"
	}
	all := []attribute.KeyValue{
		attribute.String("wonted.decision_id", ex.ID.String()),
		attribute.String("wonted.verdict", v.Action.String()),
		attribute.String("wonted.mode", v.Mode.String()),
		attribute.Float64("wonted.score", ex.Assessment.Score),
		attribute.Bool("wonted.anomalous", ex.Assessment.Anomalous),
		attribute.String("http.request.method", method),
	}
	if _, route, ok := strings.Cut(spanName(ex), " "); ok {
		all = append(all, attribute.String("http.route", route))
	}
	if status := c.Status(end); status > 0 {
		all = append(all, attribute.Int("http.response.status_code", status))
	}
	if rules := c.DecidedBy(); len(rules) > 0 {
		all = append(all, attribute.StringSlice("wonted.rules", rules))
	}
	if top := strongest(ex.Assessment.Evidence); top != nil {
		all = append(all, attribute.String("wonted.detector", top.Detector.String()))
	}
	return all
}

// strongest is the evidence with the highest score, nil where there is none.
func strongest(all []scoring.Evidence) (top *scoring.Evidence) {
	for i := range all {
		if top == nil || all[i].Score > top.Score {
			top = &all[i]
		}
	}
	return top
}
