package window

// A step's count is 0 to 3. Where it would be 4, the whole row is halved, halves
// up: so a row tells the shares of the last dozen steps to its value, whatever
// the others' rows tell, and a step that was once made is not forgotten until
// one of its ends is.

// Add counts one step from the value in place a to the value in place b.
func (s *Steps) Add(a, b int) {
	if s.cell(a, b) == 3 {
		for i := range 16 {
			s.set(i, b, (s.cell(i, b)+1)/2)
		}
	}
	s.set(a, b, s.cell(a, b)+1)
}

// Count is how often the step was made, and how often any to b.
func (s *Steps) Count(a, b int) (count, all float64) {
	sum := 0
	for i := range 16 {
		sum += int(s.cell(i, b))
	}
	return float64(s.cell(a, b)), float64(sum)
}

// To is how often any step to b was made.
func (s *Steps) To(b int) float64 {
	_, all := s.Count(0, b)
	return all
}

// Forget empties the row and the column of a place that another value takes.
func (s *Steps) Forget(place int) {
	for i := range 16 {
		s.set(i, place, 0)
		s.set(place, i, 0)
	}
}

func (s *Steps) cell(a, b int) uint8 { return s[b%16*4+a%16/4] >> (a % 4 * 2) & 3 }

func (s *Steps) set(a, b int, v uint8) {
	c := &s[b%16*4+a%16/4]
	*c = *c&^(3<<(a%4*2)) | v<<(a%4*2)
}
