package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// ann is a customer whose data must not be told.
func ann() *customerv1.Customer {
	return &customerv1.Customer{
		Id:       4711,
		Email:    proto.String("ann.cook@example.com"),
		FullName: proto.String("Ann-Sophie O'Brien"),
		City:     proto.String("Saint-Étienne"),
		State:    proto.String("OR"),
		Country:  proto.String("DE"),
		Postcode: proto.String("42000"),
		Status:   proto.String("x"),
		Notes:    proto.String("Prefers to be called in the evening, under 0171-5550123. Is not a friend of e-mail; leave it."),
	}
}

func TestValuesAreFoundHoweverTheyAreWritten(t *testing.T) {
	values := redact.ValuesOf(&customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: ann()})
	for name, text := range map[string]string{
		"the e-mail":                        "Email ann.cook@example.com already exists.",
		"the e-mail in capitals":            "EMAIL ANN.COOK@EXAMPLE.COM",
		"its local part":                    "the user ann.cook exists",
		"a part of its local part":          "user cook17",
		"%-encoded":                         "ann.cook%40example.com",
		"%-encoded altogether":              "%41%6e%6e%2e%63%6f%6f%6b",
		"%-encoded twice":                   "ann%252Ecook",
		"escaped for HTML":                  "O&#039;Brien &amp; Co",
		"with \\u of JSON":                  `\u004f\u0027\u0042\u0072\u0069\u0065\u006e`,
		"with \\u for its accent":           `Saint-\u00c9tienne`,
		"quoted":                            `"Ann-Sophie O\'Brien" is not possible`,
		"with other punctuation":            "ann_sophie",
		"the last name alone":               "Mrs. Brien",
		"in base64":                         "id YW5uLmNvb2tAZXhhbXBsZS5jb20=",
		"in base64 for URLs, in words":      "id " + base64.RawURLEncoding.EncodeToString([]byte("user ann.cook@example.com?")),
		"another case of the accent":        "SAINT-ÉTIENNE",
		"a short one as a word":             "country DE is not served",
		"the postcode":                      "postcode 42000 is wrong",
		"some words of the notes":           "no: called in the evening",
		"the telephone number of the notes": "0171 5550123",
		"a short name in its own case":      "Ann may not",
	} {
		if !values.In(text) {
			t.Errorf("%s: %q is taken for harmless", name, text)
		}
	}
	for name, text := range map[string]string{
		"a usual refusal":                   "Customer not found.",
		"words of the contract":             "The e-mail of the customer is not valid.",
		"a short value in other case":       "choose one or the other",
		"a short value inside of a word":    "ORDER, DETAIL and annual",
		"a single character":                "x is not a number",
		"words that stand in the notes too": "It is not a valid country; leave",
		"the id":                            "customer 4711",
		"nothing":                           "",
	} {
		if values.In(text) {
			t.Errorf("%s: %q is taken for personal", name, text)
		}
	}
}

func TestValuesOfOtherScripts(t *testing.T) {
	values := redact.ValuesOf(&customerv1.Customer{FullName: proto.String("王芳"), City: proto.String("Москва"), Notes: proto.String("请在晚上打电话给客户不要发邮件")})
	for text, personal := range map[string]bool{
		"客户王芳不存在": true, "МОСКВА": true, "晚上打电话给客户": true, "客户不存在": false, "王": false,
	} {
		if values.In(text) != personal {
			t.Errorf("%s: %v", text, !personal)
		}
	}
}

func TestNoMessageHasNoValues(t *testing.T) {
	for name, values := range map[string]*redact.Values{
		"none": redact.ValuesOf(), "nil": redact.ValuesOf((*customerv1.Customer)(nil)), "empty": redact.ValuesOf(&customerv1.UpdateCustomerRequest{}),
	} {
		if values.In("Ann Smith, ann@example.com") {
			t.Error(name)
		}
	}
}

// escapings are the ways in which a store repeats a value.
var escapings = map[string]func(string) string{
	"as it is":     func(v string) string { return v },
	"HTML":         html.EscapeString,
	"URL":          url.QueryEscape,
	"path":         url.PathEscape,
	"JSON":         quotedJSON,
	"ASCII":        func(v string) string { return strings.Trim(asciiJSON(v), `"`) },
	"lowercase":    strings.ToLower,
	"base64":       func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
	"URL twice":    func(v string) string { return url.PathEscape(url.PathEscape(v)) },
	"HTML in JSON": func(v string) string { return quotedJSON(html.EscapeString(v)) },
}

func quotedJSON(v string) string {
	content, _ := json.Marshal(v) // it takes any text
	return string(content)
}
