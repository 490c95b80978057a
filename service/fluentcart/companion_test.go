package fluentcart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

const requestID = "0b7c1e52-93e2-4d6c-8d0a-2f6d1f0a9c11"

// mark is what an answer of the companion to the request begins with.
const mark = `{"fluentcart_gateway":1,"request_id":"` + requestID + `",`

const appliedAnswer = mark + `"result":"applied","version":"v2","before":{` + annsColumns + `},"customer":{` + annsColumns + `},"changed":["city"]}`

func lyon() fluentcart.Partial {
	city := "Lyon"
	return fluentcart.Partial{CustomerID: 1, RequestID: requestID, Set: fluentcart.Update{City: fluentcart.Send(&city)}}
}

// The body holds nothing outside of set that FluentCart could read as a field of the customer.
func TestPartialIsSentInTheFormOfTheProtocol(t *testing.T) {
	city, last, user := "Ly\"on", "", int64(7)
	for name, row := range map[string]struct {
		partial fluentcart.Partial
		want    string
	}{
		"a field": {lyon(), `{"request_id":"` + requestID + `","set":{"city":"Lyon"}}`},
		"all members": {
			fluentcart.Partial{
				CustomerID: 1, RequestID: requestID, Keep: []string{"user_id", "status"}, IfMatch: []string{`a"b`, "c"}, Key: "k", Fingerprint: "f",
				Set: fluentcart.Update{City: fluentcart.Send(&city), LastName: fluentcart.Send(&last), UserID: fluentcart.Send(&user)},
			},
			`{"request_id":"` + requestID + `","set":{"last_name":"","city":"Ly\"on","user_id":7},"keep":["user_id","status"],"if_match":["a\"b","c"],"key":"k","fingerprint":"f"}`,
		},
		"no field, for any version": {fluentcart.Partial{CustomerID: 1, RequestID: requestID, IfMatch: []string{}}, `{"request_id":"` + requestID + `","set":{},"if_match":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			var method, path, body string
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				content, _ := io.ReadAll(r.Body)
				method, path, body = r.Method, r.URL.RequestURI(), string(content)
				_, _ = io.WriteString(w, appliedAnswer)
			})
			if _, err := client.ApplyPartial(t.Context(), row.partial, nil); err != nil {
				t.Fatal(err)
			}
			if method != http.MethodPost || path != "/shop/wp-json/fluentcart-gateway/v1/customers/1" {
				t.Errorf("sent %s %s", method, path)
			}
			if diff := cmp.Diff(row.want, body); diff != "" || !json.Valid([]byte(body)) {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// Only a response with the companion's mark and the request's id is an answer. Any other leaves the outcome open, except an error
// that WordPress gives before it runs the route.
func TestOnlyTheMarkMakesAnAnswer(t *testing.T) {
	const lost = "lost"
	kind := func(k fluentcart.Kind) string { return k.String() }
	for _, row := range []struct {
		name   string
		status int
		body   string
		want   string // the result, lost, or the kind of a failure after which nothing was written
	}{
		{"applied", 200, appliedAnswer, "applied"},
		{"a warning of PHP in front of it", 200, "<br />\n<b>Warning</b>: {x} in y" + appliedAnswer, "applied"},
		{"text behind it", 200, appliedAnswer + "<!-- {\"a\":1} -->", "applied"},
		{"another status", 500, appliedAnswer, "applied"},
		{"cancelled", 200, mark + `"result":"cancelled"}`, "cancelled"},
		{"applied earlier, and deleted since", 200, mark + `"result":"already_applied","changed":["city"],"customer":null}`, "already_applied"},
		{"rolled back", 200, mark + `"result":"failed","cause":"deadlock"}`, "failed"},
		{"the key is another update's", 200, mark + `"result":"key_reused"}`, "key_reused"},
		{"no such customer", 200, mark + `"result":"missing"}`, kind(fluentcart.NotFound)},

		{"the id of another request", 200, strings.ReplaceAll(appliedAnswer, "0b7c", "1b7c"), lost},
		{"no id", 200, `{"fluentcart_gateway":1,"result":"applied"}`, lost},
		{"another version of the protocol", 200, strings.Replace(appliedAnswer, `gateway":1`, `gateway":2`, 1), lost},
		{"the mark as a text", 200, strings.Replace(appliedAnswer, `gateway":1`, `gateway":"1"`, 1), lost},
		{"the mark within another object", 200, `{"data":` + appliedAnswer + `}`, lost},
		{"a result that is not known", 200, mark + `"result":"done"}`, lost},
		{"applied without a customer", 200, mark + `"result":"applied","version":"v"}`, lost},
		{"applied to another customer", 200, strings.ReplaceAll(appliedAnswer, `"id":1,`, `"id":2,`), lost},
		{"returned without the customer", 200, mark + `"result":"returned","why":"keep"}`, lost},
		{"half of it", 200, appliedAnswer[:len(appliedAnswer)/2], lost},
		{"FluentCart's own success", 200, annWritten, lost},
		{"a plug-in's success", 200, `{"success":true}`, lost},
		{"nothing", 200, "", lost},
		{"a page", 200, "<html><title>Shop</title>", lost},
		{"FluentCart's own 400", 500, `{"code":400,"message":"x","data":null}`, lost},
		{"FluentCart's own 422", 422, `{"email":{"exist":"x"}}`, lost},
		{"a plug-in's 403", 403, `{"success":false}`, lost},
		{"a firewall's page", 403, "<html><title>403</title>", lost},
		{"429", 429, "", lost},
		{"502", 502, "<html>", lost},
		{"too long", 403, strings.Repeat(" ", 2<<20), lost},

		{"no such route", 404, `{"code":"rest_no_route","message":"x","data":{"status":404}}`, kind(fluentcart.NoRoute)},
		{"wrong credentials", 401, restForbidden, kind(fluentcart.Unauthenticated)},
		{"no permission", 403, `{"code":"rest_forbidden","message":"x","data":{"status":403}}`, kind(fluentcart.Forbidden)},
		{"a parameter that the companion does not know", 400, `{"code":"rest_invalid_param","message":"x","data":{"status":400}}`, kind(fluentcart.Rejected)},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := newClient(t, respond(row.status, row.body))
			answer, err := client.ApplyPartial(t.Context(), lyon(), nil)
			got := lost
			failure, _ := errors.AsType[*fluentcart.Error](err)
			switch {
			case err == nil:
				got = string(answer.Result)
			case failure.Kind != fluentcart.NoAnswer && failure.Kind != fluentcart.Broken && failure.Kind != fluentcart.BadAnswer:
				got = failure.Kind.String()
			}
			if got != row.want {
				t.Errorf("got %s (%v), want %s", got, err, row.want)
			}
		})
	}
}

// A refusal of FluentCart in the companion is the Error that its own response would have been.
func TestRefusalInTheCompanionIsClassified(t *testing.T) {
	for body, want := range map[string]fluentcart.Kind{
		`{"status":500,"body":{"code":400,"message":"x","data":null}}`: fluentcart.Rejected,
		`{"status":500,"body":{"code":423,"message":"x","data":null}}`: fluentcart.UserUpdateFailed,
		`{"status":422,"body":{"email":{"exist":"x"}}}`:                fluentcart.Invalid,
		`{"status":403,"body":{"code":"rest_forbidden"}}`:              fluentcart.Forbidden,
		`{"status":500,"body":{"code":"plugin_exception"}}`:            fluentcart.Broken,
		`{"status":204,"body":null}`:                                   fluentcart.Refused,
		`{}`:                                                           fluentcart.Refused,
	} {
		t.Run(body, func(t *testing.T) {
			client := newClient(t, respond(200, mark+`"result":"refused","before":{`+annsColumns+`},"answer":`+body+`}`))
			answer, err := client.ApplyPartial(t.Context(), lyon(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Result != fluentcart.RefusedByStore || answer.Refusal == nil || answer.Refusal.Kind != want {
				t.Errorf("got %s, %v, want %v", answer.Result, answer.Refusal, want)
			}
		})
	}
}

// Names that the companion sends are shown only if they are known: they could be anything.
func TestNamesInAnAnswerAreKnownOnes(t *testing.T) {
	client := newClient(t, respond(200, mark+`"result":"failed","cause":"ann@example.com","columns":["city","ann@example.com"],"changed":["x","notes"]}`))
	answer, err := client.ApplyPartial(t.Context(), lyon(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &fluentcart.Answer{Result: fluentcart.RolledBack, Cause: "(other)", Columns: []string{"city"}, Changed: []string{"notes"}}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// A request to the companion is sent once, whatever becomes of it, and a cancellation is repeated.
func TestUpdateIsSentOnceAndItsCancellationIsRepeated(t *testing.T) {
	var methods []string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method)
		if r.Method == http.MethodDelete && len(methods) == 3 {
			_, _ = io.WriteString(w, mark+`"result":"cancelled"}`)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	if _, err := client.ApplyPartial(t.Context(), lyon(), nil); err == nil {
		t.Error("502 is an answer")
	}
	answer, err := client.Cancel(t.Context(), 1, requestID)
	if err != nil || answer.Result != fluentcart.Cancelled {
		t.Errorf("the cancellation got %v, %v", answer, err)
	}
	if got := strings.Join(methods, " "); got != "POST DELETE DELETE" {
		t.Errorf("sent %s", got)
	}
}

// The caller of an update may leave; the goroutine that goes on waiting gets the answer.
func TestAnswerIsAwaitedAfterItsCallerHasLeft(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	hasLeft := make(chan struct{})
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		leave()
		<-hasLeft
		_, _ = io.WriteString(w, appliedAnswer)
	})
	_, err := client.ApplyPartial(ctx, lyon(), nil)
	close(hasLeft)
	left, ok := errors.AsType[*fluentcart.Error](err)
	if !ok || left.Kind != fluentcart.CallerLeft {
		t.Fatalf("got %v", err)
	}
	if answer, err := left.AwaitAnswer(t.Context()); err != nil || answer.Result != fluentcart.Applied {
		t.Errorf("got %v, %v", answer, err)
	}
}

// The probe distinguishes a companion that is ready, one that refuses to work, and none.
func TestProbeOfTheCompanion(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		want   *fluentcart.Companion
		kind   fluentcart.Kind
	}{
		{"ready", 200, `{"namespace":"fluentcart-gateway/v1","routes":{},"fluentcart_gateway":1,"version":"1.0.0","ready":true}`, &fluentcart.Companion{Version: "1.0.0", Ready: true}, 0},
		{
			"it refuses to work", 200, `{"fluentcart_gateway":1,"version":"1.2","ready":false,"refuses":["engine","<b>","db_dropin"]}`,
			&fluentcart.Companion{Version: "1.2", Refuses: []string{"engine", "(other)", "db_dropin"}}, 0,
		},
		{"another protocol", 200, `{"fluentcart_gateway":2,"version":"2.0","ready":true}`, nil, fluentcart.BadAnswer},
		{"the index of another plug-in", 200, `{"namespace":"x","routes":{}}`, nil, fluentcart.BadAnswer},
		{"none", 404, `{"code":"rest_no_route","message":"x","data":{"status":404}}`, nil, fluentcart.NoRoute},
		{"the store is down", 503, maintenance, nil, fluentcart.Unavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.RequestURI(), "/shop/wp-json/fluentcart-gateway/v1?_fcg=") {
					t.Errorf("sent %s %s", r.Method, r.URL.RequestURI())
				}
				w.WriteHeader(row.status)
				_, _ = fmt.Fprint(w, row.body)
			})
			got, err := client.ProbeCompanion(t.Context())
			failure, _ := errors.AsType[*fluentcart.Error](err)
			if diff := cmp.Diff(row.want, got, cmpopts.EquateEmpty()); diff != "" || failure != nil && failure.Kind != row.kind {
				t.Errorf("got %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
