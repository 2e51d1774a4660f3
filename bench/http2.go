package bench

import (
	"context"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
)

// http2 is net/http's client. All clients of a load share its connection, as
// those behind one gateway do. It takes several times the processor time of
// [http1], so that ratios between variants are flatter over HTTP/2.
type http2 struct {
	url       url.URL
	transport *http.Transport
}

func newTransport2() *http.Transport {
	t := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}

func newHTTP2(address string, shared *http.Transport) *http2 {
	return &http2{url: url.URL{Scheme: "http", Host: address}, transport: shared}
}

func (c *http2) close() { c.transport.CloseIdleConnections() }

func (c *http2) do(q *Request) (a answer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	header := make(http.Header, len(q.Headers))
	for _, h := range q.Headers {
		header[textproto.CanonicalMIMEHeaderKey(string(h.Name))] = []string{string(h.Value)}
	}
	to, err := c.url.Parse(string(q.Path))
	if err != nil {
		return a, err
	}
	r := (&http.Request{Method: http.MethodGet, URL: to, Host: Host, Header: header}).WithContext(ctx)
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a.status = response.StatusCode
	a.bytes, err = io.Copy(io.Discard, response.Body)
	return a, err
}
