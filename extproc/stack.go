package extproc

// growStack has the runtime make a goroutine's stack large enough at once for all
// that is done about an exchange, some 6 KiB. A new goroutine starts with what
// goroutines have needed on average, idle ones included: 2 KiB as a rule. Left
// alone its stack is moved when some fifteen frames are on it, each of which the
// runtime looks up: 7 % of what an exchange costs. Here there are five.
//
// Nothing is stored in the room: a frame is made sure of as its function is
// entered.
//
//go:noinline
func growStack(use bool) (sum byte) {
	if use {
		var room [4 << 10]byte
		for i := range room {
			room[i] = sum
			sum += room[len(room)-1-i]
		}
	}
	return sum
}
