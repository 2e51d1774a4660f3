package window

// Add counts one step from endpoint a to endpoint b. When the cell is full all
// are halved, so the sketch keeps the shares of the last few hundred steps.
func (g *Bigrams) Add(a, b uint16) {
	i := bigram(a, b)
	if g[i] == 255 {
		for j := range g {
			g[j] /= 2
		}
	}
	g[i]++
}

// Count is how often the step was counted, and whatever else hashes to its cell.
func (g *Bigrams) Count(a, b uint16) float64 { return float64(g[bigram(a, b)]) }

// Total is the sum of all cells.
func (g *Bigrams) Total() float64 {
	sum := 0
	for _, c := range g {
		sum += int(c)
	}
	return float64(sum)
}

func bigram(a, b uint16) int { return int(mix(uint64(a)<<16|uint64(b)) >> 58) }
