package route

// number is the integer that an id is, or ends with behind a prefix
// ("order-10017", "INV-2024-0007"), so that neighbours can be told: who asks
// for 17, 18, 19 walks. It is 0 where there is none: lists, signs, UUIDs,
// hashes, tokens, and what does not fit 64 bits.
func number(s []byte) uint64 {
	from := len(s)
	for from > 0 && isDigit(s[from-1]) {
		from--
	}
	if from > 0 && (len(s)-from < numberDigits || !separator(s[from-1]) || isUUID(s)) {
		return 0
	}
	var n uint64
	for _, c := range s[from:] {
		digit := uint64(c - '0')
		if n > (1<<64-1-digit)/10 {
			return 0
		}
		n = 10*n + digit
	}
	return n
}
