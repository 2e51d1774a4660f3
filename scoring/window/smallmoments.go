package window

// SmallMoments hold n, n*mean and M2 as Minifloats of 1/1024ths: sums and not a
// mean, since all three fade alike then. A fade of 1/433 meets a step of 1/2048,
// so a count stands up to a tenth off. They are for what is seldom: switches, not
// requests.

// Moments returns them at full width, to be looked at and added to.
func (s SmallMoments) Moments() Moments {
	m := Moments{N: float32(smallWeight(s.N)), M2: float32(smallWeight(s.M2))}
	if m.N > 0 {
		m.Mean = float32(smallWeight(s.Sum) / smallWeight(s.N))
	}
	return m
}

// Small is the inverse of SmallMoments.Moments, for a mean that is not negative.
func (m *Moments) Small() SmallMoments {
	n := max(float64(m.N), 0)
	return SmallMoments{smallEncode(n), smallEncode(n * max(float64(m.Mean), 0)), smallEncode(max(float64(m.M2), 0))}
}

// Novelty returns the counts at full width.
func (s SmallNovelty) Novelty() Novelty {
	return Novelty{N: float32(smallWeight(s.N)), New: float32(min(smallWeight(s.New), smallWeight(s.N)))}
}

// Small is the inverse of SmallNovelty.Novelty.
func (n *Novelty) Small() SmallNovelty {
	return SmallNovelty{smallEncode(max(float64(n.N), 0)), smallEncode(max(float64(n.New), 0))}
}
