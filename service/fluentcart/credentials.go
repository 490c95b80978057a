package fluentcart

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// Credentials are a WordPress user and one of its application passwords. The zero value sends none.
type Credentials struct {
	Username string
	Password secret.Text
}

// As returns a function for Config.Credentials that gives all requests the credentials of one user.
func As(username, password string) func(context.Context) Credentials {
	one := Credentials{username, secret.New(password)}
	return func(context.Context) Credentials { return one }
}

func (c Credentials) equal(other Credentials) bool {
	return c.Username == other.Username && c.Password.Reveal() == other.Password.Reveal()
}

func (c Credentials) hash() [sha256.Size]byte {
	return sha256.Sum256([]byte(c.Username + ":" + c.Password.Reveal())) // a WordPress user name has no colon
}

// renewed returns the credentials to use after the store has refused used (401, F18), and whether they differ. A password
// that was replaced a moment ago is not the caller's fault.
func (c *Client) renewed(ctx context.Context, used Credentials) (Credentials, bool) {
	if c.renew != nil {
		c.renew()
	}
	now := c.credentials(ctx)
	return now, !now.equal(used)
}

// refusalLasts is how long credentials count as refused. After that a call may try them again: callers that see them as
// refused send no calls, and without calls the client would never learn that the account works again.
const refusalLasts = 30 * time.Second

// refusedCredentials remembers which credentials the store refused with the latest request.
type refusedCredentials struct {
	mu   sync.Mutex
	hash [sha256.Size]byte // not the credentials: those of callers are not kept
	at   time.Time         // zero if the latest request was not refused
}

// record notes how a request ended; failure is nil for a success. An outcome that does not depend on the credentials, such
// as no response, changes nothing. Nor does a 401 or 403 that is not WordPress's: something in front of the store sends
// such a status because of what is in one request (F30).
func (r *refusedCredentials) record(as Credentials, failure *Error) {
	outcome := Kind(0)
	if failure != nil {
		outcome = failure.Kind
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch outcome {
	case Unauthenticated, Forbidden:
		if failure.FromWordPress {
			r.hash, r.at = as.hash(), time.Now()
		}
	case 0, Rejected, Invalid, UserUpdateFailed, NotFound: // WordPress checks the credentials before all of these
		r.at = time.Time{}
	}
}

// CredentialsRefused reports whether the store refused the credentials of ctx with the latest request whose outcome
// depends on them, at most 30 seconds ago. If the credentials have been replaced since, it returns false: the new ones
// have not been tried.
func (c *Client) CredentialsRefused(ctx context.Context) bool {
	c.refused.mu.Lock()
	hash, at := c.refused.hash, c.refused.at
	c.refused.mu.Unlock()
	return !at.IsZero() && time.Since(at) < refusalLasts && hash == c.credentials(ctx).hash()
}
