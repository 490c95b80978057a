package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"path"
	"strings"
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
	applied  map[string]int            // how often an update with these notes was applied
	latest   map[string]string         // the notes of the latest PUT, by customer
	chains   map[string]map[string]int // by customer: its notes, how often they were written minus how often they were replaced
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

func startStore(cfg sandbox.Config) (*store, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with close
	if err != nil {
		return nil, err
	}
	s := &store{
		Store: sandbox.New(cfg), url: "http://" + listener.Addr().String(),
		requests: requests{}, applied: map[string]int{}, latest: map[string]string{}, chains: map[string]map[string]int{},
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
	if r.Method == http.MethodGet || r.Method == http.MethodDelete { // a DELETE cancels an update
		s.Store.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	remember := s.rememberWrite
	if strings.Contains(r.URL.Path, companionRoute) {
		remember = s.rememberAtomic
	}
	s.Store.ServeHTTP(&watchedResponse{ResponseWriter: w, succeeds: func(answer []byte) { remember(path.Base(r.URL.Path), body, answer) }}, r)
}

// companionRoute is a part of the paths of the companion's routes.
const companionRoute = "/fluentcart-gateway/v1/"

// rememberWrite remembers an update by a PUT. Those of one customer follow one another.
func (s *store) rememberWrite(customer string, body, _ []byte) {
	var sent struct{ Notes string }
	if err := json.Unmarshal(body, &sent); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(customer, sent.Notes, s.latest[customer])
	s.latest[customer] = sent.Notes
}

// rememberAtomic remembers an update by a POST to the companion, if it was applied. Those of one customer may come here in
// another order than that in which they were applied.
func (s *store) rememberAtomic(customer string, body, answer []byte) {
	var sent struct {
		Set struct{ Notes string }
	}
	var answered struct {
		Result string
		Before struct{ Notes string }
	}
	if json.Unmarshal(body, &sent) != nil || json.Unmarshal(answer, &answered) != nil || answered.Result != "applied" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(customer, sent.Set.Notes, answered.Before.Notes)
}

// add adds an update. The caller holds the lock.
func (s *store) add(customer, notes, replaced string) {
	s.applied[notes]++
	chain := s.chains[customer]
	if chain == nil {
		chain = map[string]int{}
		s.chains[customer] = chain
	}
	chain[notes]++
	chain[replaced]--
	maps.DeleteFunc(chain, func(_ string, count int) bool { return count == 0 })
}

// watchedResponse calls succeeds with the body of a response with status 200, before its first byte is sent.
type watchedResponse struct {
	http.ResponseWriter
	succeeds func(body []byte)
	status   int
	begun    bool
}

func (w *watchedResponse) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write is called once by the sandbox store, with the whole body.
func (w *watchedResponse) Write(content []byte) (int, error) {
	if !w.begun && (w.status == 0 || w.status == http.StatusOK) {
		w.succeeds(content)
	}
	w.begun = true
	return w.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (w *watchedResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }
