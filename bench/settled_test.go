package bench

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// settled leaves, in a data_dir, what a wonted knows that has had these
// callers for five days: the load of the benchmark for a minute each day at
// this hour, with answers of this size. It returns the settings that take it
// up. Profiles that are a day old are what wonted meets in service; for new
// callers it also asks for every response's body.
func settled(b testing.TB, requests [][]byte, size int64) (settings string) {
	b.Helper()
	const days, seconds, perSecond = 5, 60, 3
	dir := b.TempDir()
	keyFile, data := filepath.Join(dir, "key"), filepath.Join(dir, "data")
	key := identity.NewSecret()
	if err := os.WriteFile(keyFile, key[:], 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		b.Fatal(err)
	}
	who, err := identity.New(identity.Default(), key, 0)
	if err != nil {
		b.Fatal(err)
	}
	store := profile.New(profile.Default())
	scorer := scoring.New(scoring.Config{Store: store})
	exchanges := make([]scoring.Exchange, len(requests))
	for i, raw := range requests {
		fill(b, &exchanges[i], raw)
	}
	chance := rand.New(rand.NewPCG(1, 2)) // the same history every time
	now := time.Now()
	for day := days; day > 0; day-- {
		start := now.AddDate(0, 0, -day)
		for second := range seconds {
			for i := range exchanges {
				for range chance.IntN(2 * perSecond) {
					ex := &exchanges[i]
					ex.Time = start.Add(time.Duration(second) * time.Second)
					ex.ResponseBytes, ex.Records = -1, -1
					who.Resolve(ex)
					scorer.Begin(ex)
					ex.Status, ex.ResponseBytes, ex.Records = http.StatusOK, size, 10
					scorer.Answer(ex, ex.Time)
					scorer.Complete(ex, scoring.Answered, ex.Time)
				}
			}
		}
	}
	if err := store.Save(data, profile.Meta{KeyID: key.ID(), Now: now}); err != nil {
		b.Fatal(err)
	}
	return "identity_key: " + keyFile + "\ndata_dir: " + data + "\n"
}

// fill sets what Envoy would send of a request.
func fill(b testing.TB, ex *scoring.Exchange, raw []byte) {
	b.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		b.Fatal(err)
	}
	ex.Method, ex.Path, ex.Host = []byte(r.Method), []byte(r.RequestURI), []byte(r.Host)
	ex.Scheme, ex.Protocol, ex.Source = []byte("http"), []byte("HTTP/1.1"), []byte("127.0.0.1:50000")
	for name, values := range r.Header {
		for _, v := range values {
			ex.Headers = append(ex.Headers, scoring.Header{Name: []byte(strings.ToLower(name)), Value: []byte(v)})
		}
	}
}
