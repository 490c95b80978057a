package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// The Allow header names what the account may do on the route; a read that got through names itself only.
const (
	allowUpdate = "PUT, GET"
	allowRead   = "GET"
)

const jsonType = "application/json; charset=UTF-8"

// answer is an answer whose every byte is known beforehand.
type answer struct {
	status int
	allow  string
	body   string
}

var (
	noRoute = answer{
		http.StatusNotFound, "",
		`{"code":"rest_no_route","message":"No route was found matching the URL and request method.",` +
			`"data":{"status":404,"wpfluent":{"env":"production"}}}`,
	}
	unauthorized = answer{
		http.StatusUnauthorized, "",
		`{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":401}}`,
	}
	forbidden = answer{
		http.StatusForbidden, allowUpdate,
		`{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":403}}`,
	}

	invalidJSON = answer{
		http.StatusBadRequest, allowUpdate,
		`{"code":"rest_invalid_json","message":"Invalid JSON body passed.",` +
			`"data":{"status":400,"json_error_code":4,"json_error_message":"Syntax error"}}`,
	}
	// PHP's answer to a list where text belongs (F16).
	pluginException = answer{
		http.StatusInternalServerError, allowUpdate,
		`{"code":"plugin_exception","data":[],"message":"An internal error occurred."}`,
	}

	// The documented 400 and 423 arrive as 500, with the number in the body only (F1).
	updateNotFound = answer{
		http.StatusInternalServerError, allowUpdate,
		`{"code":400,"message":"Customer not found, please reload the page and try again!","data":null}`,
	}
	accountUpdateFailed = answer{
		http.StatusInternalServerError, allowUpdate,
		`{"code":423,"message":"Failed to update user.","data":null}`,
	}

	// A read is honest about what is missing (F6), but takes 0 and "abc" for a customer of somebody else's.
	readNotFound = answer{
		http.StatusNotFound, allowRead,
		`{"data":{"message":"Customer not found","buttonText":"Back to Customer List","route":"/customers",` +
			`"wpfluent":{"env":"production"}},"code":"fluent_cart_entity_not_found"}`,
	}
	readNotAuthorized = answer{
		http.StatusUnprocessableEntity, allowUpdate,
		`{"message":"You are not authorized to view this customer"}`,
	}
)

func (a answer) write(w http.ResponseWriter) {
	writeHeader(w, a.status, a.allow)
	// A client that is gone cannot be told so.
	_, _ = io.WriteString(w, a.body)
}

func writeJSON(w http.ResponseWriter, status int, allow string, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // the answers are no HTML: a photo's "&" stays readable
	if err := enc.Encode(v); err != nil {
		http.Error(w, "500 Internal Server Error", http.StatusInternalServerError)
		return
	}
	writeHeader(w, status, allow)
	_, _ = w.Write(bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

func writeHeader(w http.ResponseWriter, status int, allow string) {
	h := w.Header()
	h.Set("Content-Type", jsonType)
	if allow != "" {
		h.Set("Allow", allow)
	}
	w.WriteHeader(status)
}
