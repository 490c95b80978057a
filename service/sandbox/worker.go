package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// workers models the worker pool of PHP-FPM: each value in the channel is a busy worker. A nil channel is a store without a
// limit.
type workers chan struct{}

func newWorkers(n int) workers {
	if n <= 0 {
		return nil
	}
	return make(workers, n)
}

// acquire waits for a free worker, first come, first served. It returns false if gone or closed is closed before.
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
	case <-gone: // select may take the worker if both were ready
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

// serve passes a request through nginx and PHP-FPM, and injects the fault that Config.Fail returns.
func (s *Store) serve(w http.ResponseWriter, r *http.Request, received time.Time) {
	var f Failure
	t := s.target(r)
	if s.fail != nil && t.isOfCustomer() {
		if t.action == cancelUpdate {
			r = s.withCustomer(r, t.requestID)
		}
		if asked := s.fail(r); asked != nil {
			f = *asked
		} else if s.workers == nil && s.latency <= 0 {
			s.work(w, r, received, Failure{}) // as without Config.Fail
			return
		}
	}

	if f.Refusal.Status != 0 && t.action != updateAtomically {
		f.Work, f.Instead = Never, f.Refusal
	}

	// nginx passes a request on when it has all of it. From here on net/http also detects that the client has left. A body
	// that is too large never reaches PHP.
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	r = r.WithContext(r.Context()) // a copy: a handler must not modify its request
	r.Body = io.NopCloser(bytes.NewReader(body))
	if s.fail != nil && t.action == updateAtomically {
		s.noteReceived(body, t.customer)
	}
	gone := r.Context().Done()

	if f.Work == Never {
		if !s.traffic.pause(f.Delay, gone) {
			abandon(w, r)
			return
		}
		s.deliver(w, r, f, f.replacement())
		return
	}

	if !s.workers.acquire(gone, s.traffic.closed) {
		abandon(w, r)
		return
	}
	// PHP does not notice that the client has left (F22).
	if !s.traffic.pause(s.latency+f.Delay, nil) {
		s.workers.release()
		abandon(w, r)
		return
	}
	if f.Work == Late {
		s.workLate(r, received, f)
		s.deliver(w, r, f, f.replacement())
		return
	}
	buffered := newBufferedResponse()
	s.work(buffered, r, received, f)
	s.workers.release() // nginx has the response now, however slowly its client reads it
	if f.Instead.Status != 0 {
		buffered = f.replacement()
	}
	addHeader(buffered.header, f.Header)
	s.deliver(w, r, f, buffered)
}

// workLate does the work later. It takes over the worker that the caller holds.
func (s *Store) workLate(r *http.Request, received time.Time, f Failure) {
	if !s.traffic.startLate() {
		s.workers.release()
		return
	}
	before := s.resetCount()
	go func() {
		defer s.traffic.endLate()
		defer s.workers.release()
		if s.traffic.pause(f.LateBy, nil) && s.resetCount() == before {
			s.work(newBufferedResponse(), r, received, f) // the response is discarded
		}
	}()
}
