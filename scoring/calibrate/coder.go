package calibrate

import (
	"encoding/binary"
	"math"
)

// coder writes values one behind the other, little-endian, or reads them back
// into the same places: so what is written and what is read cannot differ.
type coder struct {
	b       []byte
	reading bool
	short   bool // there was less than was asked for, or it cannot be
}

// take is the next n bytes: to be read from, or to be written to.
func (c *coder) take(n int) []byte {
	if !c.reading {
		at := len(c.b)
		c.b = append(c.b, make([]byte, n)...)
		return c.b[at:]
	}
	if len(c.b) < n {
		c.short = true
		c.b = nil
		return make([]byte, n)
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *coder) u8(v *uint8) {
	b := c.take(1)
	if c.reading {
		*v = b[0]
	} else {
		b[0] = *v
	}
}

func (c *coder) flag(v *bool) {
	n := uint8(0)
	if *v {
		n = 1
	}
	c.u8(&n)
	*v = n != 0
}

func (c *coder) u16(v *uint16) {
	b := c.take(2)
	if c.reading {
		*v = binary.LittleEndian.Uint16(b)
	} else {
		binary.LittleEndian.PutUint16(b, *v)
	}
}

func (c *coder) u32(v *uint32) {
	b := c.take(4)
	if c.reading {
		*v = binary.LittleEndian.Uint32(b)
	} else {
		binary.LittleEndian.PutUint32(b, *v)
	}
}

func (c *coder) u64(v *uint64) {
	b := c.take(8)
	if c.reading {
		*v = binary.LittleEndian.Uint64(b)
	} else {
		binary.LittleEndian.PutUint64(b, *v)
	}
}

func (c *coder) count(v *int64) {
	u := uint64(*v)
	c.u64(&u)
	if *v = int64(u); *v < 0 {
		c.short = true
	}
}

// f64 is a number of something: finite, and not below 0.
func (c *coder) f64(v *float64) {
	u := math.Float64bits(*v)
	c.u64(&u)
	if *v = math.Float64frombits(u); !(*v >= 0 && *v <= 1e15) {
		*v, c.short = 0, true
	}
}

func (c *coder) f32(v *float32) {
	u := math.Float32bits(*v)
	c.u32(&u)
	if *v = math.Float32frombits(u); !(*v >= 0 && *v <= 1e9) {
		*v, c.short = 0, true
	}
}

func (c *coder) text(v *string) {
	n := uint8(min(len(*v), 255))
	c.u8(&n)
	b := c.take(int(n))
	if c.reading {
		*v = string(b)
	} else {
		copy(b, *v)
	}
}

// column writes the bins that hold something.
func (c *coder) column(v *column) {
	c.u32(&v.faded)
	n := uint16(0)
	for _, k := range v.counts {
		if k > 0 {
			n++
		}
	}
	c.u16(&n)
	if c.reading {
		for range n {
			var b uint16
			c.u16(&b)
			if int(b) >= len(v.counts) || c.short {
				c.short = true
				return
			}
			c.f32(&v.counts[b])
			v.n += float64(v.counts[b])
		}
		return
	}
	v.n = 0 // as who reads it adds it up: counts are rounded, and n is not
	for b := range v.counts {
		if v.counts[b] > 0 {
			v.n += float64(v.counts[b])
			at := uint16(b)
			c.u16(&at)
			c.f32(&v.counts[b])
		}
	}
}
