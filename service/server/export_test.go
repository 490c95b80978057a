package server

import (
	"net/http"
	"time"
)

// JSONHandler is the JSON door without its port, for fuzzing.
func (s *Server) JSONHandler() http.Handler { return s.http.Handler }

// Interceptors is the chain, for the test of its order.
var Interceptors = interceptors

// Within receives a request within a time.
func Within(limit time.Duration, request any, receive func(any) error) (fault, err error) {
	d := &decoded{request: request}
	err = d.within(limit, receive)
	return d.fault, err
}
