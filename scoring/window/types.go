package window

// Moments is a running (n, mean, M2) of one quantity, 12 bytes, in float32.
// N is an effective count: Decay shrinks it, so it need not be whole.
type Moments struct{ N, Mean, M2 float32 }

// Slot is one remembered value (the low 32 bits of its keyed hash) with its
// decayed weight. ID 0 with weight 0 is an empty slot.
type Slot struct {
	ID     uint32
	Weight float32
}

// Novelty counts how often a slotted value was drawn and how often it was new,
// both decayed alike: the ratio is the identity's own rate of novelty.
type Novelty struct{ N, New float32 }

// SmallSlot is a Slot in four bytes: 16 bits of hash and a minifloat weight.
type SmallSlot struct{ ID, Weight uint16 }

// Hours is a decayed histogram of the hour of day on weekdays and weekends,
// 8 bits a cell that share one scale: cell x Scale is the decayed count.
type Hours struct {
	Cells [2][24]uint8 // [0] weekday, [1] weekend
	Scale float32
}

// Bloom is a pair of 256-bit Bloom filters (k = 3) that rotate: when the
// current one has 96 bits set it becomes the previous one, since a fuller one
// answers "seen" for a third of what is new.
type Bloom struct{ Current, Previous [4]uint64 }

// HLL is a 32-register HyperLogLog of 6-bit registers: about 18 % standard error.
type HLL [24]byte

// Steps counts the steps between the sixteen values of SmallSlots, by the places
// they have there: 16 rows of 16 cells of two bits. See steps.go.
type Steps [64]uint8

// Linear counts distinct values, up to some 200: 64 cells of a bit. See linear.go.
type Linear [8]uint8

// SmallMoments are Moments in half the room: see smallmoments.go.
type SmallMoments struct{ N, Sum, M2 uint16 }

// SmallNovelty is a Novelty in half the room, Minifloats of 1/1024ths.
type SmallNovelty struct{ N, New uint16 }
