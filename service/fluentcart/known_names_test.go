package fluentcart_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func TestOnlyKnownCodesAreShown(t *testing.T) {
	for code, want := range map[string]string{
		`"rest_forbidden"`:    "rest_forbidden",
		`"wp_die"`:            "wp_die",
		`100`:                 "100",
		`"599"`:               "599",
		`99`:                  "(other)",
		`600`:                 "(other)",
		`"0400"`:              "(other)",
		`33612345678`:         "(other)",
		`"rest_ann_lee"`:      "(other)",
		`"Ann"`:               "(other)",
		`"ann@example.com"`:   "(other)",
		`"a\nb"`:              "(other)",
		`""`:                  "",
		`null`:                "",
		`["ann@example.com"]`: "",
	} {
		t.Run(code, func(t *testing.T) {
			for method, err := range both(t.Context(), newClient(t, respond(503, `{"code":`+code+`}`))) {
				if got := failure(t, err); got.Code != want {
					t.Errorf("%s: code %q, want %q", method, got.Code, want)
				}
			}
		})
	}
}

func TestOnlyKnownFieldsAndRulesAreShown(t *testing.T) {
	const body = `{"Ann":{"required":"x"},"ann@example.com":["y"],"city":{"Not in Lyon":"z","not_in_lyon":"z"},"email":{"exist":"x"}}`
	want := []fluentcart.FieldError{
		{Field: "(other)", Rule: "required"},
		{Field: "(other)", Rule: "(other)"},
		{Field: "city", Rule: "(other)"},
		{Field: "email", Rule: "exist"},
	}
	for method, err := range both(t.Context(), newClient(t, respond(422, body))) {
		if diff := cmp.Diff(want, stated(t, err).Fields); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", method, diff)
		}
	}
}

func TestErrorsHoldNoSentenceOfTheStore(t *testing.T) {
	for name, body := range map[string]string{
		"a message":                  `{"message":"In use by canary@example.com."}`,
		"an encoded message":         `{"message":"In use by canary%40example.com."}`,
		"the message of a rule":      `{"email":{"exist":"In use by canary."}}`,
		"the documented shape":       `{"message":"canary","errors":{"email":["In use by canary."]}}`,
		"a field, a rule and a code": `{"code":"canary_code","canary_field":{"canary_rule":"x"}}`,
	} {
		for _, status := range []int{400, 401, 403, 404, 409, 422, 423, 429, 500, 503} {
			for method, err := range both(t.Context(), newClient(t, respond(status, body))) {
				if got := failure(t, err); strings.Contains(fmt.Sprintf("%v %+v", got, *got), "canary") {
					t.Errorf("%s of %s under %d: %+v", name, method, status, *got)
				}
			}
		}
	}
}

func TestSeveralMessagesOfOneFieldAreOneFieldError(t *testing.T) {
	const body = `{"message":"x","errors":{"city":["First.","Second."],"email":["Third."]}}`
	want := []fluentcart.FieldError{{Field: "city", Rule: "(other)"}, {Field: "email", Rule: "(other)"}}
	for method, err := range both(t.Context(), newClient(t, respond(422, body))) {
		if diff := cmp.Diff(want, stated(t, err).Fields); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", method, diff)
		}
	}
}
