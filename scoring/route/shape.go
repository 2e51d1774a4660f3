package route

// A segment is a word of the API's vocabulary or one of these. Integers, UUIDs,
// hashes and tokens share one placeholder, so that an API that changes the
// shape of its ids keeps its routes.
const (
	word = ""
	id   = "{id}"
	date = "{date}"
)

// numberDigits is what a number behind a prefix has at the least: sha-256 and
// page-12 are words.
const numberDigits = 4

// piece is what a segment is: a word, or a placeholder with so many bytes of
// the segment before and behind it ("{id}.json").
type piece struct {
	placeholder    string
	prefix, suffix int
}

// classify says what a segment is by its shape alone, and which file extension
// to keep behind the placeholder ("17.json").
func classify(s []byte) piece {
	if shape := shapeOf(s); shape != word {
		return piece{placeholder: shape}
	}
	if dot := extension(s); dot > 0 {
		if shape := shapeOf(s[:dot]); shape != word {
			return piece{shape, 0, len(s) - dot}
		}
	}
	return piece{}
}

// features is what one pass over a segment counts.
type features struct {
	digits, letters, hex, separators, others int
	mixing                                   int // changes letter-digit and lower-upper
	tail                                     int // digits at the end
	at                                       bool
}

func measure(s []byte) (f features) {
	var last byte
	for _, c := range s {
		f.tail++
		switch {
		case isDigit(c):
			f.digits++
			f.hex++
			if isLower(last) || isUpper(last) {
				f.mixing++
			}
			last = c
			continue
		case isLower(c) || isUpper(c):
			f.letters++
			if isHex(c) {
				f.hex++
			}
			if isDigit(last) || isLower(last) && isUpper(c) {
				f.mixing++
			}
		case c == '-' || c == '_' || c == ',' || c == ':' || c == '+':
			f.separators++
		case c == '@':
			f.at = true
		default:
			f.others++
		}
		f.tail, last = 0, c
	}
	return f
}

func shapeOf(s []byte) string {
	if isDate(s) {
		return date
	}
	f := measure(s)
	switch {
	case f.at && f.letters > 0: // an e-mail address: also kept out of names
		return id
	case f.digits > 0 && f.digits+f.separators == len(s): // 17, -1, 3,4,5
		return id
	case isUUID(s):
		return id
	// Hexadecimal with a digit: "decade" and "deadbeef" stay words, though one
	// random hash of 8 in 2,500 has no digit. No word has 16 hex letters.
	case f.hex == len(s) && (len(s) >= 8 && f.digits > 0 || len(s) >= 16):
		return id
	// A number behind a prefix: order-10017, INV-2024-0007.
	case f.tail >= numberDigits && f.tail < len(s) && separator(s[len(s)-f.tail-1]):
		return id
	case len(s) > maxWord:
		return id
	case len(s) >= 20 && isToken(f, len(s)):
		return id
	}
	return word
}

// isToken tells a random token from a long name. Random base62 changes between
// lower, upper and digit at 0.45 of its characters, base32 at 0.3, camelCase
// words at 0.15 or less. A compact one with several digits is no word either.
func isToken(f features, n int) bool {
	return 6*f.mixing > n || f.digits >= 2 && f.separators+f.others == 0
}

// isUUID holds for 8-4-4-4-12 hex digits.
func isUUID(s []byte) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return true
}

// isDate holds for 2026-11, 2026-11-20 and either with a time behind a T.
func isDate(s []byte) bool {
	digits := func(from, to int) bool {
		for i := from; i < to; i++ {
			if i >= len(s) || !isDigit(s[i]) {
				return false
			}
		}
		return true
	}
	if len(s) < 7 || !digits(0, 4) || s[4] != '-' || !digits(5, 7) || s[5] > '1' {
		return false
	}
	return len(s) == 7 || s[7] == '-' && digits(8, 10) && (len(s) == 10 || s[10] == 'T')
}

// extension is where ".json" begins, 0 where there is none: a dot, then 1 to 5
// lower-case letters.
func extension(s []byte) int {
	for i := len(s) - 1; i > 0 && i >= len(s)-6; i-- {
		if s[i] == '.' {
			if i == len(s)-1 {
				return 0
			}
			return i
		}
		if !isLower(s[i]) {
			return 0
		}
	}
	return 0
}

func separator(c byte) bool { return c == '-' || c == '_' || c == ':' }
func isDigit(c byte) bool   { return '0' <= c && c <= '9' }
func isLower(c byte) bool   { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool   { return 'A' <= c && c <= 'Z' }
func isHex(c byte) bool     { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
