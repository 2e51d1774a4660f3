package profile

import "testing"

func TestNames(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if n := NameOf(name); n.String() != want {
			t.Errorf("%q is kept as %q, want %q", name, n.String(), want)
		}
		if n := NameOf([]byte(name)); n.String() != want {
			t.Errorf("the bytes %q are kept as %q, want %q", name, n.String(), want)
		}
	}
	f("", "")
	f("warehouse sync", "warehouse sync")
	f("GET /v1/orders/{id}/item", "GET /v1/orders/{id}/item") // 24 bytes: whole
	f("GET /v1/orders/{id}/items", "GET /v1/orders/{id}/i…")
	f("aaaaaaaaaaaaaaaaaaaaéééé", "aaaaaaaaaaaaaaaaaaaa…") // no half an é
	f("🙂🙂🙂🙂🙂🙂🙂", "🙂🙂🙂🙂🙂…")
}
