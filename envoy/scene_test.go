package envoy_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// scene is client, Envoy, wonted and upstream, all real, for one test.
type scene struct {
	testing.TB
	upstream *envoytest.Upstream
	wonted   *envoytest.Wonted
	envoy    *envoy.Process
	access   string // Envoy's access log
}

// set is a scene with this policy and wonted enforcing, changed as asked.
func set(t testing.TB, settings envoytest.Settings, changes ...func(*envoy.Options)) *scene {
	t.Helper()
	return setEdited(t, nil, settings, changes...)
}

// setEdited is a scene whose Envoy is configured as somebody else might have.
func setEdited(t testing.TB, edit func(*bootstrapv3.Bootstrap), settings envoytest.Settings, changes ...func(*envoy.Options)) *scene {
	t.Helper()
	s := &scene{TB: t, upstream: envoytest.StartUpstream(t), access: filepath.Join(t.TempDir(), "access.log")}
	s.wonted = envoytest.StartWonted(t, settings)
	opts := envoy.Options{
		Upstream: s.upstream.Address(), Wonted: s.wonted.Listen, AccessLog: s.access, Depth: envoy.Depth(s.wonted.Depth),
		// A slow machine is no failure: tests of the timeout set their own.
		MessageTimeout: patient,
		LogFlush:       10 * time.Millisecond,
	}
	for _, change := range changes {
		change(&opts)
	}
	if edit == nil {
		s.envoy = envoytest.StartEnvoy(t, opts)
		return s
	}
	opts.Listen, opts.Admin, opts.Concurrency = "127.0.0.1:0", "127.0.0.1:0", 1
	p, err := envoy.StartEdited(t.Context(), envoytest.Find(t), opts, t.TempDir(), edit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	s.envoy = p
	return s
}

// patient is a message timeout that no test reaches by being slow.
const patient = 15 * time.Second

// rego is a policy of these rules.
func rego(rules ...string) string {
	return "package wonted.policy\n\n" + strings.Join(rules, "\n\n") + "\n"
}

// answer is what a client saw, to the end or to where it broke off.
type answer struct {
	*http.Response
	body []byte
	err  error // while the body was read
}

// client speaks one protocol and keeps its connections to itself.
type client struct{ *http.Client }

func http1(t testing.TB) client { return newClient(t, (*http.Protocols).SetHTTP1, nil) }

// http2 starts with HTTP/2 at once, without TLS.
func http2(t testing.TB) client { return newClient(t, (*http.Protocols).SetUnencryptedHTTP2, nil) }

func overTLS(t testing.TB, config *tls.Config) client {
	return newClient(t, (*http.Protocols).SetHTTP2, config)
}

func newClient(t testing.TB, speak func(*http.Protocols, bool), config *tls.Config) client {
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: config, MaxIdleConnsPerHost: 64}
	speak(transport.Protocols, true)
	t.Cleanup(transport.CloseIdleConnections)
	return client{&http.Client{Transport: transport}}
}

// do sends one request and reads the answer; headers are name, value pairs.
func (c client) do(method, url string, headers ...string) (answer, error) {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := c.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response, body, err}, nil
}

var marks atomic.Int64

// mark is a name for one request, in its query (for the access log) and in its
// headers (for the upstream).
func mark() string { return "m" + strconv.FormatInt(marks.Add(1), 10) + "z" }

// get sends GET path under a mark and wants an answer, whatever it is.
func (s *scene) get(c client, path, mark string, headers ...string) answer {
	s.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	got, err := c.do(http.MethodGet, s.envoy.URL()+path+separator+"mark="+mark, append(headers, envoytest.MarkHeader, mark)...)
	if err != nil {
		s.Fatalf("GET %s: %v", path, err)
	}
	return got
}

// wants fails unless the answer came whole with this status.
func (s *scene) wants(got answer, status int) {
	s.Helper()
	if got.err != nil || got.StatusCode != status {
		s.Fatalf("answered %d %q (%v), want %d", got.StatusCode, got.body, got.err, status)
	}
}

// logged is Envoy's access log entry of a request, which comes a moment later.
func (s *scene) logged(mark string) (entry struct {
	Code    int    `json:"response_code"`
	Details string `json:"response_code_details"`
	Sent    int    `json:"bytes_sent"`
	Wonted  struct {
		ID     string   `json:"id"`
		Score  *float64 `json:"score"`
		Action string   `json:"action"`
		Mode   string   `json:"mode"`
		Tier   string   `json:"tier"` // that a test's policy adds
	} `json:"wonted"`
}) {
	s.Helper()
	envoytest.Eventually(s, "the access log's entry", func() error {
		file, err := os.Open(s.access)
		if err != nil {
			return err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "mark="+mark+`"`) {
				return json.Unmarshal(lines.Bytes(), &entry)
			}
		}
		return fmt.Errorf("none has mark %s", mark)
	})
	return entry
}

// report is what wonted logged about an exchange by its decision id.
func (s *scene) report(id string) map[string]any {
	s.Helper()
	var found map[string]any
	envoytest.Eventually(s, "wonted's report", func() error {
		for _, line := range s.wonted.Log() {
			if line["id"] == id {
				found = line
				return nil
			}
		}
		return fmt.Errorf("none has id %q", id)
	})
	return found
}

// metric is one of wonted's metrics.
func (s *scene) metric(name string, labels ...string) float64 {
	s.Helper()
	return s.wonted.Metric(s, name, labels...)
}

// idle waits until wonted holds no open exchange: nothing leaks.
func (s *scene) idle() {
	s.Helper()
	envoytest.Eventually(s, "wonted has closed every exchange", func() error {
		if open := s.metric("wonted_open_exchanges"); open != 0 {
			return fmt.Errorf("%v are open", open)
		}
		return nil
	})
}

// ended waits until all exchanges are closed, and wants so many of them closed
// as answered, refused, truncated or unknown.
func (s *scene) ended(how string, want int) {
	s.Helper()
	s.idle()
	if n := s.metric("wonted_exchange_ends_total", `end="`+how+`"`); int(n) != want {
		s.Errorf("%v exchanges ended as %s, want %d", n, how, want)
	}
}
