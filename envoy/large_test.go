package envoy_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// endless is an upstream that sends records, one a line, until there are
// enough bytes of them.
type endless struct{ bytes int64 }

func (e endless) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	const line, lines = 64, 1024
	block := make([]byte, 0, line*lines)
	for n := range lines {
		block = fmt.Appendf(block, "%-*s\n", line-1, fmt.Sprintf(`{"id":%d,"name":"of {\"one\"}"}`, n))
	}
	w.Header().Set("content-type", "application/x-ndjson")
	for sent := int64(0); sent < e.bytes; sent += int64(len(block)) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func TestAGigabytePassesWontedWithoutStayingThere(t *testing.T) {
	const size = 1 << 30
	// In shadow nothing is cut, and the report has the final count.
	s := set(t, envoytest.Settings{Mode: "shadow", Policy: rego(`response_budget contains {"records": 1000}`)}, func(o *envoy.Options) {
		o.Upstream = envoytest.Serve(t, endless{size})
	})
	m := mark()
	request := download(t, t.Context(), s.envoy.URL()+"/?mark="+m, "key")
	before, most := s.wonted.Memory(t), 0
	begun := time.Now()
	response, err := http1(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for received := int64(0); received < size; {
		n, err := io.CopyN(io.Discard, response.Body, 16<<20)
		if received += n; err != nil {
			t.Fatalf("after %d bytes: %v", received, err)
		}
		most = max(most, s.wonted.Memory(t))
	}
	if n, err := io.Copy(io.Discard, response.Body); n != 0 || err != nil {
		t.Errorf("at the end: %d bytes more, %v", n, err)
	}
	t.Logf("1 GiB in %v; wonted held %d MiB before and at most %d MiB while it passed", time.Since(begun).Round(time.Millisecond), before>>20, most>>20)
	if most > before+64<<20 {
		t.Errorf("wonted grew from %d MiB to %d MiB", before>>20, most>>20)
	}
	report := s.report(s.logged(m).Wonted.ID)
	if report["records"] != float64(size/64) || report["bytes"] != float64(size) {
		t.Errorf("%v records and %v bytes were counted of %d and %d", report["records"], report["bytes"], size/64, size)
	}
	s.ended(answered, 1)
	s.undisturbed()
}
