package sandbox

import (
	"net/http"
	"testing"
)

func TestOnlyCustomersAreRoutes(t *testing.T) {
	tests := []struct {
		name, method, target string
		status               int
		allow                string
	}{
		{"a customer is read", "GET", routePrefix + "1", 200, "GET"},
		{"a slash at the end is ignored", "GET", routePrefix + "1/", 200, "GET"},
		{"a read casts the id as a write does", "GET", routePrefix + "2abc", 200, "GET"},
		{"plain permalinks also use index.php", "GET", "/index.php?rest_route=/fluent-cart/v2/customers/1", 200, "GET"},
		{
			"plain permalinks accept the other parameter", "GET",
			"/?rest_route=/fluent-cart/v2/customers/1&params[customer_only]=yes", 200, "GET",
		},
		{"DELETE is no route", "DELETE", routePrefix + "1", 404, ""},
		{"POST is no route", "POST", routePrefix + "1", 404, ""},
		{"the list of customers is no route", "GET", routePrefix, 404, ""},
		{"a path below a customer is no route", "GET", routePrefix + "1/orders", 404, ""},
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

func TestPutCastsThePathSegmentToAnID(t *testing.T) {
	store := New(Config{})
	w := send(t, store, http.MethodPut, routePrefix+"1abc", `{"id":1,"email":"ann@example.com","full_name":"Ann Poe"}`)
	wantStatus(t, w, http.StatusOK)
	if got := rowOf(t, store, 1).LastName; got != "Poe" {
		t.Errorf("last name %q, want Poe", got)
	}
}
