package rego

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/plugins/rest"
)

const fetcherName = "wonted_fetch"

// fetcher is how OPA's plugins speak HTTP: OPA's own client waits for ever for a
// body that stops halfway, and unpacks whatever it is sent. As OPA has it, it is
// a plugin for authentication.
type fetcher struct {
	token  string
	url    *url.URL
	client *http.Client
}

// newFetcher speaks to a server that may take wait to answer, and answers with a
// bundle that unpacks to max bytes.
func newFetcher(s Server, wait time.Duration, max int64) (*fetcher, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // a bundle is compressed, and must arrive so
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s holds no certificate in PEM", s.CA)
		}
	}
	return &fetcher{token: s.Token, url: u, client: &http.Client{
		Transport:     bounded{t, max},
		Timeout:       s.Timeout + wait,
		CheckRedirect: redirect,
	}}, nil
}

// base is the URL without its path.
func (f *fetcher) base() string { return f.url.Scheme + "://" + f.url.Host }

// NewClient is asked for anew whenever OPA changes a timeout; ours bounds all.
func (f *fetcher) NewClient(rest.Config) (*http.Client, error) { return f.client, nil }

// Prepare completes a request of OPA's.
func (f *fetcher) Prepare(req *http.Request) error {
	req.URL.RawQuery, req.URL.RawPath = f.url.RawQuery, f.url.RawPath
	// Deltas cannot be signed or kept.
	if prefer := req.Header.Get("Prefer"); prefer != "" {
		req.Header.Set("Prefer", strings.Replace(prefer, "modes=snapshot,delta", "modes=snapshot", 1))
	}
	if f.token == "" {
		return nil
	}
	token, err := os.ReadFile(f.token)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	return nil
}

// maxRedirects is Go's own limit.
const maxRedirects = 10

// redirect follows to wherever a bundle lies (stores answer with a signed URL of
// another host), but takes the token nowhere else, and never leaves TLS.
func redirect(req *http.Request, via []*http.Request) error {
	from := via[0].URL
	switch {
	case len(via) >= maxRedirects:
		return fmt.Errorf("%d redirects", len(via))
	case from.Scheme == "https" && req.URL.Scheme != "https":
		return errors.New("a redirect from https to " + req.URL.Scheme + " is not followed")
	case req.URL.Scheme != from.Scheme || req.URL.Host != from.Host:
		req.Header.Del("Authorization")
	}
	return nil
}

// bounded takes a bundle whole before OPA sees it, and refuses one that unpacks
// to more than max bytes: OPA bounds each file in it, not how many there are.
type bounded struct {
	http.RoundTripper
	max int64
}

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	packed, err := io.ReadAll(io.LimitReader(res.Body, b.max+1))
	if err != nil {
		return nil, fmt.Errorf("the answer breaks off after %d bytes: %w", len(packed), err)
	}
	if unpackedSize(packed, b.max) > b.max {
		return nil, fmt.Errorf("the bundle unpacks to more than %d bytes (policy.max_bytes)", b.max)
	}
	res.Body = io.NopCloser(bytes.NewReader(packed))
	return res, nil
}

// unpackedSize counts to max+1 at most. What is no gzip at all OPA refuses, in
// its own words.
func unpackedSize(packed []byte, max int64) int64 {
	if int64(len(packed)) > max {
		return max + 1
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0
	}
	n, _ := io.Copy(io.Discard, io.LimitReader(z, max+1))
	return n
}

// Start, Stop and Reconfigure make it a plugin.
func (*fetcher) Start(context.Context) error      { return nil }
func (*fetcher) Stop(context.Context)             {}
func (*fetcher) Reconfigure(context.Context, any) {}
