package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPasswordsDecideWhoIsAuthenticated(t *testing.T) {
	tests := []struct {
		name, username, password string
		status                   int
	}{
		{"as WordPress displays it", AdminUsername, AdminPassword, 200},
		{"without its spaces", AdminUsername, strings.ReplaceAll(AdminPassword, " ", ""), 200},
		{"with other spaces", AdminUsername, " sandbox sandbox sandbox ", 200},
		{"empty", AdminUsername, "", 401},
		{"in capitals", AdminUsername, strings.ToUpper(AdminPassword), 401},
		{"the password of another user", AdminUsername, SubscriberPassword, 401},
		{"an account without permission", SubscriberUsername, SubscriberPassword, 403},
		{"a WordPress user without an application password", "bob", "", 401},
		{"an unknown user", "unknown", AdminPassword, 401},
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

func TestReplacedPasswordsAreRefused(t *testing.T) {
	store := New(Config{})
	statusWith := func(password string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, routePrefix+"1", nil)
		request.SetBasicAuth(AdminUsername, password)
		w := httptest.NewRecorder()
		store.ServeHTTP(w, request)
		return w.Code
	}
	store.SetPasswords(AdminUsername, AdminPassword, "new one")
	if old, latest := statusWith(AdminPassword), statusWith("newone"); old != http.StatusOK || latest != http.StatusOK {
		t.Errorf("with two passwords the old one gets %d, the new one %d", old, latest)
	}
	store.SetPasswords(AdminUsername, "new one")
	if old, latest := statusWith(AdminPassword), statusWith("new one"); old != http.StatusUnauthorized || latest != http.StatusOK {
		t.Errorf("after the old one is revoked it gets %d, the new one %d", old, latest)
	}
	store.SetPasswords(AdminUsername)
	if none := statusWith(""); none != http.StatusUnauthorized {
		t.Errorf("without passwords the empty one gets %d", none)
	}
}
