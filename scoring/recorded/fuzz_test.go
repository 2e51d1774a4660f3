package recorded

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/wonted-project/wonted/scoring"
)

// FuzzDecoder: whatever is in a file, it is read to its end in every format,
// every line is accounted for, and what is accepted can be filled in and
// written back.
func FuzzDecoder(f *testing.F) {
	formats := []Format{Auto, Wonted, Envoy, Common, HAR}
	browser, err := os.ReadFile("testdata/chromium.har")
	if err != nil {
		f.Fatal(err)
	}
	for i := range formats {
		f.Add(uint8(i), []byte(full))
		f.Add(uint8(i), []byte(`{"start_time":"2026-01-01T00:00:00Z","method":"GET","path":"/","response_code":200,"bytes_sent":"1e99"}`))
		f.Add(uint8(i), []byte("x\n{\n{\"v\":1}\n\xff"))
		f.Add(uint8(i), []byte(combined+"\n"+combined[:70]))
		f.Add(uint8(i), []byte("a.example::1 b [c] d [10/Oct/2026:13:55:36 +0000] \"G \\x \\\" \\\\\" - - \"\" \"\" 1/2"))
		f.Add(uint8(i), browser[:2000])
		f.Add(uint8(i), []byte(`{"log":{"a":[[]],"entries":[1,{"startedDateTime":"2026-01-01T00:00:00Z","request":{"method":"G","url":"http:a"}},,"\u00`))
	}
	f.Fuzz(func(t *testing.T, format uint8, b []byte) {
		d := NewDecoder(bytes.NewReader(b), formats[int(format)%len(formats)])
		for n := 0; ; n++ {
			if n > len(b)+1 {
				t.Fatal("more items than bytes")
			}
			r, err := d.Next()
			if err == io.EOF {
				break
			}
			if _, ok := errors.AsType[*LineError](err); ok {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			var ex scoring.Exchange
			if err := r.Fill(&ex); err != nil {
				t.Errorf("what was read cannot be played: %v", err)
			}
			r.Answer(&ex)
			r.Body(&ex)
			if ex.ResponseBytes < -1 || ex.Records < -1 || ex.RequestBytes < -1 || ex.Duration < 0 {
				t.Errorf("%+v", ex)
			}
			if err := NewEncoder(io.Discard).Encode(r); err != nil {
				t.Error(err)
			}
		}
		if got, most := d.Line(), bytes.Count(b, []byte("\n"))+1; got > most && d.Format() != HAR {
			t.Errorf("%d lines of %d", got, most)
		}
	})
}
