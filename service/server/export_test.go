package server

import (
	"net"
	"net/http"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// JSONHandler is the JSON door without its port, for fuzzing.
func (s *Server) JSONHandler() http.Handler { return s.http.Handler }

// Interceptors is the chain, for the test of its order.
var Interceptors = interceptors

// What is bounded, and by how much, for the tests of the bounds.
const (
	MaxUnproven       = maxUnproven
	MaxProven         = maxProven
	MaxShare          = maxShare
	MaxUnfinished     = maxUnfinished
	MaxFirstCalls     = maxFirstCalls
	MaxUnprovenWeight = maxUnprovenWeight
	MaxChatter        = maxChatter
	MaxLongStreams    = maxLongStreams
	ProvingTime       = provingTime
	TakingTime        = takingTime
	ArrivalTime       = arrivalTime
)

// Bounded bounds the connections of a listener.
func Bounded(listener net.Listener) net.Listener { return boundedListener{listener, newConnections()} }

// Metered counts the frames of a proven connection.
func Metered(conn net.Conn) net.Conn {
	below := newConnections().admit(conn)
	below.enter((*sharing)(nil))
	return newMeteredConn(below, below)
}

// Prove notes that a call of nobody in particular was let in on a connection of Bounded's.
func Prove(conn net.Conn) bool { return Enter(conn, nil) }

// Enter notes that a call of who was let in on a connection of Bounded's.
func Enter(conn net.Conn, who *auth.Caller) bool {
	return conn.(*connection).enter((*sharing)(who)) == isIn
}

// Leave notes that a call of who has ended on it.
func Leave(conn net.Conn, who *auth.Caller, certain bool) {
	conn.(*connection).leave((*sharing)(who), certain)
}

// Lapse is what happens to a connection when its provingTime is over.
func Lapse(conn net.Conn) { conn.(*connection).drop() }

// MeteredOn counts the frames of a connection of Bounded's.
func MeteredOn(conn net.Conn) net.Conn { return newMeteredConn(conn, conn.(*connection)) }

// Within receives a request within a time.
func Within(limit time.Duration, request any, receive func(any) error) (fault, err error) {
	d := &decoded{request: request}
	err = d.within(limit, receive)
	return d.fault, err
}
