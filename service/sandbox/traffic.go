package sandbox

import (
	"sync"
	"time"
)

// traffic counts what is under way in a store, so that it can be waited for and ended.
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

// InFlight is how many requests are inside the store: worked on, waiting for a worker, or kept waiting for an answer.
// A late write is not among them; its request has ended.
func (s *Store) InFlight() int {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.inFlight
}

// MaxInFlight is the highest that InFlight has been.
func (s *Store) MaxInFlight() int {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.highest
}

// Wait returns when no request is in flight and no late write is still to come. After it, and once the clients have
// stopped, rows and log are final. A request that is kept silent ends with its client's patience only.
func (s *Store) Wait() {
	s.traffic.wait()
}

// Close drops what waits and returns when it has ended. Late writes that are still to come are not applied, and
// requests that wait for something are reset. Close the store before its server, which otherwise waits for the latter.
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

func (t *traffic) leave() {
	t.mu.Lock()
	t.inFlight--
	if t.inFlight == 0 {
		t.idle.Broadcast()
	}
	t.mu.Unlock()
}

// beginLate says whether there may still be a late write; endLate must follow if so.
func (t *traffic) beginLate() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isClosed {
		return false
	}
	t.late++
	return true
}

func (t *traffic) endLate() {
	t.mu.Lock()
	t.late--
	if t.late == 0 {
		t.idle.Broadcast()
	}
	t.mu.Unlock()
}

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

// pause waits for a time. It says false if the store was closed before that, or if gone was; gone may be nil.
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
