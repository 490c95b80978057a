package service

import (
	"context"
	"sync"
)

// unfinished are the writes that are on their way, with or without their callers.
type unfinished struct {
	running sync.WaitGroup

	mu      sync.Mutex
	last    int
	cancels map[int]context.CancelFunc
}

// start runs something in the background under the values of ctx, but not under its time. It returns how to end it.
func (u *unfinished) start(ctx context.Context, run func(context.Context)) context.CancelFunc {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	u.mu.Lock()
	if u.cancels == nil {
		u.cancels = map[int]context.CancelFunc{}
	}
	u.last++
	number := u.last
	u.cancels[number] = cancel
	u.mu.Unlock()
	u.running.Go(func() {
		defer func() {
			u.mu.Lock()
			delete(u.cancels, number)
			u.mu.Unlock()
			cancel()
		}()
		run(ctx)
	})
	return cancel
}

func (u *unfinished) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.cancels)
}

func (u *unfinished) cancelAll() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, cancel := range u.cancels {
		cancel()
	}
}

// Close waits for the writes that are on their way to have their outcome, until ctx is done. Those that have none by
// then are given up: the log names their customers, and they stay in quarantine for other gateways. No call may come
// after Close.
func (s *Service) Close(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		s.unfinished.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.unfinished.cancelAll()
		<-ended
	}
}
