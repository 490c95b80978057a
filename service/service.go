// Package service implements fluentcart.customer.v1.CustomerService over a FluentCart store.
//
// The store's own call replaces a whole customer. UpdateCustomer reads, merges what the request names, writes
// once, and compares what was kept with what was asked: what is not named stays as it is, and the answer says
// truthfully whether the write happened. Two things are beyond it: a store of full names parts them anew with
// every write (F11; a warning tells), and another writer can come between the read and the write (F23).
// What the store does is quoted as F1 to F24 from fluentcart/BEHAVIOUR.md.
package service

import (
	"fmt"

	"buf.build/go/protovalidate"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// WriteMode is how a customer is written.
type WriteMode string

// The write modes.
const (
	// Merge reads the customer first and sends it back whole, with what the request names changed.
	Merge WriteMode = "merge"
	// Replace sends one PUT with just what the request names, for upstreams that only know PUT. A FluentCart
	// store clears all else (F2).
	Replace WriteMode = "replace"
)

// Config is what a Service needs to know.
type Config struct {
	// Store is the store to read from and write to.
	Store *fluentcart.Client
	// WriteMode is how customers are written; empty is Merge.
	WriteMode WriteMode
	// AllowUserLink lets callers change user_id, and with it take over WordPress accounts (F13).
	AllowUserLink bool
}

// Service implements customerv1.CustomerServiceServer. It is safe for concurrent use.
type Service struct {
	customerv1.UnimplementedCustomerServiceServer

	store         *fluentcart.Client
	writeMode     WriteMode
	allowUserLink bool
	validator     protovalidate.Validator
}

// New returns a Service. It compiles the rules of the contract once; it starts nothing.
func New(cfg Config) (*Service, error) {
	validator, err := protovalidate.New(
		protovalidate.WithMessages(&customerv1.UpdateCustomerRequest{}),
		protovalidate.WithDisableLazy(),
	)
	if err != nil {
		return nil, fmt.Errorf("compile the contract's rules: %w", err)
	}
	switch cfg.WriteMode {
	case "":
		cfg.WriteMode = Merge
	case Merge, Replace:
	default:
		return nil, fmt.Errorf("write mode %q: must be %q or %q", cfg.WriteMode, Merge, Replace)
	}
	return &Service{
		store:         cfg.Store,
		writeMode:     cfg.WriteMode,
		allowUserLink: cfg.AllowUserLink,
		validator:     validator,
	}, nil
}
