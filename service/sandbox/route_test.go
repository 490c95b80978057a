package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	tests := []struct {
		name, method, target string
		status               int
		allow                string
	}{
		{"a customer is read", "GET", routePrefix + "1", 200, "GET"},
		{"a slash at the end does not matter", "GET", routePrefix + "1/", 200, "GET"},
		{"a read casts the id as a write does", "GET", routePrefix + "2abc", 200, "GET"},
		{"plain permalinks go through index.php too", "GET", "/index.php?rest_route=/fluent-cart/v2/customers/1", 200, "GET"},
		{
			"plain permalinks know the other parameter", "GET",
			"/?rest_route=/fluent-cart/v2/customers/1&params[customer_only]=yes", 200, "GET",
		},
		{"DELETE is no route", "DELETE", routePrefix + "1", 404, ""},
		{"POST is no route", "POST", routePrefix + "1", 404, ""},
		{"the list of customers is no route", "GET", routePrefix, 404, ""},
		{"what is below a customer is no route", "GET", routePrefix + "1/orders", 404, ""},
		{"a path outside of the API is no route", "GET", "/1", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := send(t, New(Config{}), tt.method, tt.target, "")
			wantStatus(t, w, tt.status)
			if got := w.Header().Get("Allow"); got != tt.allow {
				t.Errorf("Allow %q, want %q", got, tt.allow)
			}
		})
	}
}

func TestPutReachesTheNumberThatTheSegmentBeginsWith(t *testing.T) {
	store := New(Config{})
	w := send(t, store, http.MethodPut, routePrefix+"1abc", `{"id":1,"email":"ann@example.com","full_name":"Ann Poe"}`)
	wantStatus(t, w, http.StatusOK)
	if got := rowOf(t, store, 1).LastName; got != "Poe" {
		t.Errorf("last name %q, want Poe", got)
	}
}

func TestPasswords(t *testing.T) {
	tests := []struct {
		name, username, password string
		status                   int
	}{
		{"as WordPress prints it", AdminUsername, AdminPassword, 200},
		{"without its spaces", AdminUsername, strings.ReplaceAll(AdminPassword, " ", ""), 200},
		{"with other spaces", AdminUsername, " sandbox sandbox sandbox ", 200},
		{"empty", AdminUsername, "", 401},
		{"in capitals", AdminUsername, strings.ToUpper(AdminPassword), 401},
		{"somebody else's", AdminUsername, SubscriberPassword, 401},
		{"an account without permission", SubscriberUsername, SubscriberPassword, 403},
		{"a WordPress user without an application password", "bob", "", 401},
		{"nobody's", "nobody", AdminPassword, 401},
	}
	store := New(Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, routePrefix+"1", nil)
			r.SetBasicAuth(tt.username, tt.password)
			w := httptest.NewRecorder()
			store.ServeHTTP(w, r)
			wantStatus(t, w, tt.status)
		})
	}
}

func TestPasswordsAreReplaced(t *testing.T) {
	store := New(Config{})
	tries := func(password string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, routePrefix+"1", nil)
		request.SetBasicAuth(AdminUsername, password)
		answer := httptest.NewRecorder()
		store.ServeHTTP(answer, request)
		return answer.Code
	}
	store.SetPasswords(AdminUsername, AdminPassword, "new one")
	if old, latest := tries(AdminPassword), tries("newone"); old != http.StatusOK || latest != http.StatusOK {
		t.Errorf("with both the old one gets %d, the new one %d", old, latest)
	}
	store.SetPasswords(AdminUsername, "new one")
	if old, latest := tries(AdminPassword), tries("new one"); old != http.StatusUnauthorized || latest != http.StatusOK {
		t.Errorf("when the old one is revoked it gets %d, the new one %d", old, latest)
	}
	store.SetPasswords(AdminUsername)
	if none := tries(""); none != http.StatusUnauthorized {
		t.Errorf("without any the empty one gets %d", none)
	}
}
