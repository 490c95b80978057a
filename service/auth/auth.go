// Package auth authenticates callers, and holds what each may change. It is independent of the transports: the gRPC
// server and the HTTP/JSON gateway ask the same Authenticator.
package auth

import (
	"context"
	"crypto/tls"
)

// Caller is the principal of a call.
type Caller struct {
	// Name identifies the caller in the log and the metrics: at most 253 bytes, without spaces and personal data. It is
	// empty if callers are not authenticated.
	Name string
	// Authenticated reports whether the name was verified before the call goes on. It is false for a store account: only
	// the store can verify that, with a request.
	Authenticated bool
	// Share identifies the callers that share one part of the queue: the name of an authenticated caller, the address of
	// any other.
	Share string
	// May holds what the caller may change.
	May Permissions
	// Store is the caller's own account in the store, whose credentials are forwarded; nil if the gateway uses its own.
	Store *Account
}

// Presented holds what a call presents to be authenticated with.
type Presented struct {
	// Authorization holds the values of the HTTP header or gRPC metadata key authorization.
	Authorization []string
	// TLS is the state of the connection; nil without TLS.
	TLS *tls.ConnectionState
	// From is the caller's address.
	From string
}

// Authenticator authenticates callers. It is safe for concurrent use. It does no I/O, so a rejection is cheap.
type Authenticator interface {
	// Authenticate returns the caller. Its error is a *RefusedError.
	Authenticate(Presented) (*Caller, error)
	// Challenge returns the value of the header WWW-Authenticate for a call that is not authenticated; empty if no
	// header could authenticate it.
	Challenge() string
}

// RefusedError is the reason why a call is rejected.
type RefusedError struct {
	// Problem says what is wrong and what would be right. It repeats nothing that the call has presented.
	Problem string
	// Authenticated is true if the caller was authenticated but is not authorized to call.
	Authenticated bool
}

// Error returns the problem.
func (e *RefusedError) Error() string { return e.Problem }

type contextKey struct{}

// NewContext returns a context that carries the caller.
func NewContext(ctx context.Context, caller *Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, caller)
}

// FromContext returns the caller, or nil if the context carries none.
func FromContext(ctx context.Context) *Caller {
	caller, _ := ctx.Value(contextKey{}).(*Caller)
	return caller
}

// Anyone is an Authenticator that admits every call, without a name.
type Anyone struct{ May Permissions }

// Authenticate never returns an error.
func (a Anyone) Authenticate(presented Presented) (*Caller, error) {
	return &Caller{Share: presented.From, May: a.May}, nil
}

// Challenge returns no challenge.
func (Anyone) Challenge() string { return "" }
