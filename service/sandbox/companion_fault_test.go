package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// postCity sends an update by the companion that changes only the city of customer 1.
func (l loopback) postCity(ctx context.Context, t testing.TB, city string) (*http.Response, error) {
	t.Helper()
	body := marshal(t, fields{"request_id": attemptID(1), "set": fields{"city": city}})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+companionPrefix+"/customers/1", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(AdminUsername, AdminPassword)
	return l.transport.RoundTrip(r)
}

// onUpdates returns a Config.Fail that injects a fault into updates, and into no cancellation.
func onUpdates(f Failure) func(*http.Request) *Failure {
	return func(r *http.Request) *Failure {
		if Cancels(r) {
			return nil
		}
		return &f
	}
}

// The cancellation always says what became of the update, whatever its client got.
func TestOutcomeOfAFaultyUpdateIsKnownByItsCancellation(t *testing.T) {
	tests := []struct {
		name    string
		failure Failure
		status  int   // 0 if there is no response
		err     error // of the request or of reading the body
		body    string
		result  string // of the cancellation
	}{
		{"a delay", Failure{Delay: soon}, 200, nil, `"result":"applied"`, "already_applied"},
		{"the connection is reset before the work", Failure{Work: Never, Delivery: Reset}, 0, syscall.ECONNRESET, "", "cancelled"},
		{"the connection is reset after the work", Failure{Delivery: Reset}, 0, syscall.ECONNRESET, "", "already_applied"},
		{"the work comes late", Failure{Work: Late, LateBy: never}, 504, nil, "504 Gateway Time-out", "cancelled"},
		{"another response before the work", Failure{Work: Never, Instead: BadGateway()}, 502, nil, "502 Bad Gateway", "cancelled"},
		{"another response after the work", Failure{Instead: FatalError()}, 500, nil, `"code":"internal_server_error"`, "already_applied"},
		{"a truncated response", Failure{Delivery: Truncated}, 200, io.ErrUnexpectedEOF, `{"fluentcart_gateway":1`, "already_applied"},
		{"a dripping response", Failure{Delivery: Dripping}, 200, nil, `"result":"applied"`, "already_applied"},
		{"a header of a cache", Failure{Header: http.Header{"Age": {"60"}}}, 200, nil, `"result":"applied"`, "already_applied"},
		{"a refusal", Failure{Refusal: EmailTaken()}, 200, nil, `"answer":{"status":422,"body":{"email":{"exist":`, "cancelled"},
		{"a deadlock", Failure{Cause: "deadlock"}, 200, nil, `"result":"failed","cause":"deadlock"`, "cancelled"},
		{"a refusal whose response is lost", Failure{Refusal: EmailTaken(), Delivery: Reset}, 0, syscall.ECONNRESET, "", "cancelled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, Config{Companion: true, Fail: onUpdates(tt.failure)})
			response, err := l.postCity(t.Context(), t, newCity)
			status, body := 0, ""
			if err == nil {
				var got []byte
				got, err = io.ReadAll(response.Body)
				defer response.Body.Close()
				status, body = response.StatusCode, string(got)
			}
			if status != tt.status || !errors.Is(err, tt.err) || !strings.Contains(body, tt.body) {
				t.Errorf("status %d, error %v, body %q, want %d, %v and %q", status, err, body, tt.status, tt.err, tt.body)
			}
			wantResult(t, cancelUpdateOf(t, l.store, 1), tt.result)
			l.store.Close() // ends the late work
			want := oldCity
			if tt.result == "already_applied" {
				want = newCity
			}
			wantCity(t, l.store, want)
		})
	}
}

func TestUpdateIsAppliedAlthoughItsClientHasLeft(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	l := listen(t, Config{Companion: true, Fail: func(r *http.Request) *Failure {
		if Cancels(r) {
			return nil
		}
		giveUp()
		return &Failure{Delay: soon, Delivery: Silent}
	}})
	if _, err := l.postCity(ctx, t, newCity); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the client's own", err)
	}
	l.store.Wait()
	wantResult(t, cancelUpdateOf(t, l.store, 1), "already_applied")
}

// A refusal by a fault is as good as one of FluentCart for requests that are no updates by the companion.
func TestRefusalReplacesOtherResponses(t *testing.T) {
	store := New(Config{Companion: true, Fail: always(Failure{Refusal: UserUpdateFailed()})})
	for _, w := range []string{
		send(t, store, http.MethodGet, customerPath(1), "").Body.String(),
		put(t, store, 1, ann(fields{"city": newCity})).Body.String(),
		send(t, store, http.MethodDelete, companionPrefix+"/requests/"+attemptID(1), "").Body.String(),
	} {
		if !strings.Contains(w, `"code":423`) || strings.Contains(w, "fluentcart_gateway") {
			t.Errorf("response %s", w)
		}
	}
	wantCity(t, store, oldCity)
}
