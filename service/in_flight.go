package service

import (
	"context"
	"sync"
)

// inFlightWrites are the writes without an outcome. A write runs on its caller's goroutine, and moves to one of its own
// when its caller leaves or when it is in doubt.
type inFlightWrites struct {
	running sync.WaitGroup

	mu      sync.Mutex
	last    int
	cancels map[int]context.CancelFunc
	stopped bool
}

// begin adds a write. The returned context ends with ctx, and when the gateway stops. Either end or moveToBackground must
// follow.
func (f *inFlightWrites) begin(ctx context.Context) (inFlight context.Context, number int) {
	inFlight, cancel := context.WithCancel(ctx)
	f.running.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancels == nil {
		f.cancels = map[int]context.CancelFunc{}
	}
	f.last++
	f.cancels[f.last] = cancel
	if f.stopped {
		cancel()
	}
	return inFlight, f.last
}

// end removes a write that has its outcome.
func (f *inFlightWrites) end(number int) {
	f.mu.Lock()
	f.cancels[number]()
	delete(f.cancels, number)
	f.mu.Unlock()
	f.running.Done()
}

// moveToBackground runs the rest of a write in a goroutine of its own. The context of run has the values of ctx, and ends
// only when the gateway stops.
func (f *inFlightWrites) moveToBackground(ctx context.Context, number int, run func(context.Context)) {
	background, own := f.begin(context.WithoutCancel(ctx))
	f.end(number)
	go func() {
		defer f.end(own)
		run(background)
	}()
}

func (f *inFlightWrites) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.cancels)
}

func (f *inFlightWrites) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	for _, cancel := range f.cancels {
		cancel()
	}
}

// Close waits until all in-flight writes have their outcomes, or ctx is done. It gives up the writes that have none by then:
// the log names their customers, which stay in quarantine for other gateways. No call may come after Close.
func (s *Service) Close(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		s.inFlight.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.inFlight.stop()
		<-ended
	}
}
