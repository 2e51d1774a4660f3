package profile

import "github.com/wonted-project/wonted/scoring/window"

// RecordSize is the size of every record in memory and in a snapshot, in bytes.
const RecordSize = 1024

// Version is the layout's version, in every record and in the snapshot's header.
// Older ones are brought up to it when they are read: see migrate.go.
const Version = 4

// Key is the 128-bit keyed hash that stands for an identity. The zero Key is nobody.
type Key struct{ Hi, Lo uint64 }

// Kind says what sort of entity a record describes.
type Kind uint8

// The kinds. Every exchange carries at most one entity of each.
const (
	KindNone Kind = iota
	KindCaller
	KindCredential
	KindSession
	KindUser
	KindAddress
	KindNetwork
	KindDevice
	KindRoute     // the population on one route: what a usual response is there
	KindLogin     // one sign-in route as a whole
	KindCount int = iota
)

// Header opens every record, 64 bytes. Times are seconds since the epoch.
type Header struct {
	Key        Key
	Version    uint8
	Kind       Kind
	Cohort     uint8
	Flags      uint8
	Generation uint32 // which incarnation: a Handle of an earlier one finds nothing
	Created    uint32
	LastSeen   uint32 // the clock of every ring below; never decreases
	Requests   uint32 // counted at the request, taken back when refused
	Accepted   uint32 // learned from: the upstream accepted the credential
	Sessions   uint32 // context switches and returns after 30 idle minutes
	Sequence   uint32 // grows each time it is handed out to other replicas: see scoring's Replicas
	InFlight   uint16
	Learned    uint16 // days (since the epoch, mod 65536) of the last anchor move
	Device     uint32 // context now: hash of device, of network
	Network    uint32
	Open       [2]uint16 // accepted requests of the minute and the ten minutes that are not over
}

// Rings are the sliding counters that every entity but a route has, 78 bytes. A
// ring's slot is (seconds/width) mod len; the slots that passed since LastSeen
// are zeroed on access (window.Advance).
type Rings struct {
	Requests10s [6]uint16
	Requests1m  [10]uint16
	Requests10m [6]uint16
	Errors10m   [3]uint16  // answers of 400 and above
	Mistakes10m [3]uint16  // those among them that are the client's own doing
	Hour        uint16     // accepted requests of the hour that is not over
	Precedents  [10]uint16 // no ring: minifloats of the most of each quantity that once was ordinary
}

// Tried are the routes that were asked for in vain, or that nobody knows: those
// of these ten minutes, and how many are usual. 14 bytes.
type Tried struct {
	Routes window.Linear
	Usual  window.SmallMoments
}

// HabitRings are those that only entities with habits have, 68 bytes. Bytes and
// Records hold window minifloats.
type HabitRings struct {
	New1m         [10]uint16 // objects not seen lately
	New10m        [6]uint16
	Bytes10m      [6]uint16
	Records10m    [6]uint16
	Companions10m [2]uint16 // identities beside this one that were never seen with it
	Switches10m   [2]uint16 // of context, a device and a network together
	Returns10m    [2]uint16 // those among them to the context before the last
}

// Baseline is what is usual, learned one closed bucket at a time from buckets
// with activity, 120 bytes. Byte and record baselines are of log2(1+v).
type Baseline struct {
	Requests1m, Requests10m, Requests1h window.Moments
	Errors10m                           window.Moments
	New10m, New1h                       window.Moments
	Bytes10m, Records10m                window.Moments
	Companions10m                       window.Moments
	Mix10m                              window.Moments // mean surprise, in bits, of the routes asked for
}

// Residual is the identity's deviation from its route in one response's size:
// y = (log2(v+1) - mu_route)/sigma_route. 24 bytes.
type Residual struct {
	Y      window.Moments
	Anchor float32 // slow mean, limited in speed
	Lately float32 // of bytes: by how much the last windows lay above what is typical: see scoring's drift.go
	Spread float32 // slow spread, in doublings, limited in speed
}

// Record is one entity's profile: 1,024 bytes, little-endian, fixed offsets, no
// pointers. 472 bytes are common to every kind; the last 552 are laid out by
// kind: see Habits, Crowd and Population.
//
// Records lie on whole lines of 64 bytes, and memory is fetched by the line. So
// what a request looks at of an address, a network or a device is in the first
// four, unless it is a sign-in; and what it looks at of a route is in the first
// one and three more.
type Record struct {
	Header                                                     //   0  64
	Rings      Rings                                           //  64  78
	Tried      Tried                                           // 142  14
	Anchors    [6]float32                                      // 156  24 slow means: requests 1m/10m/1h, new 10m, bytes 10m, records 10m
	Baseline   Baseline                                        // 180 120
	HabitRings HabitRings                                      // 300  68
	Contexts   struct{ Switches, Returns window.SmallMoments } // 368  12 usual in ten minutes
	Bytes      Residual                                        // 380  24
	Records    Residual                                        // 404  24
	Spreads    struct{ Bytes10m, Records10m float32 }          // 428   8 slow spreads
	Mix        struct{ Sum, Up float32 }                       // 436   8 surprise of the routes of ten minutes; winsorised CUSUM
	Risk       struct{ Past, Now window.Minifloat }            // 444   4 fading sum of the evidence of the windows before, evidence of this one
	Name       Name                                            // 448  24
	tail       [69]uint64                                      // 472 552
}

// Habits is the tail of a caller, credential, session or user: how, whence and
// when it comes, and what it touches.
type Habits struct {
	Devices        [6]window.Slot                    //   0 48
	DeviceNovelty  window.Novelty                    //  48  8
	Networks       [8]window.Slot                    //  56 64
	NetworkNovelty window.Novelty                    // 120  8
	Companions     [4]window.SmallSlot               // 128 16 losing sources of the same kind seen beside this one
	Countries      [4]window.SmallSlot               // 144 16
	CountryNovelty window.Novelty                    // 160  8
	Hours          window.Hours                      // 168 52
	Endpoints      [16]window.SmallSlot              // 220 64
	Steps          window.Steps                      // 284 64 between endpoints, by their slots
	Last           uint16                            // 348  2 the last endpoint
	Used           uint16                            // 350  2 bits: endpoints asked for in these ten minutes, by their slots
	Objects        window.Bloom                      // 352 64 recent objects
	Versions       [4]window.SmallSlot               // 416 16 of the API, by the sessions they were used in
	Evidence       float32                           // 432  4 e-CUSUM
	Bets           float32                           // 436  4 mean of the e-values of the last windows, some 32
	TypicalVar     window.Minifloat                  // 440  2 in 2^-16: mean square of the windows' distance from Typical
	Session        struct{ Methods, Versions uint8 } // 442 2 bits: what the session has used already
	Context        struct{ Last, Before uint32 }     // 444 8 hashes of device and network, bit 0 where one was unfamiliar: A-B-A-B is a replay
	LastAccepted   uint32                            // 452 4 seconds since the epoch: a session ends 30 minutes after it
	Open           struct {                          // 456 8 accepted, of the buckets that are not over
		New10m, New1h, Companions10m uint16
		Typical                      int16 // in 1/2048: mean y of the bytes of these ten minutes' responses
	}
	Methods    [8]uint8   // 464  8 sessions that used it, halved as a whole when one saturates
	Challenger Challenger // 472 36
	Behaviour  Behaviour  // 508  8
	Typical    Typical    // 516  4
	Numbers    [3]uint32  // 520 12 the last number, mod 2^32, on each of the last three routes that had one
	Walk       Walk       // 532 18
	Order      uint16     // 550  2 the CUSUM of the sequence, in 1/1024 bits
}

// Typical is the mean y, as Residual has it, of the bytes of ten minutes' responses:
// what is usual, a window counting once however many responses it had. 4 bytes.
type Typical struct {
	Mean    int16 // in 1/2048
	Windows uint8 // that it is known from; stays at 255
	Open    uint8 // responses in Habits.Open.Typical; stays at 255
}

// Walk is about the ids that an entity goes through, 18 bytes. Of the objects
// that were new: how often one lay next to the one before, and how often only
// others had touched it; all that was learned, and these ten minutes.
type Walk struct {
	Routes                  [3]uint16 // hashes, of Numbers
	Adjacent, Foreign       window.SmallNovelty
	AdjacentNow, ForeignNow Trials
}

// Trials are so many of so many.
type Trials struct{ K, N uint8 }

// With is what they were with one more.
func (t Trials) With(success bool) (k, n float64) {
	t.Add(success)
	return float64(min(t.K, t.N)), float64(t.N)
}

// Add counts one more. Where there is no room for it both are halved.
func (t *Trials) Add(success bool) {
	if t.N == 255 {
		t.K, t.N = t.K/2, t.N/2
	}
	t.N++
	if success && t.K < t.N {
		t.K++
	}
}

// Merge adds others.
func (t *Trials) Merge(o Trials) {
	k, n := uint(min(t.K, t.N))+uint(min(o.K, o.N)), uint(t.N)+uint(o.N)
	if n > 255 {
		k, n = k/2, n/2
	}
	t.K, t.N = uint8(k), uint8(n)
}

// Challenger is what was accepted and not learned, being anomalous: the baseline
// that would take over if the one there is were stuck. 36 bytes.
type Challenger struct {
	// Of ten minutes: requests, new objects; log2(1+v) of bytes, records. Of a
	// response: y of its bytes, as Residual has it.
	Mean     [5]float32
	Last     uint32   // of the windows in it, when it ended, seconds since the epoch
	N        [5]uint8 // of each; stays at 255
	Ordinary uint8    // windows that were learned meanwhile
	Sessions uint8
	Days     uint8
	Flags    uint8
	_        uint8
	Hour     uint16 // minifloat of the requests of an hour
}

// Behaviour is the class that an entity behaves like. The one that counts is in
// Header.Cohort; 0 is none, everywhere. 8 bytes.
type Behaviour struct {
	Candidate uint8 // another that it has behaved like lately
	Streak    uint8 // for so many days
	_         [2]uint8
	Novel     uint16 // day of the last sight of a new device or network, since the epoch, mod 65536
	Hours     uint8  // active ones, since the last look at the behaviour
	_         uint8
}

// Crowd is the tail of an address, network, device or sign-in route: who signs in
// from there.
type Crowd struct {
	_       [112]byte
	SignIns SignIns
	Spare   [360]byte
}

// SignIns are the attempts to sign in, 80 bytes. The rings are of ten minutes.
type SignIns struct {
	Users                         [2]window.HLL // distinct names that failed: these ten minutes, those before
	Attempts, Failures, Successes [3]uint16
	Usual                         window.Moments // distinct names that failed in ten minutes
}

// Population is the tail of a route: log2(1+v) of all accepted responses.
type Population struct {
	Bytes, Records window.Moments
	Last           uint32 // who was last learned from: see scoring's learnRoute

	// The largest that was ever answered, learned from or not: see scoring's plain.go.
	LargestBytes, LargestRecords window.Peak
	LargestMetered               window.Peak // in bytes, of those whose records were counted

	Before  [16]window.SmallSlot // routes asked for before this one, by the same caller
	BeforeN float32              // how many times
	// New objects on this route that lay next to the one before, and that only
	// others had touched.
	Adjacent, Foreign window.Novelty
	Spare             [416]byte
}
