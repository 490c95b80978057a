package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Bearers authenticates callers by bearer tokens.
type Bearers struct {
	// Tokens returns the current list.
	Tokens func() *Tokens
}

// Authenticate returns the caller of the bearer token.
func (b Bearers) Authenticate(presented Presented) (*Caller, error) {
	token, problem := credentialOf(presented, "Bearer", maxToken)
	if problem != "" {
		return nil, &RefusedError{Problem: problem + "; send the header Authorization: Bearer, and the token that the operator of this gateway gave out"}
	}
	caller := b.Tokens().find(token)
	if caller == nil {
		return nil, &RefusedError{Problem: "the token is not known here, or not any more; ask the operator of this gateway for one"}
	}
	return caller, nil
}

// Challenge asks for a bearer token.
func (Bearers) Challenge() string { return `Bearer realm="fluentcart-gateway"` }

// find returns the token's caller, or nil. It takes the same time for every token of one length, known or not.
func (t *Tokens) find(token string) *Caller {
	hash := sha256.Sum256([]byte(token))
	var found *Caller
	for i := range t.entries {
		if subtle.ConstantTimeCompare(hash[:], t.entries[i].hash[:]) == 1 {
			found = t.entries[i].caller
		}
	}
	return found
}
