package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestMethodIsOverriddenAsInWordPress(t *testing.T) {
	const plain = "/?rest_route=/fluent-cart/v2/customers/1"
	tests := []struct {
		name, method, target, override string
		status                         int
		city                           string // after the request, which sets Lyon
	}{
		{"PUT with plain permalinks", "PUT", plain, "", 200, newCity},
		{"POST in place of PUT", "POST", customerPath(1), "PUT", 200, newCity},
		{"POST in place of PUT with plain permalinks", "POST", plain, "PUT", 200, newCity},
		{"the header in lower case", "POST", customerPath(1), "put", 200, newCity},
		{"the parameter", "POST", customerPath(1) + "?_method=PUT", "", 200, newCity},
		{"the parameter with plain permalinks", "POST", plain + "&_method=put", "", 200, newCity},
		{"the parameter comes before the header", "POST", customerPath(1) + "?_method=PATCH", "PUT", 404, oldCity},
		{"POST without either", "POST", customerPath(1), "", 404, oldCity},
		{"POST with plain permalinks", "POST", plain, "", 404, oldCity},
		{"a method that is no route", "POST", customerPath(1), "PATCH", 404, oldCity},
		{"GET in a POST reads", "POST", customerPath(1), "GET", 200, oldCity},
		{"PUT in a GET writes", "GET", customerPath(1), "PUT", 200, newCity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{})
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.target, strings.NewReader(marshal(t, ann(fields{"city": newCity}))))
			r.Header.Set("Content-Type", "application/json")
			if tt.override != "" {
				r.Header.Set("X-HTTP-Method-Override", tt.override)
			}
			r.SetBasicAuth(AdminUsername, AdminPassword)
			w := httptest.NewRecorder()
			store.ServeHTTP(w, r)
			wantStatus(t, w, tt.status)
			wantCity(t, store, tt.city)
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
