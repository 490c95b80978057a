package companion

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func invalidRequests(t *testing.T, s *Store) {
	before := s.row(t, 1)
	subscriber := http.Header{"Authorization": {basic("sub", s.Subscriber)}}
	valid := func(more fields) fields {
		body := fields{"request_id": newID(), "set": fields{"city": "Lyon"}}
		for name, value := range more {
			body[name] = value
		}
		return body
	}
	for _, test := range []struct {
		name, method, path string
		body               any
		header             http.Header
		status             int
		code               string
	}{
		{"no account", http.MethodPost, "customers/1", valid(nil), http.Header{"Authorization": {"none"}}, 401, "rest_forbidden"},
		{"an account without the permission", http.MethodPost, "customers/1", valid(nil), subscriber, 403, "rest_forbidden"},
		{"a cancellation without the permission", http.MethodDelete, "requests/" + newID(), nil, subscriber, 403, "rest_forbidden"},
		{"a column in the body", http.MethodPost, "customers/1", valid(fields{"city": "Lyon"}), nil, 400, "rest_invalid_param"},
		{"an id in the body", http.MethodPost, "customers/1", valid(fields{"id": 2}), nil, 400, "rest_invalid_param"},
		{"a parameter in the URL", http.MethodPost, "customers/1?notes=x", valid(nil), nil, 400, "rest_invalid_param"},
		{"an unknown column in set", http.MethodPost, "customers/1", valid(fields{"set": fields{"ltv": "1"}}), nil, 400, "rest_invalid_param"},
		{"a number where text belongs", http.MethodPost, "customers/1", valid(fields{"set": fields{"city": 1}}), nil, 400, "rest_invalid_param"},
		{"a negative user_id", http.MethodPost, "customers/1", valid(fields{"set": fields{"user_id": -1}}), nil, 400, "rest_invalid_param"},
		{"a request_id that is no UUID", http.MethodPost, "customers/1", valid(fields{"request_id": "1"}), nil, 400, "rest_invalid_param"},
		{"a fingerprint that is too long", http.MethodPost, "customers/1", valid(fields{"fingerprint": strings.Repeat("x", 65)}), nil, 400, "rest_invalid_param"},
		{"no set", http.MethodPost, "customers/1", fields{"request_id": newID()}, nil, 400, "rest_missing_callback_param"},
		{"an id that is no number", http.MethodPost, "customers/1x", valid(nil), nil, 404, "rest_no_route"},
		{"a cancellation of what is no UUID", http.MethodDelete, "requests/1", nil, nil, 404, "rest_no_route"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if a := s.call(t.Context(), test.method, test.path, test.body, test.header); a.marked() || a.status != test.status || a.Code != test.code {
				t.Errorf("got %d %s", a.status, a.raw)
			}
		})
	}
	if diff := cmp.Diff(before, s.row(t, 1)); diff != "" {
		t.Errorf("the row is changed: %s", diff)
	}
}
