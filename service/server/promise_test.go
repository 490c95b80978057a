package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Three faults of the real store that a plain translation of the call would pass on.

// Without the id in the body the store rejects a customer's own e-mail as taken (F3).
func TestUnchangedEmailIsNotRefused(t *testing.T) {
	g := start(t, options{})
	response, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{Email: proto.String("ann@example.com"), City: proto.String("Lyon")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"city"}, response.GetChangedFields()); diff != "" {
		t.Errorf("changed fields (-want +got):\n%s", diff)
	}
}

// The store's PUT clears what is left out (F2, F4).
func TestCityUpdateDoesNotWipeNotes(t *testing.T) {
	g := start(t, options{})
	before := g.store.Rows()
	response, body := g.send(t, http.MethodPut, "/wp-json/fluent-cart/v2/customers/1", `{"city":"Lyon"}`, nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, body)
	}
	wanted := map[string]map[string]any{"1": {"city": "Lyon"}}
	if diff := cmp.Diff(wanted, rowChanges(t, before, g.store.Rows())); diff != "" {
		t.Errorf("changed columns (-want +got):\n%s", diff)
	}
}

// net/http would follow the redirect with a GET, whose 200 looks like success (F21).
func TestRedirectedPutIsNotSuccess(t *testing.T) {
	elsewhere := &recorder{next: sandbox.New(sandbox.Config{})}
	target := httptest.NewServer(elsewhere)
	t.Cleanup(target.Close)
	g := start(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				http.Redirect(w, r, target.URL+r.URL.Path, http.StatusMovedPermanently)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")},
	})
	if got := errorOutcome(t, status.Convert(err)); got.Code != "INTERNAL" || got.Reason != "STORE_REDIRECTS" || got.WriteState != "rejected" {
		t.Errorf("got %s %s %s, want INTERNAL STORE_REDIRECTS rejected", got.Code, got.Reason, got.WriteState)
	}
	if followed := elsewhere.take(); len(followed) > 0 {
		t.Errorf("the redirect was followed: %d requests", len(followed))
	}
}

// Updating one field leaves every other column as it was, aov and user_id included, in both kinds of store.
func TestUpdateOfOneFieldKeepsAllOthers(t *testing.T) {
	updates := []struct {
		field    string
		customer *customerv1.Customer
		columns  map[string]any
	}{
		{"email", &customerv1.Customer{Email: proto.String("new@example.com")}, map[string]any{"email": "new@example.com"}},
		{"full_name", &customerv1.Customer{FullName: proto.String("Zoë Quill")}, map[string]any{"first_name": "Zoë", "last_name": "Quill"}},
		{"first_name", &customerv1.Customer{FirstName: proto.String("Zoë")}, map[string]any{"first_name": "Zoë"}},
		{"last_name", &customerv1.Customer{LastName: proto.String("Quill")}, map[string]any{"last_name": "Quill"}},
		{"city", &customerv1.Customer{City: proto.String("Lyon")}, map[string]any{"city": "Lyon"}},
		{"state", &customerv1.Customer{State: proto.String("ARA")}, map[string]any{"state": "ARA"}},
		{"country", &customerv1.Customer{Country: proto.String("CH")}, map[string]any{"country": "CH"}},
		{"postcode", &customerv1.Customer{Postcode: proto.String("69001")}, map[string]any{"postcode": "69001"}},
		{"status", &customerv1.Customer{Status: proto.String("inactive")}, map[string]any{"status": "inactive"}},
		{"notes", &customerv1.Customer{Notes: proto.String("calls on Monday")}, map[string]any{"notes": "calls on Monday"}},
		{"user_id", &customerv1.Customer{UserId: proto.Int64(3)}, map[string]any{"user_id": 3.0}},
	}
	covered := map[string]bool{}
	for _, update := range updates {
		covered[update.field] = true
	}
	fields := (&customerv1.Customer{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		if customer.OutputOnly(field) || covered[name] {
			continue
		}
		with := &customerv1.Customer{} // any other text field
		with.ProtoReflect().Set(field, protoreflect.ValueOfString("new"))
		updates = append(updates, struct {
			field    string
			customer *customerv1.Customer
			columns  map[string]any
		}{name, with, map[string]any{name: "new"}})
	}
	for _, update := range updates {
		for _, split := range []bool{false, true} {
			for _, id := range []int64{1, 2, 4} { // with all columns set, linked, sparse
				if id == 2 && update.field == "email" {
					continue // the e-mail address of a linked customer is refused (F7)
				}
				t.Run(fmt.Sprintf("%s/split=%v/customer %d", update.field, split, id), func(t *testing.T) {
					g := start(t, options{splitNames: split, callers: permitting(t, "status,user_id")})
					before := g.store.Rows()
					_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: id, Customer: update.customer})
					if err != nil {
						t.Fatal(err)
					}
					wanted := map[string]map[string]any{strconv.FormatInt(id, 10): update.columns}
					if diff := cmp.Diff(wanted, rowChanges(t, before, g.store.Rows())); diff != "" {
						t.Errorf("changed columns (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

// Requests that would do harm in the store are rejected before a write is sent, with a message that says what would be right.
func TestFaultsAreRejectedBeforeAWrite(t *testing.T) {
	rejections := []struct {
		name     string
		id       int64
		customer *customerv1.Customer
		code     codes.Code
		reason   string
		message  string
		reads    int
	}{
		{
			"the e-mail of a linked customer", 2, &customerv1.Customer{Email: proto.String("new@example.com")},
			codes.FailedPrecondition, "EMAIL_OWNED_BY_WORDPRESS_USER",
			"email: the customer is linked to WordPress user 2, whose e-mail the store keeps; change it in that user's WordPress profile, or leave email out", 1,
		},
		{
			"a foreign user_id", 1, &customerv1.Customer{UserId: proto.Int64(1)},
			codes.PermissionDenied, "USER_LINK_CHANGE_FORBIDDEN",
			"user_id: the customer is linked to no WordPress user, and this caller may not change that; send 0 or leave user_id out (the operator can allow it, with --allow-user-link or to this caller alone)", 1,
		},
		{
			"a city of 46 characters", 1, &customerv1.Customer{City: proto.String("Llanfairpwllgwyngyllgogerychwyrndrobwllllantys")},
			codes.InvalidArgument, "INVALID_FIELD", "city: must be at most 45 characters; it has 46", 1, // the read may show that it is stored so
		},
	}
	for _, rejection := range rejections {
		t.Run(rejection.name, func(t *testing.T) {
			g := start(t, options{})
			before := g.store.Rows()
			_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: rejection.id, Customer: rejection.customer})
			got := errorOutcome(t, status.Convert(err))
			if status.Code(err) != rejection.code || got.Reason != rejection.reason || got.WriteState != "not_sent" {
				t.Errorf("got %s %s %s, want %s %s not_sent", status.Code(err), got.Reason, got.WriteState, rejection.code, rejection.reason)
			}
			if diff := cmp.Diff(rejection.message, got.message); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			sent := g.toStore.take()
			for _, request := range sent {
				if request.method != http.MethodGet {
					t.Errorf("the store got a %s", request.method)
				}
			}
			if len(sent) != rejection.reads {
				t.Errorf("%d requests reached the store, want %d", len(sent), rejection.reads)
			}
			if diff := cmp.Diff(before, g.store.Rows()); diff != "" {
				t.Errorf("rows changed:\n%s", diff)
			}
		})
	}
}
