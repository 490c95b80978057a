package httpjson

import (
	"log/slog"
	"net/http"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// recovering answers to a panic outside the interceptors, which net/http would log with its value, and not answer at
// all. http.ErrAbortHandler stays what it is: the word for breaking off.
func (d *jsonDoor) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := &begunResponse{ResponseWriter: w}
		defer func() {
			if panicked := recover(); panicked != nil {
				d.panicked(tracked, r, panicked)
			}
		}()
		next.ServeHTTP(tracked, r)
	})
}

func (d *jsonDoor) panicked(w *begunResponse, r *http.Request, value any) {
	if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this
		panic(http.ErrAbortHandler)
	}
	id := slog.String("request_id", w.Header().Get(interceptor.RequestIDHeader))
	d.logger.LogAttrs(r.Context(), slog.LevelError, "panic", append(redact.Panic(value), id)...)
	if w.begun { // half an answer must not look like a whole one
		panic(http.ErrAbortHandler)
	}
	d.answer(w, d.fault)
}

// begunResponse knows whether the answer has begun.
type begunResponse struct {
	http.ResponseWriter

	begun bool
}

// WriteHeader begins the answer.
func (b *begunResponse) WriteHeader(status int) {
	b.begun = true
	b.ResponseWriter.WriteHeader(status)
}

// Write begins the answer too.
func (b *begunResponse) Write(content []byte) (int, error) {
	b.begun = true
	return b.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (b *begunResponse) Unwrap() http.ResponseWriter { return b.ResponseWriter }
