package service

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// FuzzMerge puts any request into any stored customer. What the request does not name stays, whatever else happens;
// user_id and aov stay in any case; and what would be written passes the limits that were checked.
func FuzzMerge(f *testing.F) {
	f.Add("Ann", "Lee", "Paris", int64(0), "city", "ann@example.com", "Zoë Quill", "Zoë", "Quill", "Lyon", "notes", int64(0), uint16(0xffff))
	f.Add("Ann", "", "", int64(2), "*", "new@example.com", "", "", "", "", "", int64(7), uint16(1))
	f.Add("", "Lee", "Rome", int64(2), "full_name,lastName", "", "Mary Ann van Dyke", "Mary", "", "x", "a\nb", int64(-1), uint16(6))
	f.Add("Ann", "Lee", "Paris", int64(1), "*,city", "", "", "", "", "", "", int64(0), uint16(0))
	f.Add("Ann", "Lee", "Paris", int64(1), "customer.city,id,,foo", "", " ", " ", " ", " ", " ", int64(0), uint16(0xff))
	f.Add("Ann", "Lee", "Paris", int64(1), "", strings.Repeat("x", 200)+"@example.com", strings.Repeat("é ", 200), strings.Repeat("é", 200), "", strings.Repeat("é", 46), "<b>%25</b>", int64(1), uint16(0x3f))
	s, err := New(Config{})
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

		change, err := s.validate(request)
		if err != nil {
			return
		}
		asked, err := change.merge(before, auth.Permissions{})
		if err != nil {
			return
		}
		if !proto.Equal(sent, request) || !cmp.Equal(*before, original) {
			t.Error("the request, or what was read, was changed")
		}
		for _, field := range fields {
			if !change.named(field.name) && (!isName(field.name) || !change.namesName()) && field.get(&asked.customer) != field.get(before) {
				t.Errorf("%s is not named and changes", field.name)
			}
		}
		if valueOf(asked.customer.UserID) != storedUser || asked.customer.AOV != &aov {
			t.Error("user_id or aov changes")
		}
		if change.namesName() && len([]rune(joinName(asked.customer.FirstName, asked.customer.LastName))) > maxFullName {
			t.Error("the full name is too long")
		}
		if after, err := asked.predict(); err == nil {
			respond("", asked, after)
		}
	})
}
