package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// The line of a call says what it did, which fields were at fault or changed, who sent it, and whose matter a failure is.
func TestAccessLogSaysWhatACallDid(t *testing.T) {
	blocked := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/8"):
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte("<html>blocked</html>"))
			case strings.HasSuffix(r.URL.Path, "/9"):
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"code":"rest_no_route","message":"No route was found","data":{"status":404}}`))
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
	dryRun := moveTo(1, "Nice")
	dryRun.ValidateOnly = true
	invalid := moveTo(1, strings.Repeat("x", 46))
	invalid.Customer.Email = proto.String("canary")
	type line = map[string]any
	for _, row := range []struct {
		name    string
		request *customerv1.UpdateCustomerRequest
		want    line // of the keys that are not the same for all
	}{
		{"a write", moveTo(1, "Lyon"), line{"level": "INFO", "code": "OK", "write_state": "written", "changed": []any{"city"}}},
		{"nothing to change", moveTo(1, "Paris"), line{"level": "INFO", "code": "OK", "write_state": "unchanged"}},
		{"a dry run", dryRun, line{"level": "INFO", "code": "OK", "write_state": "dry_run", "changed": []any{"city"}}},
		{"fields at fault", invalid, line{"level": "INFO", "code": "INVALID_ARGUMENT", "reason": "INVALID_FIELD", "write_state": "not_sent", "fields": []any{"email", "city"}}},
		{"no such customer", moveTo(99, "Lyon"), line{"level": "INFO", "code": "NOT_FOUND", "reason": "CUSTOMER_NOT_FOUND", "write_state": "not_sent"}},
		{"a store whose firewall blocks the gateway", moveTo(8, "Lyon"), line{"level": "WARN", "code": "FAILED_PRECONDITION", "reason": "STORE_BLOCKED", "write_state": "not_sent"}},
		{"a store without FluentCart", moveTo(9, "Lyon"), line{"level": "WARN", "code": "FAILED_PRECONDITION", "reason": "STORE_ROUTE_MISSING", "write_state": "not_sent"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := start(t, options{wrap: blocked})
			_, _ = g.grpc.UpdateCustomer(t.Context(), row.request)
			g.stopNow(t)
			got := callLine(t, g.log.String())
			for _, key := range []string{"duration_ms", "peer", "request_id", "customer_id", "transport", "method"} {
				if _, ok := got[key]; !ok {
					t.Errorf("no %s in %v", key, got)
				}
			}
			if took, ok := got["duration_ms"].(float64); !ok || took <= 0 {
				t.Errorf("duration_ms %v", got["duration_ms"])
			}
			if peer, _ := got["peer"].(string); !strings.HasPrefix(peer, "127.0.0.1:") {
				t.Errorf("peer %v", got["peer"])
			}
			maps.DeleteFunc(got, func(key string, _ any) bool {
				return !slices.Contains([]string{"level", "code", "reason", "write_state", "fields", "changed"}, key)
			})
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

// callLine returns the one line of a log that is about a call.
func callLine(t *testing.T, log string) map[string]any {
	t.Helper()
	var found map[string]any
	for text := range strings.Lines(log) {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line["msg"] == "call" {
			found = line
		}
	}
	if found == nil {
		t.Fatalf("no call in the log:\n%s", log)
	}
	return found
}

// A request counts the same whichever transport it comes by: as a call, or as a request that was rejected before.
func TestRequestCountsTheSameOnBothTransports(t *testing.T) {
	callers, tokens := tokensOf(t, "orders")
	bearer := "Bearer " + tokens["orders"]
	raw := func(method, content, token string) func(*gateway) {
		return func(g *gateway) {
			_ = g.conn.Invoke(authorized(t.Context(), token), method, nil, &customerv1.UpdateCustomerResponse{}, grpc.ForceCodec(rawRequest(content)))
		}
	}
	update := customerv1.CustomerService_UpdateCustomer_FullMethodName
	for _, row := range []struct {
		name       string
		overGRPC   func(*gateway)
		path, body string
		token      string
		want       string // code and reason of a call, or the reason of a rejection
	}{
		{
			"an invalid id", func(g *gateway) { _, _ = g.grpc.UpdateCustomer(authorized(t.Context(), bearer), moveTo(0, "Lyon")) },
			"/v1/customers/0", `{"city":"Lyon"}`, bearer, "call INVALID_ARGUMENT INVALID_FIELD",
		},
		{"a body that cannot be decoded", raw(update, "\xff", bearer), "/v1/customers/1", `{`, bearer, "call INVALID_ARGUMENT INVALID_FIELD"},
		{"an unknown field", raw(update, "\x08\x01\xfa\x3f\x01x", bearer), "/v1/customers/1", `{"town":"Lyon"}`, bearer, "call INVALID_ARGUMENT INVALID_FIELD"},
		{"no credentials", raw(update, "\x08\x01", ""), "/v1/customers/1", `{}`, "", "rejected CALLER_UNAUTHENTICATED"},
		{"no credentials and an invalid id", raw(update, "", ""), "/v1/customers/0", `{}`, "", "rejected CALLER_UNAUTHENTICATED"},
		{"a method that is not served", raw("/fluentcart.customer.v1.CustomerService/DeleteCustomer", "", bearer), "DELETE /v1/customers/1", "", bearer, "rejected METHOD_NOT_ALLOWED"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := start(t, options{callers: callers})
			row.overGRPC(g)
			method, path, other := strings.Cut(row.path, " ")
			if !other {
				method, path = http.MethodPut, row.path
			}
			g.send(t, method, path, row.body, http.Header{"Authorization": {row.token}})
			g.stopNow(t)
			got := map[string]string{}
			counted, _ := gathered(t, g.metrics)
			for series, count := range counted {
				name, rest, _ := strings.Cut(series, " ")
				labels := map[string]string{}
				for label := range strings.SplitSeq(rest, " ") {
					key, value, _ := strings.Cut(label, "=")
					labels[key] = value
				}
				switch {
				case count == 0:
				case name == "calls_total":
					got[labels["transport"]] += "call " + labels["code"] + " " + labels["reason"]
				case name == "requests_rejected_total":
					got[labels["transport"]] += "rejected " + labels["reason"]
				}
			}
			if diff := cmp.Diff(map[string]string{interceptor.GRPC: row.want, interceptor.HTTP: row.want}, got); diff != "" {
				t.Errorf("counted (-want +got):\n%s\n%v", diff, counted)
			}
		})
	}
}

func TestUnknownMethodIsAnsweredWithThoseThatAreServed(t *testing.T) {
	g := start(t, options{})
	err := g.conn.Invoke(t.Context(), "/fluentcart.customer.v1.CustomerService/DeleteCustomer", &customerv1.GetCustomerRequest{}, &customerv1.GetCustomerResponse{})
	got := errorOutcome(t, status.Convert(err))
	if status.Code(err) != codes.Unimplemented || got.Reason != "METHOD_NOT_ALLOWED" || got.WriteState != "not_sent" || !strings.Contains(err.Error(), customerv1.CustomerService_UpdateCustomer_FullMethodName) {
		t.Errorf("got %v", err)
	}
	if log := g.log.String(); strings.Count(log, `"reason":"METHOD_NOT_ALLOWED"`) != 1 {
		t.Errorf("the log has:\n%s", log)
	}
}
