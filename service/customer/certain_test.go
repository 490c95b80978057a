package customer

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// Whatever is certainly valid keeps the rules of the contract, at the limits and beyond them.
func TestCertainlyValidRequestsKeepTheRules(t *testing.T) {
	validator, err := NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	certain := map[string]int{}
	for _, f := range fields[:userID] {
		for _, text := range []string{"", " ", "x", "ann@example.com", "\x00"} {
			for _, length := range []int{1, 44, 45, 46, 191, 192, 193, 254, 255, 256, maxRequest, maxRequest + 1} {
				for _, unit := range []string{text, "x", "é", "\U0001F600"} {
					repeated := strings.Repeat(unit, length)
					request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}}
					set := request.GetCustomer().ProtoReflect()
					set.Set(set.Descriptor().Fields().ByName(protoreflect.Name(f.name)), protoreflect.ValueOfString(repeated))
					change, _, _ := readChange(request)
					if !validator.certainlyValid(request, change) {
						continue
					}
					certain[f.name]++
					if violations := validator.brokenRules(request); violations != nil {
						t.Errorf("%s of %d times %q: %v", f.name, length, unit, violations)
					}
				}
			}
		}
	}
	for _, name := range []string{"city", "notes", "full_name", "status"} {
		if certain[name] == 0 {
			t.Errorf("protovalidate is always asked about %s", name)
		}
	}
	if certain["email"] > 0 {
		t.Error("protovalidate was not asked about an e-mail address, whose syntax only it knows")
	}
}

func TestOtherRulesAreLeftToProtovalidate(t *testing.T) {
	validator, err := NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	user, city := int64(1), "Lyon"
	for name, request := range map[string]*customerv1.UpdateCustomerRequest{
		"no id":       {Customer: &customerv1.Customer{City: &city}},
		"no customer": {CustomerId: 1},
		"an etag":     {CustomerId: 1, Etag: "x", Customer: &customerv1.Customer{City: &city}},
		"a user id":   {CustomerId: 1, Customer: &customerv1.Customer{UserId: &user}},
	} {
		if change, _, _ := readChange(request); validator.certainlyValid(request, change) {
			t.Errorf("%s: protovalidate is not asked", name)
		}
	}
}
