package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// store is a sandbox store that counts its requests, and remembers which updates it has applied.
type store struct {
	*sandbox.Store
	url    string
	server *http.Server

	mu       sync.Mutex // guards what follows
	requests requests
	applied  map[string]int    // how often an update with these notes was applied
	latest   map[string]string // the notes of the latest one, by the path of the customer
}

// requests counts the requests to a store by their method.
type requests map[string]int

// since returns those that are not among the earlier ones.
func (r requests) since(earlier requests) requests {
	later := requests{}
	for name, count := range r {
		if count > earlier[name] {
			later[name] = count - earlier[name]
		}
	}
	return later
}

func startStore(customers, workers int, latency time.Duration) (*store, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with close
	if err != nil {
		return nil, err
	}
	s := &store{
		Store: sandbox.New(sandbox.Config{Customers: customers, Workers: workers, Latency: latency}),
		url:   "http://" + listener.Addr().String(), requests: requests{}, applied: map[string]int{}, latest: map[string]string{},
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // it ends with close
	return s, nil
}

func (s *store) close() {
	s.Close()
	_ = s.server.Close()
}

// counts returns the requests so far.
func (s *store) counts() requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// ServeHTTP counts the request, and the update when the sandbox store has applied it and begins its response.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests[r.Method]++
	s.mu.Unlock()
	if r.Method == http.MethodGet {
		s.Store.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.Store.ServeHTTP(&watchedResponse{ResponseWriter: w, succeeds: func() { s.remember(r.URL.Path, body) }}, r)
}

func (s *store) remember(path string, body []byte) {
	var sent struct{ Notes string }
	if err := json.Unmarshal(body, &sent); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied[sent.Notes]++
	s.latest[path] = sent.Notes
}

// watchedResponse calls succeeds before the first byte of a response with status 200.
type watchedResponse struct {
	http.ResponseWriter
	succeeds func()
	begun    bool
}

func (w *watchedResponse) WriteHeader(status int) {
	if !w.begun && status == http.StatusOK {
		w.succeeds()
	}
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedResponse) Write(content []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (w *watchedResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }
