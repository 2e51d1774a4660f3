package detect

// tokenBucket is the rate limit that gateways have: so many requests a minute
// for a caller or an address, the same for all of them, with room for a burst.
// Its score is how many minutes' worth of tokens it is behind: the limit that
// would just have let it pass, in requests over the last minute.
type tokenBucket struct {
	per string
	of  func(*Call) uint64
	states[uint64, bucket]
}

// bucket fills as requests come, and drains with time.
type bucket struct {
	level float64 // requests
	at    int64
}

func newTokenBucket(per string, of func(*Call) uint64) *tokenBucket {
	return &tokenBucket{per, of, newStates[uint64, bucket]()}
}

func (t *tokenBucket) name() string { return "token bucket per " + t.per }

// see: the level decays by half in 30 seconds, so that it is the requests of
// about the last minute.
func (t *tokenBucket) see(c *Call) float32 {
	who := t.of(c)
	b, _ := t.get(who)
	if passed := c.At - b.at; passed > 0 {
		b.level *= exp2(-float64(passed) / float64(30*second))
	}
	b.level, b.at = b.level+1, c.At
	t.set(who, b)
	return float32(b.level)
}

// caller is whom a request is of: its address, where it has no caller.
func (c *Call) caller() uint64 {
	if c.Caller == 0 {
		return 1<<40 | uint64(c.Address)
	}
	return uint64(c.Caller)
}

func (c *Call) address() uint64 { return uint64(c.Address) }
