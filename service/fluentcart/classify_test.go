package fluentcart_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// rawResponse reads a recorded HTTP response. It drops the headers of the transfer: the recorded bodies are not chunked,
// although their headers say so.
func rawResponse(t testing.TB, name string) (status int, header http.Header, body []byte) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "failures", name))
	if err != nil {
		t.Fatal(err)
	}
	reader := textproto.NewReader(bufio.NewReader(bytes.NewReader(content)))
	line, err := reader.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	fields, err := reader.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	body, err = io.ReadAll(reader.R)
	if err != nil {
		t.Fatal(err)
	}
	status, err = strconv.Atoi(strings.Fields(line)[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, hop := range []string{"Transfer-Encoding", "Connection", "Content-Length"} {
		fields.Del(hop)
	}
	return status, http.Header(fields), body
}

func TestRecordedFailuresAreClassified(t *testing.T) {
	type recorded struct {
		Kind       fluentcart.Kind
		Status     int
		Code       string
		RetryAfter time.Duration
	}
	wanted := map[string]recorded{
		"database_down.txt":           {fluentcart.Broken, 500, "wp_die", 0},
		"gateway_timeout.txt":         {fluentcart.Broken, 504, "", 0},
		"maintenance.txt":             {fluentcart.Unavailable, 503, "wp_die", 600 * time.Second},
		"php_fatal.txt":               {fluentcart.Broken, 500, "internal_server_error", 0},
		"php_memory.txt":              {fluentcart.Broken, 500, "internal_server_error", 0},
		"php_warning_before_json.txt": {fluentcart.BadAnswer, 200, "", 0}, // to a GET; it was recorded as the response to a PUT
		"php_workers_down.txt":        {fluentcart.Broken, 502, "", 0},
		"plugin_missing.txt":          {fluentcart.NoRoute, 404, "rest_no_route", 0},
		"redirect_301.txt":            {fluentcart.Redirected, 301, "", 0},
	}
	files, err := filepath.Glob("testdata/failures/*")
	if err != nil || len(files) != len(wanted) {
		t.Fatalf("%d files, want %d: %v", len(files), len(wanted), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			status, header, body := rawResponse(t, name)
			client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				for key, values := range header {
					w.Header()[key] = values
				}
				w.WriteHeader(status)
				_, _ = w.Write(body)
			})
			for method, err := range both(t.Context(), client) {
				if name == "php_warning_before_json.txt" && method == "PUT" {
					if err != nil {
						t.Errorf("PUT: %v", err) // the write was applied (F20)
					}
					continue
				}
				got := stated(t, err)
				if diff := cmp.Diff(wanted[name], recorded{got.Kind, got.Status, got.Code, got.RetryAfter}); diff != "" {
					t.Errorf("%s (-want +got):\n%s", method, diff)
				}
				if !got.Sent {
					t.Errorf("%s: not reported as sent", method)
				}
			}
		})
	}
}

func TestErrorResponsesAreClassified(t *testing.T) {
	exist := []fluentcart.FieldError{{Field: "email", Rule: "exist"}}
	for _, row := range []struct {
		name   string
		status int
		body   string
		kind   fluentcart.Kind
		code   string
		fields []fluentcart.FieldError
	}{
		{"400 in a 500", 500, `{"code":400,"message":"Customer not found, please reload the page and try again!","data":null}`, fluentcart.Rejected, "400", nil},
		{"400 in a 500 as text", 500, `{"code":"400","message":"x","data":null}`, fluentcart.Rejected, "400", nil},
		{"400 in the status line", 400, `{"message":"x"}`, fluentcart.Rejected, "", nil},
		{"400 without a body", 400, ``, fluentcart.Rejected, "", nil},
		{"423 in a 500", 500, `{"code":423,"message":"Failed to update user.","data":null}`, fluentcart.UserUpdateFailed, "423", nil},
		{"423 in the status line", 423, `{"code":423,"message":"Failed to update user."}`, fluentcart.UserUpdateFailed, "423", nil},
		{"423 as a page", 423, `<html>`, fluentcart.UserUpdateFailed, "", nil},
		{"invalid JSON", 400, `{"code":"rest_invalid_json","message":"Invalid JSON body passed.","data":{"status":400}}`, fluentcart.Rejected, "rest_invalid_json", nil},
		{"rules by field", 422, `{"email":{"exist":"Email already exists."}}`, fluentcart.Invalid, "", exist},
		{"several rules", 422, `{"full_name":{"required":"Full Name is required."},"email":{"required":"Email is required.","email":"<b>"}}`, fluentcart.Invalid, "", []fluentcart.FieldError{
			{Field: "email", Rule: "email"}, {Field: "email", Rule: "required"}, {Field: "full_name", Rule: "required"},
		}},
		{"the documented shape", 422, `{"message":"Invalid.","errors":{"email":["E-mail déjà utilisé."]}}`, fluentcart.Invalid, "", []fluentcart.FieldError{{Field: "email", Rule: "(other)"}}},
		{"422 in a 500", 500, `{"code":422,"errors":{"email":{"exist":"Email already exists."}}}`, fluentcart.Invalid, "422", exist},
		{"422 with a message only", 422, `{"message":"You are not authorized to view this customer"}`, fluentcart.Invalid, "", nil},
		{"no credentials", 401, `{"code":"rest_forbidden","message":"Sorry","data":{"status":401}}`, fluentcart.Unauthenticated, "rest_forbidden", nil},
		{"no permission", 403, `{"message":"You are not authorized to update this customer"}`, fluentcart.Forbidden, "", nil},
		{"no permission under a 200", 200, `{"code":"rest_forbidden","message":"Sorry","data":{"status":403}}`, fluentcart.Forbidden, "rest_forbidden", nil},
		{"no such customer", 404, `{"code":"fluent_cart_entity_not_found","data":{"message":"Customer not found"}}`, fluentcart.NotFound, "fluent_cart_entity_not_found", nil},
		{"no such route", 404, `{"code":"rest_no_route","data":{"status":404}}`, fluentcart.NoRoute, "rest_no_route", nil},
		{"a page that is not found", 404, `<html>`, fluentcart.NoRoute, "", nil},
		{"too many requests", 429, ``, fluentcart.RateLimited, "", nil},
		{"a plug-in's exception", 500, `{"code":"plugin_exception","data":[],"message":"An internal error occurred."}`, fluentcart.Broken, "plugin_exception", nil},
		{"a firewall's refusal", 406, ``, fluentcart.Blocked, "", nil},
		{"another refusal", 410, ``, fluentcart.Refused, "", nil},
		{"a 400 behind a PHP warning", 500, "<br />\n<b>Warning</b>: {oops}\n{\"code\":400,\"message\":\"x\"}", fluentcart.Rejected, "400", nil},
		{"a 423 behind a PHP warning that holds an object", 500, "<b>Warning</b>: stdClass::__set_state({}) in x\n{\"code\":423,\"message\":\"Failed to update user.\",\"data\":null}", fluentcart.UserUpdateFailed, "423", nil},
		{"a 400 behind an object that is not an error", 500, "Notice: {\"a\":{\"code\":423}}\n{\"code\":400,\"message\":\"x\"}", fluentcart.Rejected, "400", nil},
		{"rules by field behind a PHP warning that holds an object", 422, "<b>Warning</b>: stdClass::__set_state({}) in x\n{\"email\":{\"exist\":\"Email already exists.\"}}", fluentcart.Invalid, "", exist},
		{"the documented shape behind a PHP warning that holds an object", 422, "Warning: {\"a\":1} in x\n{\"message\":\"Invalid.\",\"errors\":{\"email\":[\"E-mail déjà utilisé.\"]}}", fluentcart.Invalid, "", []fluentcart.FieldError{{Field: "email", Rule: "(other)"}}},
		{"a 422 in a 500 behind a PHP warning that holds an object", 500, "Warning: {} in x\n{\"code\":422,\"errors\":{\"email\":{\"exist\":\"Email already exists.\"}}}", fluentcart.Invalid, "422", exist},
		{"a page under 200", 200, `<html>coming soon</html>`, fluentcart.Blocked, "", nil},
		{"an error page of PHP under 200", 200, "<br />\n<b>Fatal error</b>:  Uncaught Error in <b>/var/www/x.php</b>", fluentcart.BadAnswer, "", nil},
		{"an empty 200", 200, ``, fluentcart.BadAnswer, "", nil},
		{"an empty 204", 204, ``, fluentcart.BadAnswer, "", nil},
		{"a list under 200", 200, `[]`, fluentcart.BadAnswer, "", nil},
		{"another customer under 200", 200, `{"customer":{"id":2,"email":"e@example.com"},"data":{"id":2,"email":"e@example.com"}}`, fluentcart.BadAnswer, "", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			for method, err := range both(t.Context(), newClient(t, respond(row.status, row.body))) {
				got := stated(t, err)
				if got.Kind != row.kind || got.Code != row.code || got.Status != row.status {
					t.Errorf("%s: %v with code %q, want %v, %q", method, got, got.Code, row.kind, row.code)
				}
				if diff := cmp.Diff(row.fields, got.Fields); diff != "" {
					t.Errorf("%s: fields (-want +got):\n%s", method, diff)
				}
			}
		})
	}
}

// stated returns the refusal that a response states, also that of a write which a read has to confirm.
func stated(t testing.TB, err error) *fluentcart.Error {
	t.Helper()
	got := failure(t, err)
	if got.Kind == fluentcart.Unconfirmed {
		return got.Refusal
	}
	return got
}

// The gateway handles field errors one by one, and writes them into one line of the log.
func TestFieldErrorsAreBounded(t *testing.T) {
	var body strings.Builder
	for i := range 10_000 {
		_, _ = body.WriteString(`"f` + strconv.Itoa(i) + `":{"required":"x","exist":"y"},`)
	}
	client := newClient(t, respond(422, `{`+body.String()+`"city":{"required":"x"}}`))
	for method, err := range both(t.Context(), client) {
		if got := stated(t, err); got.Kind != fluentcart.Invalid || len(got.Fields) == 0 || len(got.Fields) > 32 {
			t.Errorf("%s: %v with %d fields", method, got.Kind, len(got.Fields))
		}
	}
}

// Each recorded response of a live store becomes a customer or an error of the expected kind.
func TestRecordedResponsesAreClassified(t *testing.T) {
	kinds := map[string]fluentcart.Kind{
		"500 400": fluentcart.Rejected, "500 423": fluentcart.UserUpdateFailed, "500 plugin_exception": fluentcart.Broken, "400 rest_invalid_json": fluentcart.Rejected,
		"401 rest_forbidden": fluentcart.Unauthenticated, "403 rest_forbidden": fluentcart.Forbidden, "422 ": fluentcart.Invalid,
		"404 rest_no_route": fluentcart.NoRoute, "404 fluent_cart_entity_not_found": fluentcart.NotFound,
	}
	for _, recorded := range recordings(t) {
		t.Run(recorded.Name, func(t *testing.T) {
			client := newClient(t, respond(recorded.Response.Status, string(recorded.Response.JSON)))
			var body struct {
				Code           any
				Customer, Data struct{ ID int64 }
			}
			_ = json.Unmarshal(recorded.Response.JSON, &body) // missing fields stay zero
			var customer *fluentcart.Customer
			var err error
			id := max(body.Customer.ID, body.Data.ID, 1)
			if recorded.Request.Method == http.MethodGet {
				customer, err = client.GetCustomer(t.Context(), id)
			} else {
				customer, err = client.PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: id}, nil)
			}
			if recorded.Response.Status == http.StatusOK {
				if err != nil || customer.ID != id || customer.Email == "" || customer.UUID == "" || customer.CreatedAt.IsZero() {
					t.Errorf("got %+v, %v", customer, err)
				}
				return
			}
			code := ""
			switch value := body.Code.(type) {
			case string:
				code = value
			case float64:
				code = strconv.Itoa(int(value))
			}
			key := strconv.Itoa(recorded.Response.Status) + " " + code
			if got := failure(t, err); got.Kind != kinds[key] {
				t.Errorf("%s is %v, want %v", key, got.Kind, kinds[key])
			}
		})
	}
}

type recording struct {
	Name     string
	Request  struct{ Method string }
	Response struct {
		Status int
		JSON   json.RawMessage
	}
}

func recordings(t testing.TB) []recording {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "sandbox", "testdata", "recordings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []recording
	if err := json.Unmarshal(content, &list); err != nil || len(list) < 62 {
		t.Fatalf("%d recordings: %v", len(list), err)
	}
	return list
}
