package fluentcart_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

const (
	annWritten    = `{"message":"ok","data":{` + annsColumns + `}}`
	restForbidden = `{"code":"rest_forbidden","message":"Sorry","data":{"status":401}}`
)

// A store may fail after it has written, and respond with anything (F25). A refusal of a write is definitive only if it
// cannot have been made after the write.
func TestRefusalOfAWriteIsDefinitiveOnlyIfItCannotFollowTheWrite(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		kind   fluentcart.Kind // 0 is success
	}{
		{"401 as a number in a 500", 500, `{"code":401,"message":"CRM said no","data":null}`, fluentcart.Broken},
		{"403 as a number in a 500", 500, `{"code":403,"message":"x","data":null}`, fluentcart.Broken},
		{"404 as a number in a 500", 500, `{"code":404,"message":"x","data":null}`, fluentcart.Broken},
		{"429 as a number in a 500", 500, `{"code":429,"message":"x","data":null}`, fluentcart.Broken},
		{"405 as a number in a 500", 500, `{"code":405,"message":"x","data":null}`, fluentcart.Broken},
		{"503 of wp_die in a 500", 500, `{"code":"wp_die","data":{"status":503}}`, fluentcart.Broken},
		{"401 in the data of a 500", 500, restForbidden, fluentcart.Broken},
		{"400 of a plug-in in the data of a 500", 500, `{"code":"crm_error","data":{"status":400}}`, fluentcart.Unconfirmed},
		{"400 of WordPress in the data of a 500", 500, `{"code":"rest_invalid_param","data":{"status":400}}`, fluentcart.Unconfirmed},
		{"422 without a field in a 500", 500, `{"code":422,"message":"x","data":{"status":422}}`, fluentcart.Unconfirmed},
		{"422 with fields in a 500", 500, `{"code":422,"email":{"exist":"x"}}`, fluentcart.Unconfirmed},
		{"400 in a 500", 500, `{"code":400,"message":"x"}`, fluentcart.Rejected},
		{"423 in a 500", 500, `{"code":423,"message":"x"}`, fluentcart.UserUpdateFailed},
		{"400 in a 500 that holds the customer too", 500, `{"code":400,"message":"x"}` + annWritten, fluentcart.Unconfirmed},
		{"400 in a 502", 502, `{"code":400,"message":"x"}`, fluentcart.Broken},
		{"400 in a 503", 503, `{"code":400,"message":"x"}`, fluentcart.Broken},
		{"423 in a 504", 504, `{"code":423,"message":"x"}`, fluentcart.Broken},

		{"an error printed in front of the success", 200, restForbidden + annWritten, fluentcart.Unconfirmed},
		{"an error printed behind the success", 200, annWritten + restForbidden, fluentcart.Unconfirmed},
		{"an error as a number printed in front of the success", 200, `{"code":400,"message":"x","data":{}}` + annWritten, fluentcart.Unconfirmed},
		{"an error of WordPress alone under 200", 200, "<b>Warning</b>" + restForbidden, fluentcart.Unconfirmed},
		{"400 alone under 200", 200, "<b>Warning</b>" + `{"code":400,"message":"x"}`, fluentcart.Unconfirmed},
		{"401 as a number alone under 200", 200, `{"code":401,"message":"x","data":null}`, fluentcart.Unconfirmed},
		{"429 as a number alone under 200", 200, `{"code":429,"message":"x","data":null}`, fluentcart.Unconfirmed},
		{"an error of a plug-in alone under 200", 200, `{"code":"crm_error","data":{"status":403}}`, fluentcart.Unconfirmed},
		{"503 of wp_die under 200", 200, maintenance, fluentcart.Unconfirmed},
		{"the customer under 201", 201, annWritten, fluentcart.BadAnswer},

		{"401", 401, restForbidden, fluentcart.Unauthenticated},
		{"403 with a page", 403, `<html>`, fluentcart.Unconfirmed},
		{"400 with 423 in it", 400, `{"code":423}`, fluentcart.Unconfirmed},
		{"429 with a page", 429, `<html>`, fluentcart.Unconfirmed},
		{"401 with the customer", 401, annWritten, fluentcart.Unconfirmed},
		{"429 with the customer", 429, restForbidden + annWritten, fluentcart.Unconfirmed},
		{"400 with 500 in it", 400, `{"code":500,"message":"x"}`, fluentcart.Unconfirmed},
		{"403 with 503 in it", 403, maintenance, fluentcart.Unconfirmed},
		{"429 with 504 in it", 429, `{"code":504}`, fluentcart.Unconfirmed},
		{"403 of wp_die", 403, `{"code":"wp_die","data":{"status":403}}`, fluentcart.Unconfirmed},
		{"408 with 400 in it", 408, `{"code":400}`, fluentcart.Broken},
		{"499 with 401 in it", 499, restForbidden, fluentcart.Broken},
		{"429 with 408 in it", 429, `{"code":408}`, fluentcart.Unconfirmed},

		{"a redirect", 301, ``, fluentcart.Unconfirmed},
		{"400 of a plug-in", 400, `{"success":false,"data":"x"}`, fluentcart.Unconfirmed},
		{"400 with a number", 400, `{"code":400,"message":"x","data":null}`, fluentcart.Unconfirmed},
		{"400 of WordPress", 400, `{"code":"rest_invalid_json","message":"x","data":{"status":400}}`, fluentcart.Rejected},
		{"404 of WordPress", 404, `{"code":"rest_no_route","message":"x","data":{"status":404}}`, fluentcart.NoRoute},
		{"404 of the handler", 404, `{"code":"fluent_cart_entity_not_found","data":{"message":"x"}}`, fluentcart.Unconfirmed},
		{"403 of WordPress", 403, `{"code":"rest_forbidden","message":"x","data":{"status":403}}`, fluentcart.Forbidden},
		{"403 of WordPress in a 401", 401, `{"code":"rest_forbidden","message":"x","data":{"status":403}}`, fluentcart.Unconfirmed},
		{"403 of another code of the REST API", 403, `{"code":"rest_cannot_edit","message":"x","data":{"status":403}}`, fluentcart.Unconfirmed},
		{"403 of the documentation", 403, `{"message":"You are not authorized to update this customer"}`, fluentcart.Unconfirmed},
		{"422 with a field of the customer", 422, `{"email":{"exist":"x"}}`, fluentcart.Invalid},
		{"422 as documented", 422, `{"message":"x","errors":{"email":["y"]}}`, fluentcart.Unconfirmed},
		{"422 with a list of texts", 422, `{"notes":["x"]}`, fluentcart.Unconfirmed},
		{"422 with an unknown rule", 422, `{"city":{"in_list":"x"}}`, fluentcart.Unconfirmed},
		{"400 in a 500 with data", 500, `{"code":400,"message":"x","data":{"status":500}}`, fluentcart.Unconfirmed},
		{"a refusal of a plug-in under 200", 200, `{"success":false,"data":"x"}`, fluentcart.Unconfirmed},
		{"the customer in a refusal of a plug-in under 200", 200, `{"success":false,"data":{` + annsColumns + `}}`, fluentcart.Unconfirmed},
		{"the customer in a success of a plug-in under 200", 200, `{"success":true,"data":{` + annsColumns + `}}`, 0},
		{"422 with another field", 422, `{"crm":{"exist":"x"}}`, fluentcart.Unconfirmed},
		{"422 of a plug-in", 422, `{"success":false,"data":{"email":{"exist":"x"}}}`, fluentcart.Unconfirmed},
		{"two refusals in a 500", 500, `{"code":400,"message":"x"}{"code":"internal_server_error","data":{"status":500}}`, fluentcart.Broken},
		{"a page under 200", 200, `<!DOCTYPE html><html></html>`, fluentcart.Unconfirmed},
		{"a prompt 503 with a page", 503, `<html>`, fluentcart.Unconfirmed},
		{"501", 501, ``, fluentcart.Unconfirmed},
		{"502 with a page", 502, `<html>`, fluentcart.Broken},
		{"an id and a refusal under 200", 200, `{"data":{"id":1}}{"code":423,"message":"no","data":null}`, fluentcart.Unconfirmed},
		{"an id under 200", 200, `{"data":{"id":1}}`, fluentcart.BadAnswer},
		{"the customer in a refusal under 200", 200, `{"code":423,"message":"no","data":{` + annsColumns + `}}`, fluentcart.Unconfirmed},

		{"503 of wp_die without a Retry-After", 503, maintenance, fluentcart.Broken},
		{"503 with a refusal in it", 503, restForbidden, fluentcart.Broken},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := put(t.Context(), newClient(t, respond(row.status, row.body)), nil)
			if row.kind == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := failure(t, err); got.Kind != row.kind || !got.Sent || got.Status != row.status {
				t.Errorf("got %v, want %v", got, row.kind)
			}
		})
	}
}

func TestReadLooksForTheCustomerBeforeAnError(t *testing.T) {
	if err := get(t.Context(), newClient(t, respond(200, restForbidden+`{"customer":{`+annsColumns+`}}`))); err != nil {
		t.Error(err)
	}
}

// A read writes nothing, so every refusal of it is definitive.
func TestRefusalOfAReadIsAlwaysDefinitive(t *testing.T) {
	for name, row := range map[string]struct {
		body string
		kind fluentcart.Kind
	}{
		"in the data":  {restForbidden, fluentcart.Unauthenticated},
		"as a number":  {`{"code":403,"message":"x"}`, fluentcart.Forbidden},
		"of a limiter": {`{"code":429,"message":"x"}`, fluentcart.RateLimited},
	} {
		if got := failure(t, get(t.Context(), newClient(t, respond(500, row.body)))); got.Kind != row.kind {
			t.Errorf("%s: got %v, want %v", name, got, row.kind)
		}
	}
}

// A write is sent again with a replaced password only if the first cannot have been applied: the status line says 401, and
// the code is not a number, which FluentCart gives to exceptions of any origin.
func TestWriteIsSentAgainOnlyIfRefusedBeforeDispatch(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		sent   int32
	}{
		{"401 of WordPress", 401, restForbidden, 2},
		{"401 of a web server", 401, `<html>`, 1},
		{"401 in a 500", 500, `{"code":401,"message":"x","data":null}`, 1},
		{"401 in the data of a 500", 500, restForbidden, 1},
		{"401 under 200", 200, restForbidden, 1},
		{"401 in a 403", 403, restForbidden, 1},
		{"401 as a number in a 401", 401, `{"code":401,"message":"CRM said no","data":null}`, 1},
		{"401 with the customer", 401, annWritten, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var sent atomic.Int32
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent.Add(1)
				respond(row.status, row.body)(w, r)
			}))
			t.Cleanup(store.Close)
			cfg := (&rotating{inUse: "old", onDisk: "new"}).config()
			cfg.BaseURL = store.URL
			if err := put(t.Context(), newClientOf(t, cfg), nil); err == nil || sent.Load() != row.sent {
				t.Errorf("sent %d times, want %d: %v", sent.Load(), row.sent, err)
			}
		})
	}
}

// A refused write was sent. Its Error keeps saying so, whatever prevents the second try.
func TestWriteThatCannotBeSentAgainStaysRefused(t *testing.T) {
	for name, row := range map[string]struct {
		mayStart func(tries int32) error
		stop     bool
	}{
		"mayStart refuses the second try": {mayStart: func(tries int32) error {
			if tries > 1 {
				return errors.New("too late")
			}
			return nil
		}},
		"the store is down for the second try": {stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			var sent, tries atomic.Int32
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent.Add(1)
				w.Header().Set("Connection", "close")
				respond(401, restForbidden)(w, r)
			}))
			t.Cleanup(store.Close)
			password := "old"
			client := newClientOf(t, fluentcart.Config{
				BaseURL: store.URL,
				Credentials: func(context.Context) fluentcart.Credentials {
					return fluentcart.Credentials{Username: "gateway", Password: secret.New(password)}
				},
				Renew: func() {
					password = "new"
					if row.stop {
						_ = store.Listener.Close()
					}
				},
			})
			err := put(t.Context(), client, func() error {
				if n := tries.Add(1); row.mayStart != nil {
					return row.mayStart(n)
				}
				return nil
			})
			if got := failure(t, err); got.Kind != fluentcart.Unauthenticated || !got.Sent || sent.Load() != 1 {
				t.Errorf("sent %d times, got %v", sent.Load(), got)
			}
		})
	}
}
