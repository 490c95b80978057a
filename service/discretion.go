package service

import (
	"errors"
	"net/http"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// discreet returns a store's error without those of its words that repeat what is personal in the request, or in the
// customer as it was read. It is where the store's words come in; what becomes of them is a caller's or a log's to read.
func discreet(err error, request *customerv1.UpdateCustomerRequest, before *fluentcart.Customer) error {
	var failure *fluentcart.Error
	if !errors.As(err, &failure) || failure.Code == "" && failure.Message == "" && len(failure.Fields) == 0 {
		return err
	}
	about := []proto.Message{request}
	if before != nil {
		about = append(about, toProto(before))
	}
	words := storesWording{personal: redact.ValuesOf(about...), unread: failure.Method == http.MethodGet}
	clean := *failure
	clean.Code, clean.Message = words.name(failure.Code), words.message(failure.Message)
	clean.Fields = make([]fluentcart.FieldError, 0, len(failure.Fields))
	for _, f := range failure.Fields {
		clean.Fields = append(clean.Fields, fluentcart.FieldError{Field: words.name(f.Field), Rule: words.name(f.Rule), Message: words.message(f.Message)})
	}
	return &clean
}

// storesWording is what must not be in the store's words.
type storesWording struct {
	personal *redact.Values
	// unread is whether it was the read that failed: the customer is not known, and may be in any sentence.
	unread bool
}

// name returns a name of the store's, such as that of a rule, unless it is a personal value.
func (w storesWording) name(name string) string {
	if w.personal.In(name) {
		return ""
	}
	return name
}

// message returns a sentence of the store's, unless it may hold a personal value.
func (w storesWording) message(message string) string {
	if w.unread || w.personal.In(message) {
		return ""
	}
	return message
}
