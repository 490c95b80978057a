package service

import (
	"context"
	"sync"
)

// inFlightWrites are the goroutines of the writes without an outcome, with or without their callers.
type inFlightWrites struct {
	running sync.WaitGroup

	mu      sync.Mutex
	last    int
	cancels map[int]context.CancelFunc
}

// start runs a write in the background, with the values of ctx but without its deadline. It returns how to cancel the
// write.
func (f *inFlightWrites) start(ctx context.Context, run func(context.Context)) context.CancelFunc {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.mu.Lock()
	if f.cancels == nil {
		f.cancels = map[int]context.CancelFunc{}
	}
	f.last++
	number := f.last
	f.cancels[number] = cancel
	f.mu.Unlock()
	f.running.Go(func() {
		defer func() {
			f.mu.Lock()
			delete(f.cancels, number)
			f.mu.Unlock()
			cancel()
		}()
		run(ctx)
	})
	return cancel
}

func (f *inFlightWrites) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.cancels)
}

func (f *inFlightWrites) cancelAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, cancel := range f.cancels {
		cancel()
	}
}

// Close waits until ctx is done for the in-flight writes to have their outcome. It gives up those that have none by then:
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
		s.inFlight.cancelAll()
		<-ended
	}
}
