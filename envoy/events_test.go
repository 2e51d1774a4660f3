package envoy_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// events sends an event whenever the test wants one, and ends with an empty
// one: what is held back anywhere on the way is missed by a client that waits
// for it.
type events chan string

func (e events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "text/event-stream")
	for {
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case event := <-e:
			if event == "" {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", event)
		case <-r.Context().Done():
			return
		}
	}
}

func TestServerSentEventsArriveOneByOne(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthAdaptive, envoy.DepthLean} {
		t.Run(string(depth), func(t *testing.T) { listening(t, depth) })
	}
}

func listening(t *testing.T, depth envoy.Depth) {
	e, held := make(events), holdsHeaders(t, depth)
	event := func(n int) string { return fmt.Sprintf("%d %s", n, strings.Repeat("-", n*n)) }
	s := set(t, envoytest.Settings{Depth: string(depth), Fail: "closed", Policy: permissive}, func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, e) })
	listen := func(c client, key string, leave bool) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.envoy.URL()+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("x-api-key", key)
		if held {
			go func() { e <- event(0) }()
		}
		response, err := c.Do(request) // the headers, before the first event unless they are held
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		lines := bufio.NewReader(response.Body)
		for n := range 20 {
			if n > 0 || !held {
				e <- event(n)
			}
			got, err := lines.ReadString('\n')
			if _, e2 := lines.ReadString('\n'); err != nil || e2 != nil || got != "data: "+event(n)+"\n" {
				t.Fatalf("event %d came as %q (%v, %v)", n, got, err, e2)
			}
		}
		if leave {
			return
		}
		e <- ""
		if _, err := lines.ReadByte(); err == nil {
			t.Error("there is more than was sent")
		}
	}
	for name, c := range map[string]client{"HTTP/1.1": http1(t), "HTTP/2": http2(t)} {
		s.judged(name+", ended by the server", learned, func(key string) { listen(c, key, false) }, answered)
		s.judged(name+", left by the client", counted, func(key string) { listen(c, key, true) }, unknown)
	}
	s.undisturbed()
}
