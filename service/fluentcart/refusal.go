package fluentcart

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// refusal is the JSON of any error response: a WP_Error, FluentCart's own {code, message, data}, wp_die.
type refusal struct {
	Code    scalar         `json:"code"` // a word, or a number that stands for an HTTP status (F1)
	Message scalar         `json:"message"`
	Data    jsontext.Value `json:"data"`
	Errors  jsontext.Value `json:"errors"`
	Success jsontext.Value `json:"success"` // false in what plug-ins send with wp_send_json_error, under any status (F25)
}

const (
	// codeDied is the code of every response that WordPress's wp_die makes (F19).
	codeDied = "wp_die"
	// codeNoCustomer is FluentCart's code for a read of a customer that does not exist (F6).
	codeNoCustomer = "fluent_cart_entity_not_found"
)

// scalar is a string or a number as text; other JSON is empty text.
type scalar string

// UnmarshalJSON accepts any JSON.
func (s *scalar) UnmarshalJSON(raw []byte) error {
	*s = scalar(shownText(raw))
	return nil
}

// refusalIn returns the error in the body of a response, and how many objects in it say that the request failed. Such an
// object counts before one with a message only, which a success has too.
func refusalIn(body []byte) (refusal, int) {
	if stating, count := findJSON(body, refusal.statesFailure); count > 0 {
		return stating, count
	}
	other, _ := findJSON(body, refusal.isError)
	return other, 0
}

// isError reports whether the object is an error at all: an object inside a PHP warning that is printed in front of the
// response has none of these fields (F20). fieldErrors looks for the fields of a 422.
func (r refusal) isError() bool {
	return r.Code != "" || r.Message != "" || len(r.Errors) > 0 || isFalse(r.Success)
}

// statesFailure reports whether the object says that the request failed: with a status, or as wp_send_json_error does.
func (r refusal) statesFailure() bool { return r.status() != 0 || isFalse(r.Success) }

// hasData reports whether the error has `data`, which is null in FluentCart's own (F1).
func (r refusal) hasData() bool { return len(r.Data) > 0 && r.Data.Kind() != 'n' }

// isFalse reports whether a member is there and is false.
func isFalse(raw jsontext.Value) bool { return raw.Kind() == 'f' }

// status returns the status that the body states, or 0 if it states none.
func (r refusal) status() int {
	if number := r.number(); number >= 400 && number < 600 {
		return number
	}
	if r.Code == "" {
		return 0
	}
	return r.dataStatus()
}

// dataStatus returns the status in `data`, where WordPress puts it, or 0.
func (r refusal) dataStatus() int {
	var data struct {
		Status int `json:"status"`
	}
	if json.Unmarshal(r.Data, &data, tolerant) == nil && data.Status >= 400 && data.Status < 600 {
		return data.Status
	}
	return 0
}

// number returns the code if it is a number, as in FluentCart's own errors (F1), or 0 if it is a word.
func (r refusal) number() int {
	number, _ := strconv.Atoi(string(r.Code))
	return number
}

// fromWordPress reports whether the error has the form of WordPress's own: a code in words with a status, or a code of the
// REST API.
func (r refusal) fromWordPress() bool {
	isWord := r.Code != "" && strings.Trim(string(r.Code), "0123456789") != ""
	return isWord && (strings.HasPrefix(string(r.Code), "rest_") || r.Code == codeNoCustomer || r.dataStatus() != 0)
}

// beforeDispatch reports whether the error is one that WordPress gives before it runs the handler of the route, so that
// nothing was written (F25): about the route, the authentication, the permission or the parameters.
func (r refusal) beforeDispatch(status int) bool {
	if stated := r.dataStatus(); stated != 0 && stated != status {
		return false
	}
	switch r.Code {
	case "rest_no_route":
		return status == http.StatusNotFound
	case "rest_forbidden", "rest_not_logged_in", "rest_login_required", "rest_cannot_access", "rest_cookie_invalid_nonce":
		return status == http.StatusUnauthorized || status == http.StatusForbidden
	case "incorrect_password", "invalid_username", "invalid_email", "application_passwords_disabled", "application_passwords_disabled_for_user":
		return status == http.StatusUnauthorized
	case "rest_missing_callback_param", "rest_invalid_param", "rest_invalid_json":
		return status == http.StatusBadRequest
	}
	return false
}

// statesRefusal reports whether an object states an error.
func statesRefusal(object jsontext.Value) bool {
	var body refusal
	return json.Unmarshal(object, &body, tolerant) == nil && body.statesFailure()
}
