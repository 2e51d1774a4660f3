package envoy_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
	routes "github.com/wonted-project/wonted/scoring/route"
)

// The habits of those whom wonted has known for a week: at this time of the day
// each reads one item some dozen times, and a list of ten now and then.
const (
	item = "/v1/item?records=1&declare=1"
	list = "/v1/orders?records=10&declare=1"

	regulars   = 12
	pastDays   = 7
	pastVisits = 30 // a day
)

// regular is the API key of one of them.
func regular(n int) string { return fmt.Sprintf("regular-%d", n) }

// known are settings of a wonted that has seen that week, through the code that
// sees live traffic.
func known(t testing.TB) string {
	t.Helper()
	return remembering(t, 16<<20, func(store *profile.Store, who *identity.Resolver, now time.Time) {
		scorer := scoring.New(scoring.Config{Store: store, Routes: routes.New()})
		sizes := map[string]int64{item: size(t, item), list: size(t, list)}
		for day := pastDays; day > 0; day-- {
			for visit := range pastVisits {
				for n := range regulars {
					path := item
					if visit%3 == 0 {
						path = list
					}
					at := now.AddDate(0, 0, -day).Add(time.Duration(visit*20+n) * time.Second)
					ex := &scoring.Exchange{Time: at, Method: []byte("GET"), Path: []byte(path), Host: []byte("127.0.0.1"),
						Scheme: []byte("http"), Protocol: []byte("HTTP/1.1"), Source: []byte("127.0.0.1:40000"),
						ResponseBytes: -1, Records: -1,
						Headers: []scoring.Header{{Name: []byte("user-agent"), Value: []byte("Go-http-client/1.1")},
							{Name: []byte("x-api-key"), Value: []byte(regular(n))}}}
					who.Resolve(ex)
					scorer.Begin(ex)
					ex.Status, ex.ResponseBytes, ex.Records = http.StatusOK, sizes[path], 1
					if path == list {
						ex.Records = 10
					}
					scorer.Answer(ex, at)
					scorer.Complete(ex, scoring.Answered, at)
				}
			}
		}
	})
}

// size is how much the upstream answers.
func size(t testing.TB, path string) int64 {
	t.Helper()
	got, err := http1(t).do(http.MethodGet, "http://"+envoytest.StartUpstream(t).Address()+path)
	if err != nil || got.err != nil {
		t.Fatal(err, got.err)
	}
	return int64(len(got.body))
}
