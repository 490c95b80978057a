package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const companionRoute = "/wp-json/fluentcart-gateway/v1"

// atomic sends an update to the companion, and returns the status, or the result that the companion answers.
func (s sandboxed) atomic(attempt int, customer int64) string {
	body := fmt.Sprintf(`{"request_id":"00000000-0000-4000-8000-%012d","set":{"city":"City %d"}}`, attempt, attempt)
	return s.result(http.MethodPost, fmt.Sprintf("%s/customers/%d", companionRoute, customer), body)
}

func (s sandboxed) cancel(attempt int) string {
	return s.result(http.MethodDelete, fmt.Sprintf("%s/requests/00000000-0000-4000-8000-%012d", companionRoute, attempt), "")
}

func (s sandboxed) result(method, path, body string) string {
	w := s.send(method, path, body)
	var answer struct{ Result string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Result == "" {
		return strconv.Itoa(w.Code)
	}
	return answer.Result
}

func TestFaultIsInjectedIntoTheCompanionsRequests(t *testing.T) {
	tests := []struct {
		name, fault string
		want        [5]string // update of 1, its cancellation, update of 4, its cancellation, the index
	}{
		{"reads", `{"fault":"down","on":"read"}`, [5]string{"applied", "already_applied", "applied", "already_applied", "200"}},
		{"writes", `{"fault":"down","on":"write"}`, [5]string{"502", "cancelled", "502", "cancelled", "200"}},
		{"cancellations", `{"fault":"down","on":"cancel"}`, [5]string{"applied", "502", "applied", "502", "200"}},
		{"both", `{"fault":"down"}`, [5]string{"502", "502", "502", "502", "200"}},
		{"the writes of a customer", `{"fault":"down","on":"write","customer_id":4}`, [5]string{"applied", "already_applied", "502", "cancelled", "200"}},
		{"the cancellations of a customer", `{"fault":"down","on":"cancel","customer_id":4}`, [5]string{"applied", "already_applied", "applied", "502", "200"}},
		{"a refusal of FluentCart", `{"fault":"user_update_failed"}`, [5]string{"refused", "cancelled", "refused", "cancelled", "200"}},
		{"a response after the write", `{"fault":"fatal_error_after_write"}`, [5]string{"500", "already_applied", "500", "already_applied", "200"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandboxed(t)
			s.SetCompanion(true)
			s.set(t, tt.fault)
			got := [5]string{
				s.atomic(1, 1), s.cancel(1), s.atomic(2, 4), s.cancel(2), s.result(http.MethodGet, companionRoute, ""),
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompanionIsSwitchedWhileTheStoreRuns(t *testing.T) {
	s := newSandboxed(t)
	got := []string{s.result(http.MethodGet, companionRoute, "")}
	for _, method := range []string{http.MethodPut, http.MethodPut, http.MethodDelete} {
		if w := s.send(method, companionPath, ""); w.Code != http.StatusNoContent {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
		got = append(got, s.result(http.MethodGet, companionRoute, ""))
	}
	if diff := cmp.Diff([]string{"404", "200", "200", "404"}, got); diff != "" {
		t.Errorf("statuses of the index (-want +got):\n%s", diff)
	}
}
