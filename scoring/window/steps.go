package window

import (
	"encoding/binary"
	"math/bits"
)

// A step's count is 0 to 3. Where it would be 4, the whole row is halved, halves
// up: so a row tells the shares of the last dozen steps to its value, whatever
// the others' rows tell, and a step that was once made is not forgotten until
// one of its ends is.

// Add counts one step from the value in place a to the value in place b.
func (s *Steps) Add(a, b int) {
	r := s.row(b)
	if cell(r, a) == 3 {
		for i := range 16 {
			r = setCell(r, i, (cell(r, i)+1)/2)
		}
	}
	s.setRow(b, setCell(r, a, cell(r, a)+1))
}

// Count is how often the step was made, and how often any to b.
func (s *Steps) Count(a, b int) (count, all float64) {
	return float64(cell(s.row(b), a)), s.To(b)
}

// To is how often any step to b was made.
func (s *Steps) To(b int) float64 {
	const ones = 0x5555_5555
	r := s.row(b)
	return float64(bits.OnesCount32(r&ones) + 2*bits.OnesCount32(r>>1&ones))
}

// Forget empties the row and the column of a place that another value takes.
func (s *Steps) Forget(place int) {
	for b := range 16 {
		s.setRow(b, setCell(s.row(b), place, 0))
	}
	s.setRow(place, 0)
}

// row holds the steps to b, two bits each.
func (s *Steps) row(b int) uint32       { return binary.LittleEndian.Uint32(s[b%16*4:]) }
func (s *Steps) setRow(b int, r uint32) { binary.LittleEndian.PutUint32(s[b%16*4:], r) }

func cell(row uint32, a int) uint32              { return row >> (a % 16 * 2) & 3 }
func setCell(row uint32, a int, v uint32) uint32 { return row&^(3<<(a%16*2)) | v<<(a%16*2) }
