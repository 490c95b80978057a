package sandbox

import (
	"net/http"
	"time"
)

// Failure is a fault that the sandbox injects into one request: on the way to PHP, in PHP, or on the way back. The zero
// Failure changes nothing. The effect of the request and the response to the client are set independently, because a
// client cannot infer the one from the other:
//
//	Failure{Work: Never, Delivery: Reset}                        // the connection breaks, and nothing was written
//	Failure{Delivery: Reset}                                     // it breaks, and the row is changed
//	Failure{Work: Late, LateBy: time.Second, Delivery: Silent}   // the client gives up, and the row changes then (F22)
//	Failure{Work: Never, Instead: BadGateway()}                  // PHP-FPM is down
//	Failure{Instead: FatalError()}                               // a plug-in dies after the row was changed
type Failure struct {
	// Delay comes before everything else. If the request is worked on, it adds to Config.Latency and holds the worker.
	Delay time.Duration

	// Work says whether and when the request's work is done.
	Work Work
	// LateBy is how long after the response Late work is done.
	LateBy time.Duration

	// Refusal is a response by which FluentCart refuses a write, such as Rejected(); nothing is written. An update by the
	// companion is worked on and gets it inside the companion's answer. Any other request gets it as it is, and never reaches
	// PHP, as with Never and Instead. A Status of 0 is no refusal.
	Refusal Response
	// Cause makes the companion fail an update with this cause, such as "deadlock"; nothing is written. It is for updates by
	// the companion only.
	Cause string
	// Instead replaces the store's own response. If its Status is 0, the client gets the store's own response, or, if the
	// work is not done by then, nginx's page for a PHP that took too long.
	Instead Response
	// Header is added to the store's own response, such as that of a cache. Instead has a header of its own.
	Header http.Header
	// Delivery says how the response reaches the client.
	Delivery Delivery
	// Piece is how many bytes a Dripping response sends at a time; 0 is 16.
	Piece int
	// Pause is the time between two pieces of a Dripping response.
	Pause time.Duration
}

// Work says whether and when the work of a request is done.
type Work int

const (
	// Done work is done before the response, as without a fault.
	Done Work = iota
	// Never is a request that does not reach PHP: it needs no worker, has no latency and changes nothing.
	Never
	// Late work is done after the client got its response or its broken connection, whether or not the client still waits
	// (F22). It keeps its worker until then.
	Late
)

// Delivery says how a response reaches the client.
type Delivery int

const (
	// Whole sends the complete response.
	Whole Delivery = iota
	// Truncated announces the length of the response, and closes the connection after half of it.
	Truncated
	// Dripping sends the response in small pieces with pauses between them.
	Dripping
	// Reset sends no response and resets the connection (TCP RST).
	Reset
	// Silent sends no response and keeps the connection open until the client gives up.
	Silent
)

// replacement returns the response that replaces the store's own.
func (f Failure) replacement() *bufferedResponse {
	if f.Instead.Status == 0 {
		return GatewayTimeout().buffered()
	}
	return f.Instead.buffered()
}
