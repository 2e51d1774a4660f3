package recorded

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/wonted-project/wonted/scoring/payload"
)

// harEntry is what is read of an entry (HAR 1.2, "entries"). Members that begin
// with an underscore are Chromium's.
type harEntry struct {
	Started   string  `json:"startedDateTime"`
	Time      float64 `json:"time"` // ms, -1 unknown
	Client    string  `json:"clientIPAddress"`
	FromCache string  `json:"_fromCache"`
	Request   struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Protocol string      `json:"httpVersion"`
		Headers  []harHeader `json:"headers"`
		BodySize float64     `json:"bodySize"` // -1 unknown
		PostData struct {
			Text string `json:"text"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status   int         `json:"status"`
		Headers  []harHeader `json:"headers"`
		BodySize float64     `json:"bodySize"` // as it was sent; -1 unknown
		Content  struct {
			Size     float64 `json:"size"` // decompressed
			MimeType string  `json:"mimeType"`
			Text     string  `json:"text"`
			Encoding string  `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct{ Name, Value string }

// harClient is the address of whoever recorded a HAR, which does not tell it:
// the one client of a browser is this machine's.
const harClient = "127.0.0.1"

// parseEntry reads one entry. What the browser took from its cache, or from
// nobody ("data:", "blob:", extensions), is without a request.
func parseEntry(b []byte) (*Exchange, error) {
	if b[0] != '{' {
		return nil, errNoObject
	}
	var e harEntry
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, plain(err)
	}
	started, err := time.Parse(time.RFC3339Nano, e.Started)
	if err != nil {
		return nil, fmt.Errorf(`"startedDateTime" is %q; RFC 3339 is possible`, e.Started)
	}
	r := &Exchange{
		V: Version, Time: started.UTC(), Method: e.Request.Method, Source: harClient,
		Headers: harHeaders(e.Request.Headers), ResponseHeaders: harHeaders(e.Response.Headers),
		RequestBytes: harSize(e.Request.BodySize), Status: e.Response.Status, ResponseBytes: harSize(e.Response.BodySize),
		DurationMS: max(e.Time, 0), RequestBody: e.Request.PostData.Text,
	}
	if e.Client != "" {
		r.Source = e.Client
	}
	if r.Status < 0 {
		r.Status = 0
	}
	if err := r.address(e.Request.URL); err != nil {
		return nil, err
	}
	if e.FromCache != "" {
		return nil, errNoRequest
	}
	r.Protocol = harProtocol(e.Request.Protocol)
	content := &e.Response.Content
	if r.ResponseBytes == nil || *r.ResponseBytes == 0 { // Firefox says 0 where it does not know
		r.ResponseBytes = harSize(content.Size)
	}
	if content.Encoding == "" && content.Text != "" {
		var m payload.RecordMeter
		m.Reset([]byte(content.MimeType), nil)
		m.Write([]byte(content.Text))
		if n := m.Records(); n >= 0 {
			r.Records = &n
		}
	}
	return r, r.check()
}

// address sets where the request went.
func (r *Exchange) address(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf(`"url": %w`, err)
	}
	switch u.Scheme {
	case "http", "https":
		r.Scheme = u.Scheme
	case "ws", "wss":
		r.Scheme = "http" + u.Scheme[len("ws"):]
	case "":
		return fmt.Errorf(`"url" is %.100q, without a scheme`, s)
	default:
		return errNoRequest
	}
	r.Host, r.Path = u.Host, u.EscapedPath()
	if r.Path == "" {
		r.Path = "/"
	}
	if u.RawQuery != "" {
		r.Path += "?" + u.RawQuery
	}
	return nil
}

func harHeaders(list []harHeader) map[string][]string {
	all := make(map[string][]string, len(list))
	for _, h := range list {
		if name := strings.ToLower(h.Name); name != "" && name[0] != ':' { // HTTP/2 has what is in the URL there
			all[name] = append(all[name], h.Value)
		}
	}
	return all
}

// harSize is a size, nil where it is not known.
func harSize(n float64) *int64 {
	if !(n >= 0) {
		return nil
	}
	size := int64(min(n, maxSize))
	return &size
}

// harProtocol writes what browsers call "h2" and "http/1.1" as Envoy does.
func harProtocol(s string) string {
	switch s = strings.ToUpper(s); s {
	case "H2":
		return "HTTP/2"
	case "H3":
		return "HTTP/3"
	}
	return s
}
