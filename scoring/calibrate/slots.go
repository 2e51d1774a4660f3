package calibrate

import "sync"

// slots hold the windows that are open, and the day of whoever has one: an
// identity has the slot of its hash, 64 bytes, or none while somebody else of
// today has it. Who has none is judged like all but teaches nothing today: a
// sample by hash, which has no bias.
type slots struct {
	shards []shard
}

const (
	shardCount  = 64
	windowWidth = 600 // seconds
	dayWidth    = 24 * 3600
)

type shard struct {
	mu   sync.Mutex
	slot []slot
	hand int
}

// slot is one identity's.
type slot struct {
	key    uint64
	window uint32  // number of the open one; 0: none
	ran    uint32  // detectors, in it
	owed   float32 // the slow e-value of a window that closed while nothing of it came; 0: none
	day    uint16  // 0: none
	sum    uint16  // bin of the most it came to, and one; 0: not known
	cell   uint8
	score  uint8 // the most of the window, in twentieths
	odd    uint8 // today's windows that were one in a thousand, as far as they counted
	taught uint8 // the last day on which one counted that was one in ten thousand, or alarmed: see today; 0: none
	flags  uint8
	_      [3]uint8
	most   [MaxDetectors]uint8 // bins of the most that each detector found in the window; of those that last, in the day: 0 is none
}

// Flags of a slot; the first two are the window's, the others the day's.
const (
	windowAlarmed uint8 = 1 << iota // something in it reached the threshold
	windowSpoiled                   // it is part of a campaign
	dayAccepted                     // something was accepted
	dayJudged                       // something was judged by tables
	dayAlerted                      // something reached the threshold
	dayPaid                         // for which the threshold was raised
	dayInCampaign                   // and counts as part of one
	dayInRing                       // a window went into the ring
	windowFlags   = windowAlarmed | windowSpoiled
)

func (s *slot) is(flag uint8) bool { return s.flags&flag != 0 }

func newSlots(n int) slots {
	s := slots{shards: make([]shard, shardCount)}
	for i := range s.shards {
		s.shards[i].slot = make([]slot, max(n/shardCount, 1))
	}
	return s
}

func (s *slots) shard(key uint64) *shard { return &s.shards[key>>58] }

// find is the slot that a key has or could have.
func (sh *shard) find(key uint64) *slot { return &sh.slot[key%uint64(len(sh.slot))] }
