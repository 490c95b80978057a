package httpjson

import (
	"log/slog"
	"net/http"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// recovering answers a panic outside the interceptors. net/http would log its value and send no response.
// http.ErrAbortHandler keeps its meaning: it aborts the response.
func (g *gateway) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := &startedResponse{ResponseWriter: w}
		defer func() {
			if panicked := recover(); panicked != nil {
				g.panicked(response, r, panicked)
			}
		}()
		next.ServeHTTP(response, r)
	})
}

func (g *gateway) panicked(w *startedResponse, r *http.Request, value any) {
	if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this
		panic(http.ErrAbortHandler)
	}
	id := slog.String("request_id", w.Header().Get(interceptor.RequestIDHeader))
	g.logger.LogAttrs(r.Context(), slog.LevelError, "panic", append(redact.Panic(value), id)...)
	if w.started { // a partial response must not look complete
		panic(http.ErrAbortHandler)
	}
	g.writeError(w, g.fault)
}

// startedResponse records whether the response has started.
type startedResponse struct {
	http.ResponseWriter

	started bool
}

func (s *startedResponse) WriteHeader(status int) {
	s.started = true
	s.ResponseWriter.WriteHeader(status)
}

func (s *startedResponse) Write(content []byte) (int, error) {
	s.started = true
	return s.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (s *startedResponse) Unwrap() http.ResponseWriter { return s.ResponseWriter }
