package window

// Slots remembers the heaviest few of many values, as Space-Saving does
// (Metwally et al. 2005): when all slots are taken, a new value takes the
// lightest one's place and its weight, so that a weight is never too low and
// is too high by at most the lightest there was. Convert an array's slice:
//
//	window.Slots(habits.Devices[:]).Touch(id, 1)
type Slots []Slot

// Weight is the value's weight, 0 when it is not remembered.
func (s Slots) Weight(id uint32) float64 {
	for i := range s {
		if s[i].ID == id {
			return float64(s[i].Weight)
		}
	}
	return 0
}

// Touch adds weight to the value, in the lightest slot's place if it is new,
// and says whether it was remembered before. Weight 0 changes nothing.
func (s Slots) Touch(id uint32, weight float64) (known bool) {
	lightest := 0
	for i := range s {
		if s[i].ID == id && s[i].Weight > 0 {
			if weight > 0 {
				s[i].Weight += float32(weight)
			}
			return true
		}
		if s[i].Weight < s[lightest].Weight {
			lightest = i
		}
	}
	if weight > 0 {
		s[lightest].ID = id
		s[lightest].Weight += float32(weight)
	}
	return false
}

// faded is the weight under which a slot is empty again: after ten half-lives
// a single visit is no memory, and the value is new when it comes back.
const faded = 1.0 / 1024

// Decay multiplies every weight by factor and empties what has faded.
func (s Slots) Decay(factor float64) {
	for i := range s {
		s[i].Weight = float32(float64(s[i].Weight) * factor)
		if s[i].Weight < faded {
			s[i] = Slot{}
		}
	}
}

// Total is the sum of all weights.
func (s Slots) Total() float64 {
	sum := 0.0
	for i := range s {
		sum += float64(s[i].Weight)
	}
	return sum
}

// Observe counts one more value, and whether it was new.
func (n *Novelty) Observe(isNew bool, weight float64) {
	if !(weight > 0) {
		return
	}
	n.N += float32(weight)
	if isNew {
		n.New += float32(weight)
	}
}

// Decay multiplies both counts by factor.
func (n *Novelty) Decay(factor float64) {
	n.N = float32(float64(n.N) * factor)
	n.New = float32(float64(n.New) * factor)
}

// Ratio is the share of new values, drawn towards prior as strength
// observations at that rate would: (new + strength*prior)/(n + strength).
func (n *Novelty) Ratio(prior, strength float64) float64 {
	return (float64(n.New) + strength*prior) / (float64(n.N) + strength)
}
