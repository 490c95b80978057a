package server

import (
	"net"
	"net/http"
	"time"
)

// JSONHandler is the JSON door without its port, for fuzzing.
func (s *Server) JSONHandler() http.Handler { return s.http.Handler }

// Interceptors is the chain, for the test of its order.
var Interceptors = interceptors

// What is bounded, and by how much, for the tests of the bounds.
const (
	MaxUnproven       = maxUnproven
	MaxProven         = maxProven
	MaxUnprovenWeight = maxUnprovenWeight
	MaxChatter        = maxChatter
	MaxLongStreams    = maxLongStreams
	ProvingTime       = provingTime
	TakingTime        = takingTime
)

// Bounded bounds the connections of a listener.
func Bounded(listener net.Listener) net.Listener { return boundedListener{listener, &connections{}} }

// Metered counts the frames of a proven connection.
func Metered(conn net.Conn) net.Conn {
	below := (&connections{}).admit(conn)
	below.prove()
	return &meteredConn{Conn: below, below: below, meter: newFrameMeter()}
}

// Prove notes that a call was let in on a connection of Bounded's.
func Prove(conn net.Conn) bool { return conn.(*connection).prove() }

// Within receives a request within a time.
func Within(limit time.Duration, request any, receive func(any) error) (fault, err error) {
	d := &decoded{request: request}
	err = d.within(limit, receive)
	return d.fault, err
}
