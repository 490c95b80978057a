// Package auth says who calls, and what they may do. It knows how callers prove who they are, and nothing of the doors
// that they come through: both ask the same Authenticator.
package auth

import (
	"context"
	"crypto/tls"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// Caller is who calls.
type Caller struct {
	// Name is for the log and the metrics: at most 253 bytes, without spaces and personal data. It is empty where
	// everybody may call.
	Name string
	// Authenticated is whether the name is known to be true before the call goes on. The name of a user of the store is what
	// the caller says, until the store agrees.
	Authenticated bool
	// Share names who shares the queue fairly with other callers: an authenticated caller by its name, any other by its
	// address.
	Share string
	// May is what the caller may change.
	May Permissions
	// Store, if set, is the caller's own account in the store, in whose name the call goes on.
	Store *Account
}

// Account is a user of the store and an application password, as a caller presented them.
type Account struct {
	Username string
	Password secret.Text

	verified *verifiedAccounts
}

// Agreed reports whether the store has taken this account of late. It is for what strangers must not have, such as a
// place in a line; whether a call may go on is for the store to say each time.
func (a *Account) Verified() bool { return a.verified.has(a) }

// Agree notes that the store has taken the account.
func (a *Account) MarkVerified() { a.verified.add(a) }

// Presented is what a call comes with.
type Presented struct {
	// Authorization are the values of the header or the metadata key.
	Authorization []string
	// TLS is the state of the connection, nil without TLS.
	TLS *tls.ConnectionState
	// From is the address of the caller.
	From string
}

// Authenticator decides who calls. It is safe for concurrent use, and asks nobody: whatever it refuses has cost little.
type Authenticator interface {
	// Authenticate returns who calls. Its error is a *RefusedError.
	Authenticate(Presented) (*Caller, error)
	// Challenge is the value of WWW-Authenticate for who is refused; empty where no header could help.
	Challenge() string
}

// RefusedError is why a call goes no further.
type RefusedError struct {
	// Problem says what is wrong and what would be right. It repeats nothing of what was presented.
	Problem string
	// Authenticated is whether the caller was authenticated but may not call.
	Authenticated bool
}

// Error returns the problem.
func (e *RefusedError) Error() string { return e.Problem }

type contextKey struct{}

// NewContext returns a context of a call of who.
func NewContext(ctx context.Context, who *Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, who)
}

// FromContext returns who calls, or nil where nobody has been let in.
func FromContext(ctx context.Context) *Caller {
	who, _ := ctx.Value(contextKey{}).(*Caller)
	return who
}

// Anyone lets everybody in, unnamed.
type Anyone struct{ May Permissions }

// Authenticate refuses nobody.
func (a Anyone) Authenticate(presented Presented) (*Caller, error) {
	return &Caller{Share: presented.From, May: a.May}, nil
}

// Challenge is empty.
func (Anyone) Challenge() string { return "" }
