package demo

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestCountRecords(t *testing.T) {
	f := func(body string, want int, whole bool) {
		t.Helper()
		got, err := countRecords(strings.NewReader(body))
		if got != want || (err == nil) != whole {
			t.Errorf("%q: %d records, error %v; want %d, whole %v", body, got, err, want, whole)
		}
	}
	f(`[]`, 0, true)
	f(`[{"a":1},{"a":[2]}]`, 2, true)
	f(`[{"a":1},{"a":2},`, 2, false)
	f(`[{"a":1},{"a":2`, 1, false)
	f(`[{"a":1}`, 1, false)
	f(`{"a":{"b":[]}}`, 1, true)
	f(`{"a":{"b":[]`, 0, false)
	f("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", 3, true)
	f("{\"a\":1}\n{\"a\":2}\n{\"a\"", 2, false)
	f(``, 0, false)
}

// The client tells a whole answer from one that broke off, and counts what it
// got either way.
func TestClientSeesWhatBroke(t *testing.T) {
	api := api{}.handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("break") == "" {
			api.ServeHTTP(w, r)
			return
		}
		w.Header().Set("content-type", "application/json")
		_, _ = w.Write([]byte(`[{"id":1},{"id":2},{"id"`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	c := newClient(server.URL)
	defer c.close()
	f := func(path, key string, want outcome) {
		t.Helper()
		got := c.do(t.Context(), request{Path: path, Key: key, From: "198.18.1.20", Agent: "test"})
		got.Took = 0
		if got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	f("/v1/orders?limit=10", "k", outcome{Status: 200, Records: 10})
	f("/v1/orders?limit=1", "k", outcome{Status: 200, Records: 1})
	f("/v1/orders?limit=1003&page=2", "k", outcome{Status: 200, Records: 1003})
	f("/v1/orders/"+strconv.Itoa(firstOrder), "k", outcome{Status: 200, Records: 1})
	f("/v1/invoices/12", "k", outcome{Status: 200, Records: 1})
	f("/v1/export", "k", outcome{Status: 200, Records: exportSize})
	f("/v1/orders?limit=0", "k", outcome{Status: 400})
	f("/v1/orders?limit=10", "", outcome{Status: 401})
	f("/v1/orders/x", "k", outcome{Status: 404})
	f("/v1/orders?limit=10&break=1", "k", outcome{Status: 200, Records: 2, Broken: true})
}
