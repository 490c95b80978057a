package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// The values of the Allow header: the methods that the account may use on the route. A successful read lists GET only.
const (
	allowUpdate = "PUT, GET"
	allowRead   = "GET"
)

const jsonType = "application/json; charset=UTF-8"

// fixedResponse is a response that does not depend on the request.
type fixedResponse struct {
	status int
	allow  string
	body   string
}

var (
	noRoute = fixedResponse{
		http.StatusNotFound, "",
		`{"code":"rest_no_route","message":"No route was found matching the URL and request method.",` +
			`"data":{"status":404,"wpfluent":{"env":"production"}}}`,
	}
	unauthorized = fixedResponse{
		http.StatusUnauthorized, "",
		`{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":401}}`,
	}
	forbidden = fixedResponse{
		http.StatusForbidden, allowUpdate,
		`{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":403}}`,
	}

	invalidJSON = fixedResponse{
		http.StatusBadRequest, allowUpdate,
		`{"code":"rest_invalid_json","message":"Invalid JSON body passed.",` +
			`"data":{"status":400,"json_error_code":4,"json_error_message":"Syntax error"}}`,
	}
	// The response to a list where text belongs (F16).
	pluginException = fixedResponse{
		http.StatusInternalServerError, allowUpdate,
		`{"code":"plugin_exception","data":[],"message":"An internal error occurred."}`,
	}

	// The documented 400 and 423 arrive as 500, with the number in the body only (F1).
	updateNotFound = fixedResponse{
		http.StatusInternalServerError, allowUpdate,
		`{"code":400,"message":"Customer not found, please reload the page and try again!","data":null}`,
	}
	accountUpdateFailed = fixedResponse{
		http.StatusInternalServerError, allowUpdate,
		`{"code":423,"message":"Failed to update user.","data":null}`,
	}

	// A read returns 404 for a missing customer (F6), but treats the ids 0 and "abc" as a customer without permission.
	readNotFound = fixedResponse{
		http.StatusNotFound, allowRead,
		`{"data":{"message":"Customer not found","buttonText":"Back to Customer List","route":"/customers",` +
			`"wpfluent":{"env":"production"}},"code":"fluent_cart_entity_not_found"}`,
	}
	readNotAuthorized = fixedResponse{
		http.StatusUnprocessableEntity, allowUpdate,
		`{"message":"You are not authorized to view this customer"}`,
	}
)

func (r fixedResponse) write(w http.ResponseWriter) {
	writeHeader(w, r.status, r.allow)
	// Ignored: a client that has left cannot be informed.
	_, _ = io.WriteString(w, r.body)
}

func writeJSON(w http.ResponseWriter, status int, allow string, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // the body is not HTML: a photo's "&" stays as it is
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
