package detect

import (
	"container/heap"
	"context"
)

// batchSize is how many calls travel at once from the generator to the scorer.
const batchSize = 4096

// batchOf is a piece of the stream: calls in the order of time, and the moments
// between them at which something is forked.
type batchOf struct {
	calls []Call
	who   []*Identity // immutable parts only: the generator is ahead
	forks []moment
}

// moment is a place in the stream where attacks are played.
type moment struct {
	before int       // index of the call that comes next
	plan   int       // which of the plan
	victim *Identity // a copy, as it was then
	others *Identity // somebody else's, whose objects may be asked for
}

// line is the identities by when they are next heard of.
type line []*Identity

func (l line) Len() int { return len(l) }
func (l line) Less(i, j int) bool {
	return l[i].next < l[j].next || l[i].next == l[j].next && l[i].Number < l[j].Number
}
func (l line) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *line) Push(x any)   { *l = append(*l, x.(*Identity)) }
func (l *line) Pop() any     { old := *l; x := old[len(old)-1]; *l = old[:len(old)-1]; return x }

// generate merges what all identities do, by time, and sends it in batches,
// with a copy of the victim at each moment of the plan. It ends with the world,
// or when ctx does, and closes out.
func generate(ctx context.Context, w *world, everybody []*Identity, plan []planned, out chan<- *batchOf, free <-chan *batchOf) {
	defer close(out)
	queue := make(line, 0, len(everybody))
	for _, id := range everybody {
		if id.next < id.gone {
			queue = append(queue, id)
		}
	}
	heap.Init(&queue)
	next := 0
	for len(queue) > 0 {
		var b *batchOf
		select {
		case b = <-free:
			b.calls, b.who, b.forks = b.calls[:0], b.who[:0], b.forks[:0]
		default:
			b = &batchOf{calls: make([]Call, 0, batchSize), who: make([]*Identity, 0, batchSize)}
		}
		for len(b.calls) < batchSize && len(queue) > 0 {
			id := queue[0]
			for next < len(plan) && plan[next].at <= id.next {
				p := &plan[next]
				b.forks = append(b.forks, moment{before: len(b.calls), plan: next,
					victim: p.victim.copy(nil), others: p.other.copy(nil)})
				next++
			}
			b.calls = b.calls[:len(b.calls)+1]
			id.step(&b.calls[len(b.calls)-1])
			b.who = append(b.who, id)
			if id.next >= id.gone {
				heap.Pop(&queue)
			} else {
				heap.Fix(&queue, 0)
			}
		}
		select {
		case out <- b:
		case <-ctx.Done():
			return
		}
	}
}
