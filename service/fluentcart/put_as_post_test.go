package fluentcart_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

func TestPutAsPostWritesWhereAHostRefusesPut(t *testing.T) {
	for _, row := range []struct {
		name      string
		putAsPost bool
		status    int // of the error; 0 for none
		city      string
	}{
		{"a PUT is refused", false, 405, "Paris"},
		{"a POST writes", true, 0, "Lyon"},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := sandbox.New(sandbox.Config{Firewall: &sandbox.FirewallConfig{Methods: []string{http.MethodPut}, Page: sandbox.NoPut()}})
			front := httptest.NewServer(store)
			t.Cleanup(front.Close)
			client := newClientOf(t, fluentcart.Config{
				BaseURL: front.URL, PutAsPost: row.putAsPost, Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword),
			})
			customer, err := client.GetCustomer(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			update := fluentcart.Update{
				Email: fluentcart.Send(new("ann@example.com")), FullName: fluentcart.Send(new("Ann Lee")), City: fluentcart.Send(new("Lyon")),
			}
			_, err = client.PutCustomer(t.Context(), update, *customer, nil)
			switch {
			case row.status == 0 && err != nil:
				t.Error(err)
			case row.status != 0 && failure(t, err).Status != row.status:
				t.Errorf("error %v, want status %d", err, row.status)
			}
			if after, _ := store.Row(1); *after.City != row.city {
				t.Errorf("the row says %q, want %q", *after.City, row.city)
			}
		})
	}
}

func TestPutAsPostChangesTheRequestLineAndOneHeader(t *testing.T) {
	sent := func(putAsPost bool) string {
		store, wire := newWire(t, respondNormally)
		client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, PutAsPost: putAsPost})
		if err := put(t.Context(), client, nil); err != nil {
			t.Fatal(err)
		}
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		received := regexp.MustCompile(`_fcg=\S+`).ReplaceAllString(wire.received(), "_fcg=unique")
		return strings.ReplaceAll(received, strings.TrimPrefix(store.URL, "http://"), "host")
	}
	want := strings.Replace(sent(false), "PUT /", "POST /", 1)
	want = strings.Replace(want, "Accept-Encoding: gzip\r\n", "Accept-Encoding: gzip\r\nX-HTTP-Method-Override: PUT\r\n", 1)
	if diff := cmp.Diff(want, sent(true)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// The store gets as many requests, and the caller the same error, as with PUT.
func TestPutAsPostIsClassifiedAndRetriedAsAPut(t *testing.T) {
	type result struct {
		Requests int64
		Kind     fluentcart.Kind
		Method   string
		Status   int
		Sent     bool
	}
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
	}{
		{"the write succeeds", respondNormally},
		{"no response", dropConnection},
		{"a bad gateway", badGateway},
		{"a busy store", respondRetryAfter(503, "0")},
		{"too many requests", respondRetryAfter(429, "0")},
		{"refused credentials", respond(401, `{"code":"rest_forbidden","data":{"status":401}}`)},
		{"no route", respond(404, `{"code":"rest_no_route","data":{"status":404}}`)},
		{"FluentCart refuses", respond(500, `{"code":423,"message":"no","data":null}`)},
		{"invalid fields", respond(422, `{"email":{"exist":"Email already exists."}}`)},
		{"a page without JSON", respond(200, `<html>`)},
		{"a host that refuses POST as well", respond(405, `<html>`)},
		{"a redirect", respond(301, ``)},
		{"a truncated response", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
				_ = conn.Close()
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			results := map[bool]result{}
			for _, putAsPost := range []bool{false, true} {
				var requests atomic.Int64
				store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					row.store(w, r)
				}))
				t.Cleanup(store.Close)
				client := newClientOf(t, fluentcart.Config{BaseURL: store.URL, PutAsPost: putAsPost})
				got := result{}
				if err := put(t.Context(), client, nil); err != nil {
					failed := failure(t, err)
					got = result{Kind: failed.Kind, Method: failed.Method, Status: failed.Status, Sent: failed.Sent}
				}
				got.Requests = requests.Load()
				results[putAsPost] = got
			}
			if diff := cmp.Diff(results[false], results[true]); diff != "" {
				t.Errorf("as PUT and as POST (-put +post):\n%s", diff)
			}
			if results[true].Requests != 1 {
				t.Errorf("%d requests", results[true].Requests)
			}
		})
	}
}
