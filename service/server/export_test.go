package server

import "net/http"

// JSONHandler is the JSON door without its port, for fuzzing.
func (s *Server) JSONHandler() http.Handler { return s.http.Handler }

// Interceptors is the chain, for the test of its order.
var Interceptors = interceptors
