package route

import "testing"

func TestVersion(t *testing.T) {
	table := New()
	version := func(path string) uint16 { return table.Match([]byte("GET"), []byte(path)).Version }
	same := func(a, b string) {
		t.Helper()
		if version(a) == 0 || version(a) != version(b) {
			t.Errorf("%s is version %d, %s is %d", a, version(a), b, version(b))
		}
	}
	same("/v2/orders", "/v2/customers/17?x=v3")
	same("/v2/orders", "/api/v2")
	same("/v2/orders", "/shop/api/V2/orders")
	same("/v2/orders", "/%762//orders")
	same("/v2/orders", "/v2/orders/v1") // the first of two
	same("/v1beta1/x", "/v1BETA1/y")
	same("/v1.10/x", "/v1.10/y")

	distinct := map[uint16]string{}
	for _, path := range []string{"/v0/x", "/v1/x", "/v2/x", "/v11/x", "/v1.1/x", "/v1alpha/x", "/v1beta/x", "/v1beta2/x", "/v20261120/x", "/v2preview/x", "/v2rc1/x"} {
		v := version(path)
		if other, ok := distinct[v]; ok || v == 0 {
			t.Errorf("%s is version %d, as is %q", path, v, other)
		}
		distinct[v] = path
	}
	for _, path := range []string{"", "/", "/v", "/vx/1", "/v2ray/x", "/version2/x", "/2/x", "/v1./x", "/v1..2/x", "/v-1/x", "/a/b/c/v2", "/v12345678901234567/x", "/video/v1x", "/x?/v2/"} {
		if v := version(path); v != 0 {
			t.Errorf("%s is version %d", path, v)
		}
	}
}

// Methods have a place each, those that nobody knows share one.
func TestMethod(t *testing.T) {
	table := New()
	method := func(m string) uint8 { return table.Match([]byte(m), []byte("/")).Method }
	if method("GET") != 0 || method("DELETE") == method("POST") || method("BREW") != method("get") || method("BREW") <= method("TRACE") {
		t.Errorf("GET %d, POST %d, DELETE %d, TRACE %d, BREW %d, get %d", method("GET"), method("POST"), method("DELETE"), method("TRACE"), method("BREW"), method("get"))
	}
}
