package detect

import "testing"

// Every baseline finds what it is for, and what is usual less.
func TestBaselinesSeeWhatTheyAreFor(t *testing.T) {
	usual := func(at int64) Call {
		return Call{At: at, Route: getOrder, Caller: 5, Address: AddressOf(1, 100, 7), Device: 9, Object: 3, Status: 200, Bytes: 2000}
	}
	f := func(b baseline, odd func(i int, c *Call)) {
		t.Helper()
		calm := float32(0)
		now := monday
		for i := range 400 { // 40 windows of ten requests each, and somebody else's
			c := usual(now)
			calm = max(calm, b.see(&c))
			c.Caller, c.Address, c.Device = 6, AddressOf(2, 200, 8), 10
			b.see(&c)
			if now += 10 * second; i%10 == 9 {
				now += hour
			}
		}
		b.fork()
		most := float32(0)
		for i := range 200 {
			c := usual(now + int64(i)*100)
			odd(i, &c)
			most = max(most, b.see(&c))
		}
		if most <= calm {
			t.Errorf("%s: %v where %v is usual", b.name(), most, calm)
		}
		b.back()
		c := usual(now)
		if again := b.see(&c); again > calm {
			t.Errorf("%s: %v after a fork, where %v is usual", b.name(), again, calm)
		}
	}
	much := func(int, *Call) {}
	f(newTokenBucket("caller", (*Call).caller), much)
	f(newTokenBucket("address", (*Call).address), func(i int, c *Call) { c.Caller = uint32(i) })
	f(newLeaky(), func(i int, c *Call) { c.Object, c.Status = uint64(i), 404 })
	f(newLeaky(), func(i int, c *Call) { c.Route, c.Status = postLogin, 401 })
	f(newRiskBased(), func(i int, c *Call) { c.Address, c.Device = AddressOf(40, 7, 1), 77 })
	f(newZscore(), much)
	f(newZscore(), func(i int, c *Call) { c.Bytes = 1 << 20 })
}
