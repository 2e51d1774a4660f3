package bench

import (
	"bytes"
	"io"
	"math"
	"net"
	"net/http"
	"testing"
)

// TestRequestsAreThoseOfARealClient: 15 to 30 lines, 1 to 2 KB, and an
// answer of exactly the size that they say.
func TestRequestsAreThoseOfARealClient(t *testing.T) {
	f := func(scenario string, attack float64) {
		t.Helper()
		load := Identities{1000, scenario}
		c := newHTTP1(api(t))
		defer c.close()
		s := newSource(load, attack, 1)
		var q Request
		seen := map[int]bool{}
		for range 500 {
			s.next(&q)
			if n := len(c.head(&q)); n < 1024 || n > 2048 || len(q.Headers) < 15 || len(q.Headers) > 30 {
				t.Fatalf("a head of %d bytes in %d lines", n, len(q.Headers))
			}
			a, err := c.do(&q)
			if err != nil {
				t.Fatalf("%s: %v", q.Path, err)
			}
			if a.status != q.Status || a.bytes != q.Bytes {
				t.Fatalf("%s: answered %d with %d bytes, expected %d with %d", q.Path, a.status, a.bytes, q.Status, q.Bytes)
			}
			seen[a.status] = true
			if !q.Attack && attack == 1 || q.Attack && attack == 0 {
				t.Fatalf("a share of attacks of %v, and one is attack %v", attack, q.Attack)
			}
		}
		if attack > 0 && !seen[401] {
			t.Error("nobody came with a key that nobody has")
		}
	}
	f(ScenarioAPI, 0)
	f(ScenarioAPI, 1)
	f(ScenarioBodies, 0)
}

// TestAnswersHoldTheirRecords counts them as a reader would.
func TestAnswersHoldTheirRecords(t *testing.T) {
	address := api(t)
	s := newSource(Identities{100, ScenarioAPI}, 0, 2)
	var q Request
	sizes := map[int64]bool{}
	for range 200 {
		s.next(&q)
		response, err := http.Get("http://" + address + string(q.Path))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if n := int64(bytes.Count(body, []byte(`{"id":`))); n != q.Records || int64(len(body)) != q.Bytes {
			t.Fatalf("%s: %d records in %d bytes, expected %d in %d", q.Path, n, len(body), q.Records, q.Bytes)
		}
		sizes[q.Bytes] = true
	}
	if len(sizes) < 10 {
		t.Errorf("%d sizes of answers only", len(sizes))
	}
}

func TestUpstreamRefusesWhatItDoesNotSpeak(t *testing.T) {
	conn, err := net.Dial("tcp", api(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 405 ")) {
		t.Errorf("answered %q, %v", answer, err)
	}
}

func TestMakingRequestsAllocatesNothing(t *testing.T) {
	s := newSource(Identities{1_000_000, ScenarioAPI}, 0.1, 1)
	c := newHTTP1("")
	var q Request
	s.next(&q)
	if n := testing.AllocsPerRun(1000, func() { s.next(&q); c.head(&q) }); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

// TestCallersAreToldApart: by key and session, and each has the same ones every
// time.
func TestCallersAreToldApart(t *testing.T) {
	load := Identities{5000, ScenarioAPI}
	s := newSource(load, 0, 1)
	var q Request
	value := func(name string) string {
		for _, h := range q.Headers {
			if string(h.Name) == name {
				return string(h.Value)
			}
		}
		t.Fatalf("no header %s", name)
		return ""
	}
	keys, places := map[string]int{}, map[string]int{}
	for i := range load.Count {
		q.Ordinary(load, i, s.chance)
		key, cookie := value("x-api-key"), value("cookie")
		if before, ok := keys[key]; ok {
			t.Fatalf("callers %d and %d share the key %s", before, i, key)
		}
		keys[key] = i
		places[value("x-forwarded-for")]++
		q.Ordinary(load, i, s.chance)
		if value("x-api-key") != key || value("cookie") != cookie {
			t.Fatalf("caller %d has two keys or sessions", i)
		}
	}
	for place, n := range places {
		if net.ParseIP(place) == nil || n > 4 {
			t.Errorf("%d callers at %q", n, place)
		}
	}
}

// TestZipf draws a million and compares with the law.
func TestZipf(t *testing.T) {
	const callers, draws = 1000, 1_000_000
	s := newSource(Identities{callers, ScenarioAPI}, 0, 7)
	seen := make([]int, callers)
	for range draws {
		seen[s.rank.Uint64()]++
	}
	weights := Weights(callers)
	sum := 0.0
	for k, w := range weights {
		sum += w
		if k > 0 && w >= weights[k-1] {
			t.Fatalf("rank %d comes no less than rank %d", k, k-1)
		}
		// Six standard deviations of a Poisson count: not once in 10⁸ draws of it.
		want := w * draws
		if math.Abs(float64(seen[k])-want) > 6*math.Sqrt(want)+1 {
			t.Errorf("rank %d came %d times, the law says %.0f", k, seen[k], want)
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the shares add up to %v", sum)
	}
	if weights[0] < 0.02 || weights[0] > 0.05 {
		t.Errorf("the busiest of %d callers makes %.3f of the requests", callers, weights[0])
	}
}
