package sandbox

import (
	"net/http"
	"testing"
)

func TestInvalidFieldsAreListed(t *testing.T) {
	tests := []struct {
		name   string
		split  bool
		fields fields
		body   string
	}{
		{
			"tags in a name and in a city", false,
			fields{"full_name": "Ann <b>Lee</b>", "city": "Pa\nris"},
			`{"full_name":{"sanitizeText":"The full_name must be a valid text"},` +
				`"city":{"sanitizeText":"The city must be a valid text"}}`,
		},
		{
			"a lone < in a name and in a city", false,
			fields{"full_name": "Ann <3", "city": "5 < 6"},
			`{"full_name":{"sanitizeText":"The full_name must be a valid text"},` +
				`"city":{"sanitizeText":"The city must be a valid text"}}`,
		},
		{
			"names are separate in a split store", true,
			fields{"first_name": " ", "last_name": "Lee%20"},
			`{"first_name":{"required":"First Name is required."},` +
				`"last_name":{"sanitizeText":"The last_name must be a valid text"}}`,
		},
		{
			"two rules of one field", false,
			fields{"email": "bob@example.com "},
			`{"email":{"email":"Email must be a valid email address.","exist":"Email already exists."}}`,
		},
		{
			"an e-mail without a dot in its domain", false,
			fields{"email": "ann@example"},
			`{"email":{"email":"Email must be a valid email address."}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := put(t, New(Config{SplitNames: tt.split}), 1, ann(tt.fields))
			wantStatus(t, w, http.StatusUnprocessableEntity)
			if got := w.Body.String(); got != tt.body {
				t.Errorf("body\n got %s\nwant %s", got, tt.body)
			}
		})
	}
}

func TestIDOfAnotherCustomerInTheBodyBypassesTheUniquenessCheck(t *testing.T) {
	store := New(Config{})
	wantStatus(t, put(t, store, 1, ann(fields{"id": 2, "email": "bob@example.com"})), http.StatusOK)
	if got := rowOf(t, store, 1).Email; got != "bob@example.com" {
		t.Errorf("e-mail %q (F3)", got)
	}
}
