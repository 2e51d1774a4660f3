package window

import "math"

// SmallSlots are Slots in half the room: the value is 16 bits of hash, so two
// of 16 values collide once in 550 records, and the weight is a Minifloat of
// 1/1024ths, true to 0.025 % an operation, at most 2^32. A decay nearer to 1 than 0.9995
// is less than half a step and would be rounded away.
type SmallSlots []SmallSlot

const smallUnit = 1024

func smallWeight(w uint16) float64 { return float64(Minifloat(w).Decode()) / smallUnit }

func smallEncode(w float64) uint16 {
	if !(w > 0) {
		return 0
	}
	return uint16(Encode(uint64(math.Round(min(w, 1<<40) * smallUnit)))) // Encode saturates below that
}

// Count is the slot's weight.
func (s SmallSlot) Count() float64 { return smallWeight(s.Weight) }

// Weight is the value's weight, 0 when it is not remembered.
func (s SmallSlots) Weight(id uint16) float64 {
	for i := range s {
		if s[i].ID == id {
			return smallWeight(s[i].Weight)
		}
	}
	return 0
}

// Place is where the value lies, or where it will come to lie when it is touched.
func (s SmallSlots) Place(id uint16) (place int, known bool) {
	for i := range s {
		if s[i].ID == id && s[i].Weight > 0 {
			return i, true
		}
		if s[i].Weight < s[place].Weight { // Minifloats compare as their values do
			place = i
		}
	}
	return place, false
}

// Touch adds weight to the value, in the lightest slot's place if it is new,
// and says whether it was remembered before. Weight 0 changes nothing.
func (s SmallSlots) Touch(id uint16, weight float64) (known bool) {
	place, known := s.Place(id)
	if weight > 0 {
		s[place] = SmallSlot{ID: id, Weight: smallEncode(smallWeight(s[place].Weight) + weight)}
	}
	return known
}

// Decay multiplies every weight by factor and empties what has faded.
func (s SmallSlots) Decay(factor float64) {
	for i := range s {
		if s[i].Weight = smallEncode(smallWeight(s[i].Weight) * factor); s[i].Weight <= 1 {
			s[i] = SmallSlot{}
		}
	}
}

// Total is the sum of all weights.
func (s SmallSlots) Total() float64 {
	sum := 0.0
	for i := range s {
		sum += smallWeight(s[i].Weight)
	}
	return sum
}
