package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// workers hand a request on to PHP, as PHP-FPM does: a place in the channel is a worker that is busy. A nil channel is
// a store without a limit.
type workers chan struct{}

func newWorkers(n int) workers {
	if n <= 0 {
		return nil
	}
	return make(workers, n)
}

// acquire waits for a free worker, first come, first served. It says false if one of the channels is closed before.
func (ws workers) acquire(gone, closed <-chan struct{}) bool {
	if ws == nil {
		return true
	}
	select {
	case ws <- struct{}{}:
	case <-gone:
		return false
	case <-closed:
		return false
	}
	select {
	case <-gone: // select takes either where both were ready
		ws.release()
		return false
	default:
		return true
	}
}

func (ws workers) release() {
	if ws != nil {
		<-ws
	}
}

// serve takes a request through nginx and PHP-FPM, and lets happen on the way what Config.Fail says.
func (s *Store) serve(w http.ResponseWriter, r *http.Request, received time.Time) {
	var f Failure
	if s.fail != nil {
		if _, ok := customerID(r); ok && isMethod(r) {
			if asked := s.fail(r); asked != nil {
				f = *asked
			}
		}
	}

	// nginx passes a request on when it has all of it. This is also where net/http begins to watch whether the client
	// is still there. A body that is too large never reaches PHP.
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	r = r.WithContext(r.Context()) // a copy: the request is not ours to change
	r.Body = io.NopCloser(bytes.NewReader(body))
	gone := r.Context().Done()

	if f.Work == Never {
		if !s.traffic.pause(f.Delay, gone) {
			abandon(w, r)
			return
		}
		s.deliver(w, r, f, f.told())
		return
	}

	if !s.workers.acquire(gone, s.traffic.closed) {
		abandon(w, r)
		return
	}
	// Nobody tells PHP that the client has gone (F22).
	if !s.traffic.pause(s.latency+f.Delay, nil) {
		s.workers.release()
		abandon(w, r)
		return
	}
	if f.Work == Late {
		s.workLate(r, received, f.LateBy)
		s.deliver(w, r, f, f.told())
		return
	}
	answered := newResponse()
	s.work(answered, r, received)
	s.workers.release() // nginx has the answer now, however slowly its client takes it
	if f.Instead.Status != 0 {
		s.deliver(w, r, f, f.told())
		return
	}
	s.deliver(w, r, f, answered)
}

// workLate does the work after a while, with the worker that the caller has and does not have any more afterwards.
func (s *Store) workLate(r *http.Request, received time.Time, after time.Duration) {
	if !s.traffic.beginLate() {
		s.workers.release()
		return
	}
	go func() {
		defer s.traffic.endLate()
		defer s.workers.release()
		if s.traffic.pause(after, nil) {
			s.work(newResponse(), r, received) // nobody hears the answer
		}
	}()
}
