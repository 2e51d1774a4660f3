package main

import "context"

// ahead reads, parses and orders a tape in a goroutine of its own, so that this
// goes on while exchanges are judged. They come in batches, in order.
type ahead struct {
	tape    *tape
	order   order
	batch   []moment
	batches chan []moment // closed at the end
}

const (
	batchSize    = 256
	batchesAhead = 8
)

// readAhead begins to read, until ctx is done: what was read until then still
// comes. The tape belongs to it; end, to be called once, ends it and closes that.
func readAhead(ctx context.Context, t *tape) (batches <-chan []moment, end func()) {
	ctx, stop := context.WithCancel(ctx)
	a := &ahead{tape: t, batches: make(chan []moment, batchesAhead)}
	t.idle = a.flush
	go a.run(ctx)
	return a.batches, func() {
		stop()
		for range a.batches { // until nobody reads any more
		}
		t.close()
	}
}

func (a *ahead) run(ctx context.Context) {
	defer close(a.batches)
	for n := 0; n%batchSize != 0 || ctx.Err() == nil; n++ {
		f := a.tape.earliest()
		if f == nil {
			break
		}
		a.order.add(f.take())
		for a.order.due() {
			a.emit()
		}
		f.advance()
	}
	a.flush()
}

// emit passes the earliest exchange on.
func (a *ahead) emit() bool {
	m, ok := a.order.take()
	if ok {
		if a.batch = append(a.batch, m); len(a.batch) == batchSize {
			a.send()
		}
	}
	return ok
}

func (a *ahead) send() {
	a.batches <- a.batch
	a.batch = make([]moment, 0, batchSize)
}

// flush passes everything on, however young: there is nothing more to read now.
func (a *ahead) flush() {
	for a.emit() {
	}
	if len(a.batch) > 0 {
		a.send()
	}
}
