package customer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// FuzzMerge applies any request to any stored customer. Fields that the request does not name stay, aov stays in any
// case, and what changes is within the limits that were checked.
func FuzzMerge(f *testing.F) {
	f.Add("Ann", "Lee", "Paris", int64(0), "city", "ann@example.com", "Zoë Quill", "Zoë", "Quill", "Lyon", "notes", int64(0), uint16(0xffff))
	f.Add("Ann", "", "", int64(2), "*", "new@example.com", "", "", "", "", "", int64(7), uint16(1))
	f.Add("", "Lee", "Rome", int64(2), "full_name,lastName", "", "Mary Ann van Dyke", "Mary", "", "x", "a\nb", int64(-1), uint16(6))
	f.Add("Ann", "Lee", "Paris", int64(1), "*,city", "", "", "", "", "", "", int64(0), uint16(0))
	f.Add("Ann", "Lee", "Paris", int64(1), "customer.city,id,,foo", "", " ", " ", " ", " ", " ", int64(0), uint16(0xff))
	f.Add("Ann", "Lee", "Paris", int64(1), "", strings.Repeat("x", 200)+"@example.com", strings.Repeat("é ", 200), strings.Repeat("é", 200), "", strings.Repeat("é", 46), "<b>%25</b>", int64(1), uint16(0x3f))
	validator, err := NewValidator()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, storedFirst, storedLast, storedCity string, storedUser int64, mask, email, full, first, last, city, notes string, user int64, present uint16) {
		aov := "8300.00"
		before := &fluentcart.Customer{
			ID: 1, Email: "ann@example.com", FirstName: storedFirst, LastName: storedLast, City: &storedCity,
			UserID: &storedUser, AOV: &aov, Notes: "prefers email", UpdatedAt: time.Unix(1, 0),
		}
		original := *before
		customer := &customerv1.Customer{Id: 99, Aov: "1"}
		for i, set := range []func(){
			func() { customer.Email = &email }, func() { customer.FullName = &full }, func() { customer.FirstName = &first },
			func() { customer.LastName = &last }, func() { customer.City = &city }, func() { customer.Notes = &notes },
			func() { customer.UserId = &user },
		} {
			if present&(1<<i) != 0 {
				set()
			}
		}
		request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: customer}
		if mask != "" {
			request.UpdateMask = &fieldmaskpb.FieldMask{Paths: strings.Split(mask, ",")}
		}
		sent := proto.Clone(request)

		change, violations := validator.CheckUpdate(request)
		if len(violations) > 0 {
			return
		}
		merged, err := change.Merge(before)
		if err != nil {
			return
		}
		if !proto.Equal(sent, request) || !cmp.Equal(*before, original) {
			t.Error("the request, or what was read, was changed")
		}
		for i, field := range fields {
			id := fieldID(i)
			if is := field.get(&merged.after); change.named[id] && is != field.get(before) && !id.isName() {
				if id != userID && len(validator.brokenRules(named(id, is))) > 0 {
					t.Errorf("%s changes to a value that breaks a rule", field.name)
				}
			}
			if !change.named[id] && (!id.isName() || !change.namesAnyName()) && field.get(&merged.after) != field.get(before) {
				t.Errorf("%s is not named and changes", field.name)
			}
		}
		if !merged.ChangesLink() && valueOf(merged.after.UserID) != storedUser || merged.after.AOV != &aov {
			t.Error("user_id or aov changes")
		}
		if renamed := merged.after.FirstName != storedFirst || merged.after.LastName != storedLast; renamed && len([]rune(joinName(merged.after.FirstName, merged.after.LastName))) > maxFullName {
			t.Error("the full name is too long")
		}
		_, _ = merged.DryRun() // it must not panic
	})
}

// named returns a request that sets one field.
func named(id fieldID, v value) *customerv1.UpdateCustomerRequest {
	request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}}
	fields[id].show(request.GetCustomer(), v)
	return request
}
