package customer

import (
	"testing"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// A column that the store does not have must not appear in the PUT. A value that was read must, or the store clears it.
func TestOptionalColumnIsSentOnlyWithAValue(t *testing.T) {
	f := optional("postcode",
		func(c *customerv1.Customer) **string { return &c.Postcode },
		func(c *fluentcart.Customer) **string { return &c.Postcode },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.Postcode })
	empty := ""
	for name, row := range map[string]struct {
		column *string
		sent   bool
	}{"absent or NULL": {nil, false}, "empty": {&empty, true}} {
		var body fluentcart.Update
		f.send(&body, &fluentcart.Customer{Postcode: row.column})
		if sent := !body.Postcode.IsZero(); sent != row.sent {
			t.Errorf("%s: sent %v, want %v", name, sent, row.sent)
		}
	}
}

// Each writable field of the contract has its row, under the same name.
func TestFieldTableHasTheWritableFieldsOfTheContract(t *testing.T) {
	descriptors := (*customerv1.Customer)(nil).ProtoReflect().Descriptor().Fields()
	writable := 0
	for i := range descriptors.Len() {
		if descriptor := descriptors.Get(i); !OutputOnly(descriptor) {
			writable++
			if _, ok := fieldNamed(string(descriptor.Name())); !ok {
				t.Errorf("%s has no row in the field table", descriptor.Name())
			}
		}
	}
	if writable != len(fields) {
		t.Errorf("%d writable fields in the contract, %d rows", writable, len(fields))
	}
}
