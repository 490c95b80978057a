package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// writeFunc is a connection to the store with another Write.
type writeFunc struct {
	net.Conn

	write func([]byte) (int, error)
}

func (f writeFunc) Write(p []byte) (int, error) { return f.write(p) }

// A request to the store contains the password.
func TestRequestsToTheStoreAreNeitherReturnedNorLogged(t *testing.T) {
	for name, fail := range map[string]func(request []byte) error{
		"a panic with the request":  func(request []byte) error { panic(request) },
		"a panic with its text":     func(request []byte) error { panic("cannot send " + string(request)) },
		"a panic with an error":     func(request []byte) error { panic(fmt.Errorf("%s", request)) },
		"an error with its text":    func(request []byte) error { return fmt.Errorf("cannot send %s", request) },
		"an error that is its text": func(request []byte) error { return errors.New(string(request)) },
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				carry := func(conn net.Conn) net.Conn {
					return writeFunc{conn, func(p []byte) (int, error) {
						if !strings.HasPrefix(string(p), method+" ") {
							return conn.Write(p)
						}
						return 0, fail(p)
					}}
				}
				startWatched(t, options{carry: carry}).sendAndCheck(t, requestsToTheStore())
			})
		}
	}
}

// The transports do not pass on the text of a fault, whichever form it has.
func TestFaultsOfTheServiceAreNeitherReturnedNorLogged(t *testing.T) {
	for name, update := range map[string]func(*customerv1.UpdateCustomerRequest) error{
		"a panic with the request": func(r *customerv1.UpdateCustomerRequest) error { panic(r) },
		"a panic with its text":    func(r *customerv1.UpdateCustomerRequest) error { panic(r.String()) },
		"an error with its text":   func(r *customerv1.UpdateCustomerRequest) error { return fmt.Errorf("cannot update %v", r) },
		"a status with its text": func(r *customerv1.UpdateCustomerRequest) error {
			return status.Errorf(codes.NotFound, "cannot find %v", r)
		},
		"a status wrapped in its text": func(r *customerv1.UpdateCustomerRequest) error {
			return fmt.Errorf("%v: %w", r, status.Error(codes.NotFound, "x"))
		},
		"a cancelled call and its text": func(r *customerv1.UpdateCustomerRequest) error { return fmt.Errorf("%v: %w", r, context.Canceled) },
	} {
		t.Run(name, func(t *testing.T) {
			g := &gateway{log: &lockedBuffer{}, text: &lockedBuffer{}, spans: newSpanRecorder(t)}
			g.serve(t, scripted{update: func(_ context.Context, r *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				return nil, update(r)
			}}, time.Minute)
			for _, r := range requestsToTheStore() {
				got := r.send(t.Context(), t, g)
				if found := leaks(got); len(found) > 0 || !strings.Contains(got, "GATEWAY_FAULT") {
					t.Errorf("%s: the caller gets %s", r.name, got)
				}
			}
			g.stopNow(t)
			g.checkLogs(t)
		})
	}
}

// A panic in the HTTP/JSON gateway outside the interceptors: net/http would log its value, and send no response.
func TestPanicOutsideTheInterceptorsIsAnswered(t *testing.T) {
	g := &gateway{log: &lockedBuffer{}, text: &lockedBuffer{}, spans: newSpanRecorder(t)}
	g.serve(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return &customerv1.UpdateCustomerResponse{}, nil
	}}, time.Minute)
	panickingLease := func(problem any) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/v1/customers/1", panicking{problem})
		r.Header.Set("X-Request-Id", "panic-1")
		answer := httptest.NewRecorder()
		g.json.ServeHTTP(answer, r)
		return answer
	}
	answer := panickingLease("zq8xsecret")
	if answer.Code != http.StatusInternalServerError || !strings.Contains(answer.Body.String(), `"reason":"GATEWAY_FAULT"`) {
		t.Errorf("response %d %s", answer.Code, answer.Body)
	}
	if log := g.log.String(); !strings.Contains(log, `"panic":"string"`) || !strings.Contains(log, `"request_id":"panic-1"`) || len(leaks(log)) > 0 {
		t.Errorf("logged %s", log)
	}
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this
				t.Error("http.ErrAbortHandler is not passed on")
			}
		}()
		panickingLease(http.ErrAbortHandler)
	}()
	g.stopNow(t)
}

// panicking is a body whose Read panics.
type panicking struct{ problem any }

func (p panicking) Read([]byte) (int, error) { panic(p.problem) }
func (panicking) Close() error               { return nil }

// A caller may leave at any moment; the outcome of its write is then logged.
func TestDataOfACallWhoseCallerLeavesIsNotLogged(t *testing.T) {
	for name, within := range map[string]time.Duration{"at once": 0, "before the read": time.Millisecond, "during the write": 60 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slow := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					wait, cancel := context.WithTimeout(r.Context(), 30*time.Millisecond)
					defer cancel()
					<-wait.Done()
					if r.Method == http.MethodPut {
						panic(http.ErrAbortHandler)
					}
					next.ServeHTTP(w, r)
				})
			}
			g := startWatched(t, options{wrap: slow})
			for _, r := range requestsToTheStore()[:2] {
				ctx, cancel := context.WithTimeout(t.Context(), within)
				got := r.send(ctx, t, g)
				cancel()
				if found := leaks(got); len(found) > 0 {
					t.Errorf("the caller gets %v", found)
				}
			}
			g.send(t, http.MethodPut, "/v1/customers/1", sentJSON, http.Header{"Grpc-Timeout": {"50m"}})
			g.stopNow(t)
			g.checkLogs(t)
		})
	}
}
