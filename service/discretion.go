package service

import (
	"errors"
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// discreet returns a store's error without those of its words that repeat what is personal in the request, or in the
// customer as it was read. It is where the store's words come in; what becomes of them is a caller's or a log's to read.
func discreet(err error, request *customerv1.UpdateCustomerRequest, before *fluentcart.Customer) error {
	var failure *fluentcart.Error
	if !errors.As(err, &failure) {
		return err
	}
	clean := *failure
	clean.Fields = slices.Clone(failure.Fields)
	if failure.Method == http.MethodGet { // the customer was not read, and may be in any sentence
		clean.Message = ""
		for i := range clean.Fields {
			clean.Fields[i].Message = ""
		}
	}
	words := storesTexts{&clean.Code, &clean.Message}
	for i := range clean.Fields {
		f := &clean.Fields[i]
		words = append(words, &f.Field, &f.Rule, &f.Message)
	}
	about := []proto.Message{request}
	if before != nil {
		about = append(about, toProto(before))
	}
	words.forget(redact.ValuesOf(about...))
	return &clean
}

// storesTexts are all that the store says in an error: names of its own, such as those of rules, and sentences.
type storesTexts []*string

// forget empties those that hold something personal. All are looked at together, so that the request, which may be long,
// is gone through once.
func (words storesTexts) forget(personal *redact.Values) {
	var said storesTexts
	var texts []string
	for _, word := range words {
		if *word != "" {
			said, texts = append(said, word), append(texts, *word)
		}
	}
	if len(texts) == 0 {
		return
	}
	for i, held := range personal.InEach(texts...) {
		if held {
			*said[i] = ""
		}
	}
}
