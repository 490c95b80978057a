package server

import "net/http"

// Handler is the HTTP/JSON gateway without its port, for fuzzing.
func (s *Server) Handler() http.Handler { return s.http.Handler }
