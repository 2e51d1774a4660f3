package signin

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
	"unicode/utf8"
)

// What encoding/json and net/url write is found again, whatever is around it;
// and nothing that is sent does any harm.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"username":"bob","password":"x"}`, `{"a":[1,{"b":"\\\""}],"email":"\u00e4\ud83d\ude00","pwd":"p"}`,
		`username=bob%40example.com&password=%zz+`, `{"username":"bo`, `[[[[{"user":1e9`, "\\", `"username":"a""password":"b"`,
	} {
		f.Add([]byte(body), "bob", "junk")
	}
	f.Fuzz(func(t *testing.T, body []byte, name, other string) {
		var free finder
		free.read(body)
		if n := len(free.found()); n > 4*maxName { // ToLower may make a letter longer
			t.Errorf("a name of %d bytes", n)
		}
		if !utf8.ValidString(name) || !utf8.ValidString(other) || len(name)+len(other) > maxName/2 {
			return
		}
		want := bytes.ToLower(bytes.TrimSpace([]byte(name)))
		object, err := json.Marshal(map[string]any{"junk": other, "z": []any{1, other, map[string]any{"q": other}}, "who": name, "zz": nil})
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"junk": {other}, "who": {name}, "zz": {""}}.Encode()
		for _, body := range [][]byte{object, []byte(form)} {
			found := finder{field: "who"}
			found.read(body)
			if got := found.found(); !bytes.Equal(got, want) && !hasSpace(name) {
				t.Errorf("%s: %q, want %q", body, got, want)
			}
		}
	})
}

// hasSpace: JSON's \n and its like become spaces.
func hasSpace(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
