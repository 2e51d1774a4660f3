package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// masker puts keyed hashes in the place of secrets in what policies see and
// decide, by the same words and under the same key as a recording has them, so
// that both can be joined.
type masker struct {
	redact *recorded.Redactor
	masked []string
}

// maskWith is for a rego.DecisionLog.
func maskWith(r *recorded.Redactor) func(map[string]any) []string {
	return func(doc map[string]any) []string {
		m := masker{redact: r}
		m.object(doc, "/input/request/headers", m.redact.Header)
		m.object(doc, "/input/request/query", m.redact.Parameter)
		m.texts(doc, "/input/request", map[string]func(string) string{"path": m.redact.URL, "host": m.redact.Host, "operation": m.redact.URL, "route": m.redact.URL})
		m.texts(doc, "/input/device", map[string]func(string) string{"user_agent": func(v string) string { return m.redact.Header("user-agent", v) }})
		m.list(doc, "/input/request/segments", m.redact.URL)
		m.object(doc, "/result/request_headers", m.redact.Header)
		m.object(doc, "/result/response_headers", m.redact.Header)
		// What a policy says may quote what it has seen.
		m.object(doc, "/result/metadata", m.redact.Header)
		said := func(v string) string { return m.redact.Header("", v) }
		m.texts(doc, "/result", map[string]func(string) string{"reason": said, "redirect": m.redact.URL})
		m.texts(doc, "/custom", map[string]func(string) string{"failed": said})
		for _, pointer := range []string{"/result/rules", "/custom/shadow"} {
			all, _ := at(doc, pointer).([]any)
			for i := range all {
				m.textsOf(all[i], pointer+"/"+strconv.Itoa(i), map[string]func(string) string{"reason": said})
			}
		}
		return m.masked
	}
}

// at is the part of a document that a pointer leads to.
func at(doc map[string]any, pointer string) any {
	var v any = doc
	for name := range strings.SplitSeq(pointer[1:], "/") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// object masks the texts of an object of free names.
func (m *masker) object(doc map[string]any, pointer string, mask func(name, value string) string) {
	o, _ := at(doc, pointer).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if v, ok := o[name].(string); ok {
			o[name] = m.note(v, mask(name, v), pointer+"/"+escaped.Replace(name))
		}
	}
}

// texts masks named texts of an object.
func (m *masker) texts(doc map[string]any, pointer string, masks map[string]func(string) string) {
	m.textsOf(at(doc, pointer), pointer, masks)
}

func (m *masker) textsOf(object any, pointer string, masks map[string]func(string) string) {
	o, _ := object.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(masks)) {
		if v, ok := o[name].(string); ok {
			o[name] = m.note(v, masks[name](v), pointer+"/"+name)
		}
	}
}

// list masks the texts of a list.
func (m *masker) list(doc map[string]any, pointer string, mask func(string) string) {
	all, _ := at(doc, pointer).([]any)
	for i := range all {
		if v, ok := all[i].(string); ok {
			all[i] = m.note(v, mask(v), pointer+"/"+strconv.Itoa(i))
		}
	}
}

func (m *masker) note(old, new, pointer string) string {
	if old != new {
		m.masked = append(m.masked, pointer)
	}
	return new
}

// escaped is how names stand in a JSON pointer (RFC 6901, 3).
var escaped = strings.NewReplacer("~", "~0", "/", "~1")
