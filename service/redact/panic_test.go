package redact_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// pretended implements runtime.Error without being one of the runtime's errors.
type pretended struct{ text string }

func (p pretended) Error() string { return p.text }
func (pretended) RuntimeError()   {}

func TestPanicIsLoggedByItsTypeAndPlace(t *testing.T) {
	canary := "canary@example.com"
	var names []string
	var nobody *customerv1.UpdateCustomerRequest
	var anything any = canary
	for _, row := range []struct {
		name   string
		run    func(string)
		logged string
	}{
		{"a text", func(text string) { panic("cannot do " + text) }, "string"},
		{"an error", func(text string) { panic(fmt.Errorf("%s: %w", text, errors.ErrUnsupported)) }, "*fmt.wrapError"},
		{"a request", func(text string) { panic(&customerv1.Customer{Email: proto.String(text)}) }, "*customerv1.Customer"},
		{"an error that pretends to be the runtime's", func(text string) { panic(pretended{text}) }, "redact_test.pretended"},
		{"a pointer to one", func(text string) { panic(&pretended{text}) }, "*redact_test.pretended"},
		{"an index", func(text string) { names[len(text)] = text }, "runtime error: index out of range [18] with length 0"},
		{"a nil pointer", func(text string) { nobody.Etag = text }, "runtime error: invalid memory address or nil pointer dereference"},
		{"another type", func(string) { _ = anything.(fmt.Stringer) }, "interface conversion: string is not fmt.Stringer: missing method String"},
		{"a key that cannot be hashed", func(text string) { _ = map[any]bool{[]string{text}: true} }, "runtime error: hash of unhashable type []string"},
		{"nil", func(string) { panic(nil) }, "panic called with nil argument"},
	} {
		t.Run(row.name, func(t *testing.T) {
			attributes := panicOf(row.run, canary)
			if got := attributes[0]; got.Key != "panic" || got.Value.String() != row.logged {
				t.Errorf("logged %s", got)
			}
			stack := attributes[1].Value.String()
			if !strings.Contains(stack, "TestPanicIsLoggedByItsTypeAndPlace") || !strings.Contains(stack, "panic_test.go") {
				t.Errorf("the stack does not say where: %s", stack)
			}
			if strings.Contains(stack, "canary@") {
				t.Errorf("the stack has the text: %s", stack)
			}
		})
	}
}

func panicOf(run func(string), argument string) (attributes []slog.Attr) {
	defer func() { attributes = redact.Panic(recover()) }()
	run(argument)
	return nil
}
