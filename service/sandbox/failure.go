package sandbox

import "time"

// Failure is what goes wrong with one request: on the way to PHP, in it, or on the way back. The zero Failure is
// nothing. What becomes of the work and what the client gets to see are independent, since a client learns nothing of
// the one from the other:
//
//	Failure{Work: Never, Delivery: Reset}                        // the connection breaks, and nothing was written
//	Failure{Delivery: Reset}                                     // it breaks, and the row is changed
//	Failure{Work: Late, LateBy: time.Second, Delivery: Silent}   // the client gives up, and the row changes then (F22)
//	Failure{Work: Never, Instead: BadGateway()}                  // PHP-FPM is down
//	Failure{Instead: FatalError()}                               // a plug-in dies after the row was changed
type Failure struct {
	// Delay comes before all else. For a request that is worked on it adds to Config.Latency and holds the worker.
	Delay time.Duration

	// Work says whether and when the request's work is done.
	Work Work
	// LateBy is how long after the answer Late work is done.
	LateBy time.Duration

	// Instead is what the client is answered in place of the truth. Without a status it is the truth, or, where the
	// work is not done by then, nginx's page for a PHP that took too long.
	Instead Answer
	// Delivery says how the answer reaches the client.
	Delivery Delivery
	// Piece is how many bytes a Dripping answer sends at a time; 0 is 16.
	Piece int
	// Pause is the time between two pieces of a Dripping answer.
	Pause time.Duration
}

// Work says what becomes of the work of a request that fails.
type Work int

const (
	// Done work is done before the answer, as ever.
	Done Work = iota
	// Never is a request that does not reach PHP: it needs no worker, has no latency and changes nothing.
	Never
	// Late work is done after the client has its answer or its broken connection, and whether or not it is still there
	// (F22). It keeps its worker until then.
	Late
)

// Delivery says how an answer reaches the client.
type Delivery int

const (
	// Whole is the answer as it should be.
	Whole Delivery = iota
	// Truncated announces the length of the answer, and ends the connection after half of it.
	Truncated
	// Dripping sends the answer in small pieces with pauses between.
	Dripping
	// Reset sends no answer and resets the connection (TCP RST).
	Reset
	// Silent sends no answer and keeps the connection until the client gives up.
	Silent
)

const defaultPiece = 16

func (f Failure) piece() int {
	if f.Piece > 0 {
		return f.Piece
	}
	return defaultPiece
}

// told is what the client is told that is not the truth.
func (f Failure) told() *response {
	if f.Instead.Status == 0 {
		return GatewayTimeout().response()
	}
	return f.Instead.response()
}
