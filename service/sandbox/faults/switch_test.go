package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// sandboxed is a store with its switch.
type sandboxed struct {
	*sandbox.Store

	handler http.Handler
}

func newSandboxed(t testing.TB) sandboxed {
	t.Helper()
	s := New()
	store := sandbox.New(sandbox.Config{Fail: s.Fail})
	t.Cleanup(store.Close)
	return sandboxed{store, s.Handler(store)}
}

// send sends a request as curl does.
func (s sandboxed) send(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, "http://127.0.0.1:8081"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s sandboxed) set(t testing.TB, fault string) {
	t.Helper()
	if w := s.send(http.MethodPost, faultsPath, fault); w.Code != http.StatusCreated {
		t.Fatalf("%s: %d %s", fault, w.Code, w.Body)
	}
}

// read returns the status of a read of a customer, and write that of an update that changes it.
func (s sandboxed) read(id int) int {
	return s.send(http.MethodGet, fmt.Sprintf("/wp-json/fluent-cart/v2/customers/%d", id), "").Code
}

func (s sandboxed) write(id int) int {
	body := fmt.Sprintf(`{"id":%d,"full_name":"New Name","email":"new-%d@example.com"}`, id, id)
	return s.send(http.MethodPut, fmt.Sprintf("/wp-json/fluent-cart/v2/customers/%d", id), body).Code
}

// listed returns the faults that GET shows.
func (s sandboxed) listed(t testing.TB) []shownFault {
	t.Helper()
	var shown struct{ Set []shownFault }
	if err := json.Unmarshal(s.send(http.MethodGet, faultsPath, "").Body.Bytes(), &shown); err != nil {
		t.Fatal(err)
	}
	return shown.Set
}

func TestFaultIsInjectedIntoTheRequestsThatItIsFor(t *testing.T) {
	tests := []struct {
		name   string
		faults []string
		want   [6]int // read 1, read 1, write 1, write 1, read 4, write 4
	}{
		{"none", nil, [6]int{200, 200, 200, 200, 200, 200}},
		{"reads", []string{`{"fault":"firewall","on":"read"}`}, [6]int{403, 403, 200, 200, 403, 200}},
		{"writes", []string{`{"fault":"firewall","on":"write"}`}, [6]int{200, 200, 403, 403, 200, 403}},
		{"both", []string{`{"fault":"firewall","on":"both"}`}, [6]int{403, 403, 403, 403, 403, 403}},
		{"the default of the fault", []string{`{"fault":"rejected"}`}, [6]int{200, 200, 500, 500, 200, 500}},
		{"one customer", []string{`{"fault":"firewall","customer_id":4}`}, [6]int{200, 200, 200, 200, 403, 403}},
		{"as many as counted", []string{`{"fault":"firewall","count":3}`}, [6]int{403, 403, 403, 200, 200, 200}},
		{"the latest of two", []string{`{"fault":"firewall"}`, `{"fault":"down"}`}, [6]int{502, 502, 502, 502, 502, 502}},
		{"the latest until it is spent", []string{`{"fault":"firewall"}`, `{"fault":"down","count":2}`}, [6]int{502, 502, 403, 403, 403, 403}},
		{"the latest that is for the request", []string{`{"fault":"firewall"}`, `{"fault":"down","customer_id":4}`}, [6]int{403, 403, 403, 403, 502, 502}},
		{"one in place of the same", []string{`{"fault":"firewall"}`, `{"fault":"firewall","count":1}`}, [6]int{403, 200, 200, 200, 200, 200}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandboxed(t)
			for _, fault := range tt.faults {
				s.set(t, fault)
			}
			got := [6]int{s.read(1), s.read(1), s.write(1), s.write(1), s.read(4), s.write(4)}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListShowsWhatIsSetAndHowOftenItWasInjected(t *testing.T) {
	s := newSandboxed(t)
	s.set(t, `{"fault":"late_write","customer_id":2}`)
	s.set(t, `{"fault":"maintenance","on":"read","count":1,"retry_after":"90s","delay":"1ms"}`)
	s.read(1)
	s.read(1)
	want := []shownFault{
		{Fault: "maintenance", On: "read", Count: 1, Delay: "1ms", RetryAfter: "1m30s", Fired: 1},
		{Fault: "late_write", On: "write", CustomerID: 2, AppliedAfter: "15s"},
	}
	if diff := cmp.Diff(want, s.listed(t)); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	if w := s.send(http.MethodDelete, faultsPath, ""); w.Code != http.StatusNoContent {
		t.Errorf("DELETE: %d %s", w.Code, w.Body)
	}
	if got := s.listed(t); len(got) != 0 {
		t.Errorf("after DELETE: %+v", got)
	}
}

func TestNumberOfFaultsIsBounded(t *testing.T) {
	s := newSandboxed(t)
	for id := 1; id <= maxFaults; id++ {
		s.set(t, fmt.Sprintf(`{"fault":"down","customer_id":%d,"count":1}`, id))
	}
	w := s.send(http.MethodPost, faultsPath, `{"fault":"firewall"}`)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "DELETE /sandbox/faults clears them") {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	s.read(7)
	s.set(t, `{"fault":"firewall"}`) // in place of the one that is spent
	got := s.listed(t)
	if len(got) != maxFaults || got[0].Fault != "firewall" {
		t.Errorf("%d are set, the latest is %s", len(got), got[0].Fault)
	}
	for _, f := range got {
		if f.CustomerID == 7 {
			t.Error("the fault that is spent is still set")
		}
	}
}

func TestCountHoldsForConcurrentRequests(t *testing.T) {
	s := newSandboxed(t)
	s.set(t, `{"fault":"firewall","count":10}`)
	statuses := make(chan int, 40)
	var wg sync.WaitGroup
	for range cap(statuses) {
		wg.Go(func() { statuses <- s.read(1) })
		wg.Go(func() { s.listed(t) })
	}
	wg.Wait()
	close(statuses)
	refused := 0
	for status := range statuses {
		if status == http.StatusForbidden {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d requests were refused, want 10", refused)
	}
}

func TestResetRestoresTheCustomersAndClearsTheFaults(t *testing.T) {
	s := newSandboxed(t)
	before, _ := s.Row(1)
	s.write(1)
	s.set(t, `{"fault":"down"}`)
	if w := s.send(http.MethodPost, resetPath, ""); w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	after, _ := s.Row(1)
	before.UpdatedAt = after.UpdatedAt
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("row (-at the start +after the reset):\n%s", diff)
	}
	if got := s.listed(t); len(got) != 0 || s.read(1) != http.StatusOK {
		t.Errorf("faults are still set: %+v", got)
	}
}
