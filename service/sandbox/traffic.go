package sandbox

import (
	"sync"
	"time"
)

// traffic counts a store's in-flight requests and late writes, so that tests can wait for them and end them.
type traffic struct {
	closed chan struct{} // ends every pause

	mu       sync.Mutex // guards what follows
	idle     sync.Cond  // inFlight or late became 0
	inFlight int
	highest  int
	late     int
	isClosed bool
}

func newTraffic() *traffic {
	t := &traffic{closed: make(chan struct{})}
	t.idle.L = &t.mu
	return t
}

// InFlight returns the number of requests in the store: worked on, waiting for a worker, or kept waiting for a response. It
// does not count late writes; their requests have ended.
func (s *Store) InFlight() int {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.inFlight
}

// MaxInFlight returns the highest value that InFlight has had.
func (s *Store) MaxInFlight() int {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.highest
}

// Wait returns when no request is in flight and no late write is pending. If the clients have stopped by then, rows and log
// are final. A request with Silent delivery ends only when its client gives up.
func (s *Store) Wait() { s.traffic.wait() }

// Close ends everything that waits, and returns when it has ended. Pending late writes are not applied, and waiting requests
// are reset. Close the store before its server, which otherwise waits for those requests.
func (s *Store) Close() {
	s.traffic.close()
	s.traffic.wait()
}

func (t *traffic) enter() {
	t.mu.Lock()
	t.inFlight++
	t.highest = max(t.highest, t.inFlight)
	t.mu.Unlock()
}

func (t *traffic) leave() { t.end(&t.inFlight) }

func (t *traffic) end(count *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*count--
	if *count == 0 {
		t.idle.Broadcast()
	}
}

// startLate reports whether a late write may still start. If so, the caller must call endLate after it.
func (t *traffic) startLate() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isClosed {
		return false
	}
	t.late++
	return true
}

func (t *traffic) endLate() { t.end(&t.late) }

func (t *traffic) wait() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.inFlight > 0 || t.late > 0 {
		t.idle.Wait()
	}
}

func (t *traffic) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isClosed {
		t.isClosed = true
		close(t.closed)
	}
}

// pause waits for d. It returns false if the store or gone is closed before that; gone may be nil.
func (t *traffic) pause(d time.Duration, gone <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-gone:
		return false
	case <-t.closed:
		return false
	}
}
