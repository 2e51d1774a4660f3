package envoy_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/websocket"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// sockets greets, says back what it hears, and hangs up on "bye".
var sockets = websocket.Handler(func(c *websocket.Conn) {
	said := "welcome"
	for said != "bye" {
		if websocket.Message.Send(c, said) != nil || websocket.Message.Receive(c, &said) != nil {
			return
		}
	}
})

// dial opens a WebSocket through Envoy.
func (s *scene) dial(key string) (*websocket.Conn, error) {
	s.Helper()
	config, err := websocket.NewConfig(strings.Replace(s.envoy.URL(), "http", "ws", 1)+"/socket", "http://localhost/")
	if err != nil {
		s.Fatal(err)
	}
	config.Header.Set("x-api-key", key)
	return config.DialContext(s.Context())
}

// hears fails unless the next thing said is this.
func hears(t testing.TB, c *websocket.Conn, want string) {
	t.Helper()
	var got string
	if err := websocket.Message.Receive(c, &got); err != nil || got != want {
		t.Fatalf("heard %.40q (%v), want %.40q", got, err, want)
	}
}

// talk opens a socket, and has everything said come back in the order in which
// it was said.
func (s *scene) talk(key string) *websocket.Conn {
	s.Helper()
	c, err := s.dial(key)
	if err != nil {
		s.Fatal(err)
	}
	hears(s, c, "welcome") // the server speaks first
	for _, said := range []string{"one", "two", strings.Repeat("x", 1<<20), "four"} {
		if err := websocket.Message.Send(c, said); err != nil {
			s.Fatal(err)
		}
		hears(s, c, said)
	}
	return c
}

func TestAWebSocketIsJudgedOnceAndThenLeftAlone(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthAdaptive, envoy.DepthLean} {
		t.Run(string(depth), func(t *testing.T) { talking(t, depth) })
	}
}

func talking(t *testing.T, depth envoy.Depth) {
	s := set(t, envoytest.Settings{Depth: string(depth), Fail: "closed", Policy: rego(
		`response_budget contains {"records": 1, "bytes": 100}`, // is not about what goes over a socket
		`deny contains "no sockets" if input.request.headers["x-api-key"] == "refused"`,
	)}, func(o *envoy.Options) { o.Upstream = envoytest.Serve(t, sockets) })
	s.judged("closed by the client", learned, func(key string) { s.talk(key).Close() }, answered)
	s.judged("closed by the server", learned, func(key string) {
		c := s.talk(key)
		defer c.Close()
		if err := websocket.Message.Send(c, "bye"); err != nil {
			t.Fatal(err)
		}
		var said string
		if err := websocket.Message.Receive(c, &said); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %q, %v", said, err)
		}
	}, answered)
	s.judged("several at once", left{3, 3, 1}, func(key string) {
		for range 3 {
			defer s.talk(key).Close()
		}
	}, answered, answered, answered)
	var bad *websocket.DialError
	if _, err := s.dial("refused"); !errors.As(err, &bad) || bad.Err != websocket.ErrBadStatus {
		t.Errorf("a refused socket was opened: %v", err)
	}
	s.undisturbed()

	// Its exchange is over: it does not need wonted any more.
	c := s.talk("key-of-one-who-stays")
	defer c.Close()
	s.wonted.Kill()
	if err := websocket.Message.Send(c, "still there?"); err != nil {
		t.Fatal(err)
	}
	hears(t, c, "still there?")
	if got := s.get(http1(t), "/", mark()); got.StatusCode != http.StatusInternalServerError {
		t.Errorf("with wonted gone a request was answered %d: the test proves nothing", got.StatusCode)
	}
}
