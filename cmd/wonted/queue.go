package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// queue takes what requests leave behind to the one goroutine that deals with it.
// A request never waits for that: what finds the queue full is not taken.
type queue[T any] chan T

func (q queue[T]) put(v T) (taken bool) {
	select {
	case q <- v:
		return true
	default:
		return false
	}
}

// run takes what comes until ctx is done, then what waits.
func (q queue[T]) run(ctx context.Context, take func(T)) {
	for {
		select {
		case v := <-q:
			take(v)
			continue
		case <-ctx.Done():
		}
		for range len(q) {
			take(<-q)
		}
		return
	}
}

// publish makes a counter of a number that only grows.
func publish(reg prometheus.Registerer, name, help string, n func() uint64) {
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
		func() float64 { return float64(n()) }))
}
