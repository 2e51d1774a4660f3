package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The sample API is an order system as many have one: it checks that a key is
// there, and nothing else. Any key reads any order (broken object level
// authorization, OWASP API1:2023), and a list is as long as the caller asks.
const (
	firstOrder  = 48_000 // ids count up from here
	exportSize  = 2_000  // records of the nightly export
	flushEvery  = 50     // records a chunk: a row buffer of an ordinary driver
	largestList = 10_000
)

// api is the sample API. Its answers depend on the request alone, so that the
// history is answered by the same code as the live scenes.
type api struct {
	pace time.Duration // between two chunks of a list: what a database takes; none in the history
}

// API is the sample API as the live scenes have it.
func API() http.Handler { return api{pace: 200 * time.Microsecond}.handler() }

func (a api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/orders", a.orders)
	mux.HandleFunc("GET /v1/orders/{id}", a.one(order))
	mux.HandleFunc("GET /v1/invoices/{id}", a.one(invoice))
	mux.HandleFunc("GET /v1/export", a.export)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("x-api-key") == "" {
			http.Error(w, `{"title":"no API key"}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// orders streams a JSON array of unknown length in chunks.
func (a api) orders(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > largestList {
		http.Error(w, `{"title":"limit must be 1 to 10000"}`, http.StatusBadRequest)
		return
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	w.Header().Set("content-type", "application/json")
	a.stream(w, r, limit, func(b []byte, i int) []byte {
		switch i {
		case 0:
			b = append(b, '[')
		default:
			b = append(b, ',')
		}
		b = order(b, firstOrder+page*limit+i)
		if i == limit-1 {
			b = append(b, ']')
		}
		return b
	})
}

// export streams newline-delimited JSON.
func (a api) export(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "application/x-ndjson")
	a.stream(w, r, exportSize, func(b []byte, i int) []byte {
		return append(order(b, firstOrder+i), '\n')
	})
}

// stream writes n records, a chunk at a time, until the client is gone.
func (a api) stream(w http.ResponseWriter, r *http.Request, n int, record func([]byte, int) []byte) {
	control := http.NewResponseController(w)
	var chunk []byte
	for i := range n {
		chunk = record(chunk, i)
		if (i+1)%flushEvery != 0 && i != n-1 {
			continue
		}
		if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
		chunk = chunk[:0]
		if a.pace > 0 && i != n-1 {
			time.Sleep(a.pace)
		}
	}
}

// one answers with one object and its length.
func (a api) one(object func([]byte, int) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		body := object(nil, id)
		w.Header().Set("content-type", "application/json")
		w.Header().Set("content-length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

// order and invoice append one record, invented from its id.
func order(b []byte, id int) []byte {
	return fmt.Appendf(b, `{"id":%d,"customer":"C-%04d","consignee":"%s","street":"%d Harbour Road","total":"%d.%02d","currency":"EUR","status":"%s"}`,
		id, id*7%4000, surnames[id%len(surnames)], id%180+1, id*13%900+20, id*31%100, states[id%len(states)])
}

func invoice(b []byte, id int) []byte {
	return fmt.Appendf(b, `{"invoice":%d,"order":%d,"total":"%d.%02d","currency":"EUR","due_days":30}`,
		id, id-17, id*13%900+20, id*31%100)
}

var (
	surnames = [...]string{"Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Iyer", "Costa", "Keller", "Byrne", "Haddad", "Silva"}
	states   = [...]string{"placed", "packed", "shipped", "delivered", "returned"}
)
