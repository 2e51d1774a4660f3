package bench

import (
	"math/rand/v2"
	"strconv"
)

// Identities are the callers of a load. Those of rank 0 to Count-1 come by
// Zipf's law, the lowest rank most; Victims more are known as well, and come
// only with the requests of whoever has stolen their keys.
type Identities struct {
	Count    int
	Scenario string // [ScenarioAPI] | [ScenarioBodies]
}

// Victims is how many callers have lost their key.
const Victims = 16

// objects is how many objects a caller has of its own.
const objects = 8

// Header is one line of a request's head, its name in lower case.
type Header struct{ Name, Value []byte }

// Request is one GET as a client of the API sends it, and what the API answers.
// Its slices point into its own memory: they hold until it is made again, and
// nothing is allocated to make it.
type Request struct {
	Path    []byte   // with query
	Headers []Header // without host

	Status  int   // of the answer
	Bytes   int64 // of the answer's body
	Records int64 // in it
	Attack  bool  // wonted may refuse or cut it

	text []byte
}

// Host is the host of every request.
const Host = "api.example.com"

var agents = [...]string{
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
	"okhttp/4.12.0", "python-requests/2.32.3", "Go-http-client/2.0", "axios/1.12.2",
	"acme-mobile/7.4.1 (iPhone; iOS 19.1; Scale/3.00)", "acme-mobile/7.4.0 (Android 16; Pixel 9; xxhdpi)",
}

// fixed are the lines that every request has alike.
var fixed = []Header{
	line("accept", "application/json, text/plain;q=0.9, */*;q=0.5"),
	line("accept-encoding", "gzip, deflate, br, zstd"),
	line("accept-language", "en-GB,en;q=0.9,de;q=0.7,fr;q=0.5"),
	line("cache-control", "no-cache"),
	line("pragma", "no-cache"),
	line("origin", "https://shop.example.com"),
	line("referer", "https://shop.example.com/account/overview?tab=orders&sort=newest"),
	line("sec-ch-ua", `"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"`),
	line("sec-ch-ua-mobile", "?0"),
	line("sec-ch-ua-platform", `"Linux"`),
	line("sec-fetch-dest", "empty"),
	line("sec-fetch-mode", "cors"),
	line("sec-fetch-site", "same-site"),
	line("x-client-version", "web-2026.46.2+b7c91e4"),
	line("x-requested-with", "XMLHttpRequest"),
	line("priority", "u=1, i"),
}

func line(name, value string) Header { return Header{[]byte(name), []byte(value)} }

var (
	nameAgent, nameKey, nameCookie, nameFrom = []byte("user-agent"), []byte("x-api-key"), []byte("cookie"), []byte("x-forwarded-for")
	nameTrace, nameDevice, nameCorrelation   = []byte("traceparent"), []byte("x-device-id"), []byte("x-correlation-id")
)

// Ordinary makes a request of caller i such as it always makes: mostly one of
// its own objects, sometimes a list of 10 to 50 of them, rarely a statement of
// 100. What exactly is drawn from chance.
func (q *Request) Ordinary(load Identities, i int, chance *rand.Rand) {
	n := chance.Uint64()
	own := uint64(i) * objects
	object := own + n>>8%objects
	q.begin()
	switch share := n % 100; {
	case load.Scenario == ScenarioBodies:
		q.get("/v1/customers/", object, "/export", exportRecords)
	case share < 80:
		q.Path = q.path("/v1/customers/", object, "")
		q.Bytes, q.Records = int64(objectSize(object)), 1
	case share < 99:
		q.list(own, 10+object%41)
	default:
		q.get("/v1/customers/", own, "/statement", statementRecords)
	}
	q.caller(uint64(i), uint64(i), chance)
}

// Attacking makes a request of somebody with bad intentions: one with a key
// that nobody has, one who walks through object ids with a stolen key, or one
// who asks for far longer lists than its owner.
func (q *Request) Attacking(load Identities, chance *rand.Rand) {
	n := chance.Uint64()
	victim := uint64(load.Count) + n>>8%Victims
	all := uint64(load.Count+Victims) * objects
	q.begin()
	q.Attack = true
	switch n % 3 {
	case 0:
		object := chance.Uint64N(all)
		q.Path = q.path("/v1/customers/", object, "")
		q.Status, q.Bytes, q.Records = 401, int64(len(refusal)), 0
		q.caller(forged|n>>1, n, chance) // from anywhere
	case 1:
		object := chance.Uint64N(all)
		q.Path = q.path("/v1/customers/", object, "")
		q.Bytes, q.Records = int64(objectSize(object)), 1
		q.caller(victim, victim, chance)
	default:
		q.list(victim*objects, 1000)
		q.caller(victim, victim, chance)
	}
}

// forged marks the number of a caller that does not exist; its key says so to
// the API.
const forged = 1 << 63

func (q *Request) begin() {
	if q.text == nil {
		q.text = make([]byte, 0, 4<<10) // more than one request ever takes
	}
	q.text, q.Headers = q.text[:0], q.Headers[:0]
	q.Status, q.Attack = 200, false
}

func (q *Request) get(prefix string, object uint64, suffix string, records int) {
	q.Path = q.path(prefix, object, suffix)
	q.Bytes, q.Records = int64(listSize(records)), int64(records)
}

func (q *Request) list(object, records uint64) {
	q.Path = q.write(func(b []byte) []byte {
		b = strconv.AppendUint(append(b, "/v1/customers/"...), object, 10)
		return strconv.AppendUint(append(b, "/orders?sort=newest&limit="...), records, 10)
	})
	q.Bytes, q.Records = int64(listSize(int(records))), int64(records)
}

func (q *Request) path(prefix string, object uint64, suffix string) []byte {
	return q.write(func(b []byte) []byte {
		return append(strconv.AppendUint(append(b, prefix...), object, 10), suffix...)
	})
}

// caller adds the lines that tell who asks. Four neighbours share an address,
// and addresses lie scattered over the networks of 10.0.0.0/8.
func (q *Request) caller(id, place uint64, chance *rand.Rand) {
	key := "ak_live_"
	if id&forged != 0 {
		key = forgedKey
	}
	const golden = 0x9E3779B97F4A7C15 // odd: different callers get different keys
	secret, session := id*golden, id*0xD1B54A32D192ED03
	address := place / 4 * 0x9E3779B1 & (1<<24 - 1)
	add := func(name []byte, f func(b []byte) []byte) {
		q.Headers = append(q.Headers, Header{name, q.write(f)})
	}
	q.Headers = append(q.Headers, Header{nameAgent, agentBytes[place%uint64(len(agents))]})
	q.Headers = append(q.Headers, fixed...)
	add(nameKey, func(b []byte) []byte { return hex(append(b, key...), secret) })
	add(nameCookie, func(b []byte) []byte {
		b = hex(append(b, "theme=dark; consent=necessary%2Canalytics%2Cfunctional; session="...), session)
		b = hex(hex(append(b, "; csrf="...), secret^session), session>>7)
		return hex(append(b, "; _ga=GA1.2.1583910264.1763500000; _device="...), secret>>5)
	})
	add(nameFrom, func(b []byte) []byte {
		b = strconv.AppendUint(append(b, "10."...), address>>16, 10)
		b = strconv.AppendUint(append(b, '.'), address>>8&255, 10)
		return strconv.AppendUint(append(b, '.'), address&255, 10)
	})
	add(nameDevice, func(b []byte) []byte { return hex(b, secret>>9) })
	a, c := chance.Uint64(), chance.Uint64()
	add(nameTrace, func(b []byte) []byte {
		b = hex(hex(append(b, "00-"...), a), c)
		return append(hex(append(b, '-'), a^c), "-01"...)
	})
	add(nameCorrelation, func(b []byte) []byte { return hex(append(b, "web-"...), c) })
}

// agentBytes are agents, ready to point at.
var agentBytes = func() (all [len(agents)][]byte) {
	for i, a := range agents {
		all[i] = []byte(a)
	}
	return all
}()

// write puts text into the request's memory.
func (q *Request) write(f func([]byte) []byte) []byte {
	start := len(q.text)
	q.text = f(q.text)
	return q.text[start:len(q.text):len(q.text)]
}

// hex appends 16 digits.
func hex(b []byte, v uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[v>>shift&15])
	}
	return b
}
