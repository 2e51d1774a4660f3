package route

import "testing"

func TestHeaderVersion(t *testing.T) {
	v2 := New().Match([]byte("GET"), []byte("/v2/orders")).Version
	f := func(got, want uint16, what string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	header := func(s string) uint16 { return HeaderVersion([]byte(s)) }
	media := func(s string) uint16 { return MediaTypeVersion([]byte(s)) }
	for _, s := range []string{"2", "v2", " V2 "} {
		f(header(s), v2, s)
	}
	for _, s := range []string{"", "v", "latest", "2 or 3", "*", "2026-11-20-preview-of-what-is-too-long", "2\x00"} {
		f(header(s), 0, s)
	}
	if header("2026-11-20") == 0 || header("2026-11-20") == header("2026-11-21") || header("2.1") == v2 {
		t.Error("versions are not told apart")
	}
	for _, s := range []string{
		"application/vnd.shop.v2+json", "application/vnd.shop.orders-v2+json", "application/json;version=2", `application/json; Version="2"; q=1`,
		"application/json;q=0.9;v=v2", "text/html, application/json; api-version=2, application/vnd.shop.v3+json",
	} {
		f(media(s), v2, s)
	}
	for _, s := range []string{"", "*/*", "application/json", "application/json; charset=utf-8", "text/html,application/signed-exchange;v=b3;q=0.7", "v2", ";;,,=/", "application/x+v"} {
		f(media(s), 0, s)
	}
}

func FuzzMediaTypeVersion(f *testing.F) {
	f.Add([]byte("application/vnd.shop.v2+json;version=2, */*"))
	f.Fuzz(func(t *testing.T, value []byte) {
		MediaTypeVersion(value)
		HeaderVersion(value)
	})
}
