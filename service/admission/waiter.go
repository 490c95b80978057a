package admission

import "time"

// Waiter is a call that waits in a Queue.
type Waiter struct {
	queue    *Queue
	caller   string
	deadline time.Time     // zero if it has none
	ended    chan struct{} // closed when the wait is over
	err      error         // why the call was rejected; nil if it was given the right
}

// Caller returns the caller of the call.
func (w *Waiter) Caller() string { return w.caller }

// Ended is closed when the call was given the right, or was rejected. Err says which.
func (w *Waiter) Ended() <-chan struct{} { return w.ended }

// Err returns why the call was rejected, which is an ErrOverloaded, or nil if it was given the right. It must be called
// after Ended is closed.
func (w *Waiter) Err() error { return w.err }

// Reject ends a wait with an error. It has no effect on one that is over.
func (w *Waiter) Reject(err error) {
	if w.queue.remove(w) {
		w.err = err
		close(w.ended)
	}
}

// Leave ends the wait of a call that gives up. If the call was given the right at the same moment, the next waiter gets
// it.
func (w *Waiter) Leave() {
	if !w.queue.remove(w) && w.err == nil {
		w.queue.HandOver()
	}
}
