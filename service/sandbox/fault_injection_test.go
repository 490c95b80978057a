package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Late work comes after soon in tests that wait for it, and after never, which no test waits for, in the others.
const (
	soon  = time.Millisecond
	never = 24 * time.Hour
)

const (
	oldCity = "Paris" // in the fixture
	newCity = "Lyon"
)

func TestInjectedFaultsSetResponseAndEffect(t *testing.T) {
	tests := []struct {
		name    string
		failure Failure
		status  int   // 0 if there is no response
		err     error // of the request or of reading the body
		body    string
		city    string // after everything has ended
	}{
		{
			"no fault",
			Failure{},
			200, nil, `"city":"Lyon"`, newCity,
		},
		{
			"a delay changes nothing else",
			Failure{Delay: soon},
			200, nil, `"city":"Lyon"`, newCity,
		},
		{
			"the connection is reset before the work",
			Failure{Work: Never, Delivery: Reset},
			0, syscall.ECONNRESET, "", oldCity,
		},
		{
			"a delay comes before the reset",
			Failure{Delay: soon, Work: Never, Delivery: Reset},
			0, syscall.ECONNRESET, "", oldCity,
		},
		{
			"the connection is reset after the work",
			Failure{Delivery: Reset},
			0, syscall.ECONNRESET, "", newCity,
		},
		{
			"the connection is reset and the write is applied late",
			Failure{Work: Late, LateBy: soon, Delivery: Reset},
			0, syscall.ECONNRESET, "", newCity,
		},
		{
			"nginx gives up on a write that is applied late",
			Failure{Work: Late, LateBy: soon},
			504, nil, "504 Gateway Time-out", newCity,
		},
		{
			"another response to a write that is applied late",
			Failure{Work: Late, LateBy: soon, Instead: BadGateway()},
			502, nil, "502 Bad Gateway", newCity,
		},
		{
			"a request that never reaches PHP",
			Failure{Work: Never},
			504, nil, "504 Gateway Time-out", oldCity,
		},
		{
			"another response before the work",
			Failure{Work: Never, Instead: BadGateway()},
			502, nil, "502 Bad Gateway", oldCity,
		},
		{
			"another response after the work",
			Failure{Instead: FatalError()},
			500, nil, `"code":"internal_server_error"`, newCity,
		},
		{
			"a truncated response of the store",
			Failure{Delivery: Truncated},
			200, io.ErrUnexpectedEOF, `{"message":"Customer updated successfully!"`, newCity,
		},
		{
			"another response that is truncated",
			Failure{Work: Never, Instead: FatalError(), Delivery: Truncated},
			500, io.ErrUnexpectedEOF, `{"code":"internal_server_error"`, oldCity,
		},
		{
			"an empty response that is truncated",
			Failure{Instead: Response{Status: 200}, Delivery: Truncated},
			200, io.ErrUnexpectedEOF, "", newCity,
		},
		{
			"a dripping response of the store",
			Failure{Delivery: Dripping},
			200, nil, `"city":"Lyon"`, newCity,
		},
		{
			"another response that drips",
			Failure{Instead: FatalError(), Delivery: Dripping, Piece: 50, Pause: soon},
			500, nil, `"data":{"status":500}`, newCity,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, Config{Fail: always(tt.failure)})
			response, err := l.move(t.Context(), t, newCity)
			status, body := 0, ""
			if err == nil {
				var got []byte
				got, err = io.ReadAll(response.Body)
				defer response.Body.Close()
				status, body = response.StatusCode, string(got)
			}
			if status != tt.status || !errors.Is(err, tt.err) {
				t.Errorf("status %d, error %v, want %d and %v", status, err, tt.status, tt.err)
			}
			if !strings.Contains(body, tt.body) {
				t.Errorf("body %q lacks %q", body, tt.body)
			}
			l.store.Wait()
			wantCity(t, l.store, tt.city)
		})
	}
}

func TestSilentDeliveryLastsUntilTheClientGivesUp(t *testing.T) {
	tests := []struct {
		name    string
		failure Failure
		city    string
	}{
		{"the work is done", Failure{Delivery: Silent}, newCity},
		{"the work is never done", Failure{Work: Never, Delivery: Silent}, oldCity},
		{"the write is applied late", Failure{Work: Late, LateBy: soon, Delivery: Silent}, newCity},
		{"the client leaves during a delay", Failure{Work: Never, Delay: never}, oldCity},
		{"a delay before the work does not end with the client", Failure{Delay: soon, Delivery: Silent}, newCity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, giveUp := context.WithCancel(t.Context())
			l := listen(t, Config{Fail: func(*http.Request) *Failure {
				giveUp()
				return &tt.failure
			}})
			if _, err := l.move(ctx, t, newCity); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want the client's own", err)
			}
			l.store.Wait()
			wantCity(t, l.store, tt.city)
		})
	}
}

func TestDrippingDeliverySendsPieces(t *testing.T) {
	l := listen(t, Config{Fail: always(Failure{Delivery: Dripping, Piece: 10, Pause: never})})
	ctx, giveUp := context.WithCancel(t.Context())
	response, err := l.move(ctx, t, newCity)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	piece := make([]byte, 10)
	if _, err := io.ReadFull(response.Body, piece); err != nil || string(piece) != `{"message"` {
		t.Errorf("first piece %q, %v", piece, err)
	}
	giveUp()
	if _, err := response.Body.Read(piece); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, although the next piece takes a day", err)
	}
	l.store.Wait() // the pause ends because the client has left
}

func TestFailIsCalledForCustomerRoutesOnly(t *testing.T) {
	asked := 0
	store := New(Config{Fail: func(*http.Request) *Failure {
		asked++
		return nil
	}})
	wantStatus(t, send(t, store, http.MethodGet, customerPath(1), ""), http.StatusOK)
	wantStatus(t, put(t, store, 1, ann(nil)), http.StatusOK)
	wantStatus(t, send(t, store, http.MethodDelete, customerPath(1), ""), http.StatusNotFound)
	wantStatus(t, send(t, store, http.MethodGet, routePrefix, ""), http.StatusNotFound)
	if asked != 2 {
		t.Errorf("asked %d times, want once for the read and once for the write", asked)
	}
}

func TestMaintenanceSendsRetryAfter(t *testing.T) {
	store := New(Config{Fail: always(Failure{Work: Never, Instead: Maintenance()})})
	w := send(t, store, http.MethodGet, customerPath(1), "")
	wantStatus(t, w, http.StatusServiceUnavailable)
	if got := w.Header().Get("Retry-After"); got != "600" {
		t.Errorf("Retry-After %q (F19)", got)
	}
}

func TestInjectedHeaderIsAddedToTheStoresOwnResponse(t *testing.T) {
	store := New(Config{Fail: always(Failure{Header: http.Header{"Age": {"60"}}})})
	w := send(t, store, http.MethodGet, customerPath(1), "")
	wantStatus(t, w, http.StatusOK)
	if w.Header().Get("Age") != "60" || w.Header().Get("Content-Type") != jsonType {
		t.Errorf("header is %v", w.Header())
	}
}
