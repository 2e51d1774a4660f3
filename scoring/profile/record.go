package profile

import "github.com/wonted-project/wonted/scoring/window"

// RecordSize is the size of every record in memory and in a snapshot, in bytes.
const RecordSize = 1024

// Version is the layout's version, in every record and in the snapshot's header.
// Older ones are brought up to it when they are read: see migrate.go.
const Version = 3

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
	Sequence   uint32 // of the last write, for merging replicas
	InFlight   uint16
	Learned    uint16 // days (since the epoch, mod 65536) of the last anchor move
	Device     uint32 // context now: hash of device, of network
	Network    uint32
	Open       [2]uint16 // accepted requests of the minute and the ten minutes that are not over
}

// Rings are the sliding counters that every entity but a route has, 124 bytes. A
// ring's slot is (seconds/width) mod len; the slots that passed since LastSeen
// are zeroed on access (window.Advance).
type Rings struct {
	Requests10s [6]uint16
	Requests1m  [10]uint16
	Requests10m [6]uint16
	Errors10m   [3]uint16 // answers of 400 and above
	Mistakes10m [3]uint16 // those among them that are the client's own doing
	Requests1h  [24]uint16
	Precedents  [10]uint16 // no ring: minifloats of the most of each quantity that once was ordinary
}

// HabitRings are those that only entities with habits have, 60 bytes. Bytes and
// Records hold window minifloats.
type HabitRings struct {
	New1m      [10]uint16 // objects not seen lately
	New10m     [6]uint16
	Bytes10m   [6]uint16
	Records10m [6]uint16
	Switch10m  [2]uint16
}

// Baseline is what is usual, learned one closed bucket at a time from buckets
// with activity, 120 bytes. Byte and record baselines are of log2(1+v).
type Baseline struct {
	Requests1m, Requests10m, Requests1h window.Moments
	Errors10m                           window.Moments
	New10m, New1h                       window.Moments
	Bytes10m, Bytes1h                   window.Moments
	Records10m                          window.Moments
	Switch10m                           window.Moments
}

// Residual is the identity's deviation from its route in one response's size:
// y = (log2(v+1) - mu_route)/sigma_route. 24 bytes.
type Residual struct {
	Y      window.Moments
	Anchor float32 // slow mean, limited in speed
	Up     float32 // winsorised CUSUM
	Spread float32 // slow spread, in doublings, limited in speed
}

// Record is one entity's profile: 1,024 bytes, little-endian, fixed offsets, no
// pointers. 472 bytes are common to every kind; the last 552 are laid out by
// kind: see Habits, Crowd and Population.
//
// Records lie on whole lines of 64 bytes, and memory is fetched by the line. So
// what a request looks at of an address, a network or a device is in the first
// four, but for the last four bytes of what is usual of errors; and what it
// looks at of a route is in the first one and two more.
type Record struct {
	Header                                            //   0  64
	Rings      Rings                                  //  64 124
	Anchors    [6]float32                             // 188  24 slow means: requests 1m/10m/1h, new 10m, bytes 10m, records 10m
	Baseline   Baseline                               // 212 120
	HabitRings HabitRings                             // 332  60
	Bytes      Residual                               // 392  24
	Records    Residual                               // 416  24
	Spreads    struct{ Bytes10m, Records10m float32 } // 440   8 slow spreads
	Name       Name                                   // 448  24
	tail       [69]uint64                             // 472 552
}

// Habits is the tail of a caller, credential, session or user: how, whence and
// when it comes, and what it touches.
type Habits struct {
	Devices          [6]window.Slot       //   0 48
	DeviceNovelty    window.Novelty       //  48  8
	Networks         [8]window.Slot       //  56 64
	NetworkNovelty   window.Novelty       // 120  8
	Companions       [4]window.Slot       // 128 32 losing sources of the same kind seen beside this one
	CompanionNovelty window.Novelty       // 160  8
	Countries        [4]window.SmallSlot  // 168 16
	CountryNovelty   window.Novelty       // 184  8
	Hours            window.Hours         // 192 52
	Endpoints        [16]window.SmallSlot // 244 64
	Bigrams          window.Bigrams       // 308 64
	Last             [4]uint16            // 372  8 last four endpoints
	_                uint32
	Objects          window.Bloom        // 384 64 recent objects
	Distinct         [2]window.HLL       // 448 48
	Versions         [4]window.SmallSlot // 496 16 of the API, by the sessions they were used in
	Evidence         float32             // e-CUSUM
	Elevated         uint32              // until, seconds since the epoch
	AlertDay         uint16
	Session          struct{ Methods, Versions uint8 }         // bits: what the session has used already
	Before           struct{ Device, Network uint32 }          // the context before the one in Header: A-B-A-B is a replay
	LastAccepted     uint32                                    // seconds since the epoch: a session ends 30 minutes after it
	Open             struct{ New10m, New1h, Switch10m uint16 } // accepted, of the buckets that are not over
	_                uint16
	Methods          [8]uint8 // sessions that used it, halved as a whole when one saturates
}

// Crowd is the tail of an address, network, device or sign-in route: who comes
// from there.
type Crowd struct {
	Objects window.Bloom  // objects lately touched from here
	Callers [2]window.HLL // distinct callers, current and previous day
	Spare   [440]byte
}

// Population is the tail of a route: log2(1+v) of all accepted responses.
type Population struct {
	Bytes, Records window.Moments
	Last           uint32 // who was last learned from: see scoring's learnRoute

	// The largest that was ever answered, learned from or not: see scoring's plain.go.
	LargestBytes, LargestRecords window.Peak
	LargestMetered               window.Peak // in bytes, of those whose records were counted
	Spare                        [500]byte
}
