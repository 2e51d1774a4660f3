package main

import (
	"fmt"
	"io"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// label names a file where there are several.
func (t *tape) label(f *tapeFile) string {
	if len(t.files) == 1 {
		return ""
	}
	return f.name
}

// complain tells about what could not be read.
func (t *tape) complain(w io.Writer) {
	for _, f := range t.files {
		for _, err := range f.first {
			fmt.Fprintf(w, "%s: %v\n", f.name, err)
		}
		if more := f.bad - len(f.first); more > 0 {
			fmt.Fprintf(w, "%s: and %s that cannot be read, of %s\n", f.name, plural(more, "more "+f.item()), grouped(f.good+f.bad))
		}
		if f.refused > 0 {
			fmt.Fprintf(w, "%s: %s cannot be judged: %v\n", f.name, plural(f.refused, f.item()), f.refusal)
		}
		if f.broken != nil {
			fmt.Fprintf(w, "%s: breaks off after %s: %v\n", f.name, plural(f.good+f.bad, f.item()), f.broken)
		}
	}
}

// item is what the file holds many of.
func (f *tapeFile) item() string {
	if f.decoder.Format() == recorded.HAR {
		return "HAR entry"
	}
	return "line"
}

// withoutRequest is how many lines were skipped because they are about no
// request: a server has answered itself what was none, or a browser has asked
// its cache.
func (t *tape) withoutRequest() (n int) {
	for _, f := range t.files {
		n += f.decoder.WithoutRequest()
	}
	return n
}

// namesAdvice says how more than addresses could be known, for logs that tell
// nothing else as they are usually written; "" where all files tell more. An
// access log is read by many, and whoever adds keys to it must know.
func (t *tape) namesAdvice() string {
	for _, f := range t.files {
		switch f.decoder.Format() {
		case recorded.Envoy:
			return "Nobody was known by more than an address: let the log keep what names callers, " +
				`such as "x_api_key": "%REQ(X-API-KEY)%" (a secret, so guard it), with an identity rule that reads it, ` +
				"{kind: caller, header: x-api-key}, which is a default."
		case recorded.Common, recorded.Combined:
			return "Nobody was known by more than an address: a common or combined log names nobody else, but users who " +
				"sign in to the server itself. Envoy's JSON logs and wonted's own recordings keep the headers that name callers."
		case recorded.HAR:
			return "Nobody was known by more than an address: a HAR is one client's, and here no x-api-key, session cookie " +
				"or bearer token told callers apart; identity rules say what does."
		}
	}
	return ""
}

// nothing is the error of a replay without a single exchange.
func (t *tape) nothing() error {
	bad := 0
	for _, f := range t.files {
		bad += f.bad
	}
	first := t.files[0]
	what := first.name
	if len(t.files) > 1 {
		what = fmt.Sprintf("%d files", len(t.files))
	}
	switch none, seems := t.withoutRequest(), first.decoder.Seems(); {
	case first.broken != nil && bad == 0:
		return advise(fmt.Errorf("replay: read %s: %w", what, first.broken), "is it whole? a file that was still being written when it was copied is not")
	case bad == 0 && none > 0:
		return advise(fmt.Errorf("replay: %s: no exchange in %s, only what a server answered before it had a request", what, plural(none, "line")),
			"do clients speak HTTP to this listener, without TLS where it has none?")
	case bad == 0:
		return advise(fmt.Errorf("replay: %s: empty", what), "is this the log that the server writes to?")
	case seems != "" && seems != first.decoder.Format():
		return advise(fmt.Errorf("replay: %s: nothing can be read of %s", what, plural(bad, first.item())),
			"it looks like %s: --format %s, or auto", seems, seems)
	default:
		return advise(fmt.Errorf("replay: %s: nothing can be read of %s", what, plural(bad, first.item())),
			"what is read: wonted's recordings and Envoy's JSON access logs, one object a line (wonted envoy config writes such a log); "+
				"common and combined access logs; HAR")
	}
}
