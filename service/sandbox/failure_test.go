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

// The work is late by this in the tests that wait for it, and by more than any test takes in the others.
const (
	soon  = time.Millisecond
	never = 24 * time.Hour
)

const (
	wasCity = "Paris" // as the fixture has it
	newCity = "Lyon"
)

func TestFailures(t *testing.T) {
	tests := []struct {
		name    string
		failure Failure
		status  int   // 0 where no answer comes
		err     error // what the client sees, of the answer or in its body
		body    string
		city    string // once nothing is under way any more
	}{
		{
			"nothing goes wrong",
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
			0, syscall.ECONNRESET, "", wasCity,
		},
		{
			"a delay comes before the reset",
			Failure{Delay: soon, Work: Never, Delivery: Reset},
			0, syscall.ECONNRESET, "", wasCity,
		},
		{
			"the connection is reset after the work",
			Failure{Delivery: Reset},
			0, syscall.ECONNRESET, "", newCity,
		},
		{
			"the connection is reset and the write lands late",
			Failure{Work: Late, LateBy: soon, Delivery: Reset},
			0, syscall.ECONNRESET, "", newCity,
		},
		{
			"nginx gives up on a write that lands late",
			Failure{Work: Late, LateBy: soon},
			504, nil, "504 Gateway Time-out", newCity,
		},
		{
			"another answer to a write that lands late",
			Failure{Work: Late, LateBy: soon, Instead: BadGateway()},
			502, nil, "502 Bad Gateway", newCity,
		},
		{
			"a request that never gets to PHP",
			Failure{Work: Never},
			504, nil, "504 Gateway Time-out", wasCity,
		},
		{
			"another answer before the work",
			Failure{Work: Never, Instead: BadGateway()},
			502, nil, "502 Bad Gateway", wasCity,
		},
		{
			"another answer after the work",
			Failure{Instead: FatalError()},
			500, nil, `"code":"internal_server_error"`, newCity,
		},
		{
			"a true answer that is cut",
			Failure{Delivery: Truncated},
			200, io.ErrUnexpectedEOF, `{"message":"Customer updated successfully!"`, newCity,
		},
		{
			"another answer that is cut",
			Failure{Work: Never, Instead: FatalError(), Delivery: Truncated},
			500, io.ErrUnexpectedEOF, `{"code":"internal_server_error"`, wasCity,
		},
		{
			"an empty answer that is cut",
			Failure{Instead: Answer{Status: 200}, Delivery: Truncated},
			200, io.ErrUnexpectedEOF, "", newCity,
		},
		{
			"a true answer that drips",
			Failure{Delivery: Dripping},
			200, nil, `"city":"Lyon"`, newCity,
		},
		{
			"another answer that drips",
			Failure{Instead: FatalError(), Delivery: Dripping, Piece: 50, Pause: soon},
			500, nil, `"data":{"status":500}`, newCity,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, Config{Fail: always(tt.failure)})
			answer, err := l.move(t.Context(), t, newCity)
			status, body := 0, ""
			if err == nil {
				var got []byte
				got, err = io.ReadAll(answer.Body)
				defer answer.Body.Close()
				status, body = answer.StatusCode, string(got)
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

func TestSilenceLastsUntilTheClientGivesUp(t *testing.T) {
	tests := []struct {
		name    string
		failure Failure
		city    string
	}{
		{"the work is done", Failure{Delivery: Silent}, newCity},
		{"the work is never done", Failure{Work: Never, Delivery: Silent}, wasCity},
		{"the write lands late", Failure{Work: Late, LateBy: soon, Delivery: Silent}, newCity},
		{"the client goes in a delay", Failure{Work: Never, Delay: never}, wasCity},
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

func TestPiecesArriveOneByOne(t *testing.T) {
	l := listen(t, Config{Fail: always(Failure{Delivery: Dripping, Piece: 10, Pause: never})})
	ctx, giveUp := context.WithCancel(t.Context())
	answer, err := l.move(ctx, t, newCity)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	piece := make([]byte, 10)
	if _, err := io.ReadFull(answer.Body, piece); err != nil || string(piece) != `{"message"` {
		t.Errorf("first piece %q, %v", piece, err)
	}
	giveUp()
	if _, err := answer.Body.Read(piece); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, although the next piece takes a day", err)
	}
	l.store.Wait() // a client that has gone ends the pause
}

func TestCloseEndsWhatWaits(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		city string
	}{
		{"a delay before the work", Config{Fail: always(Failure{Delay: never})}, wasCity},
		{"a delay that never gets to PHP", Config{Fail: always(Failure{Work: Never, Delay: never})}, wasCity},
		{"a worker's latency", Config{Latency: never}, wasCity},
		{"silence after the work", Config{Fail: always(Failure{Delivery: Silent})}, newCity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			arrived := make(chan struct{})
			fail := tt.cfg.Fail
			tt.cfg.Fail = func(r *http.Request) *Failure {
				close(arrived)
				if fail == nil {
					return nil
				}
				return fail(r)
			}
			l := listen(t, tt.cfg)
			failed := make(chan error)
			go func() {
				_, err := l.move(t.Context(), t, newCity)
				failed <- err
			}()
			<-arrived
			l.store.Close()
			if err := <-failed; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v, want a reset", err)
			}
			wantCity(t, l.store, tt.city)
		})
	}
}

func TestCloseDropsLateWrites(t *testing.T) {
	l := listen(t, Config{KeepLog: true, Fail: always(Failure{Work: Late, LateBy: never})})
	for range 2 { // the second comes to a store that is closed
		answer, err := l.move(t.Context(), t, newCity)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		l.store.Close()
	}
	wantCity(t, l.store, wasCity)
	if writes := l.store.Writes(); len(writes) != 0 {
		t.Errorf("writes %+v", writes)
	}
}

func TestFailIsAskedForTheCustomerRoutesOnly(t *testing.T) {
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

func TestMaintenanceSaysWhenToComeBack(t *testing.T) {
	store := New(Config{Fail: always(Failure{Work: Never, Instead: Maintenance()})})
	w := send(t, store, http.MethodGet, customerPath(1), "")
	wantStatus(t, w, http.StatusServiceUnavailable)
	if got := w.Header().Get("Retry-After"); got != "600" {
		t.Errorf("Retry-After %q (F19)", got)
	}
}
