package fluentcart

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// refusalLasts is for how long it is held against credentials that the store refused them. After that somebody may try
// them again: whoever hears that they are refused sends no calls, and without calls nobody would learn that the account
// has been put right.
const refusalLasts = 30 * time.Second

// accounts remembers whether the store refused the latest request for who sent it.
type accounts struct {
	mu      sync.Mutex
	refused [sha256.Size]byte // of the credentials: those of callers are not kept
	at      time.Time         // zero if it did not
}

// hear takes note of how a request ended. What says nothing about who sent it, such as no answer, changes nothing.
func (a *accounts) hear(as Credentials, outcome Kind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch outcome {
	case Unauthenticated, Forbidden:
		a.refused, a.at = as.hash(), time.Now()
	case 0, Rejected, Invalid, UserUpdateFailed, NotFound: // WordPress asks who it is before all of these
		a.at = time.Time{}
	}
}

// CredentialsRefused reports whether the store refused the credentials of ctx with the latest request that tells, half a
// minute ago at the most. Where the credentials have been replaced since, it is not known of the new ones.
func (c *Client) CredentialsRefused(ctx context.Context) bool {
	c.accounts.mu.Lock()
	refused, at := c.accounts.refused, c.accounts.at
	c.accounts.mu.Unlock()
	return !at.IsZero() && time.Since(at) < refusalLasts && refused == c.credentials(ctx).hash()
}

func (c Credentials) hash() [sha256.Size]byte {
	return sha256.Sum256([]byte(c.Username + ":" + c.Password.Reveal())) // a name of a user has no colon
}
