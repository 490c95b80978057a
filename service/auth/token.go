package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

const (
	// tokenPrefix lets people, and scanners of repositories, recognise a leaked token.
	tokenPrefix = "fcgw_"
	// tokenBytes of randomness cannot be guessed, so one round of SHA-256 protects the token. Slow hashes are only needed
	// for passwords that people choose.
	tokenBytes = 32
	hashPrefix = "sha256:"
	maxToken   = 256 // bytes; a longer credential cannot be a token
	maxName    = 64  // bytes
)

var errNoName = errors.New("the name of a caller must be 1 to 64 letters, digits, '.', '_' or '-'")

// NewToken returns a new bearer token, and the line for the token file that authenticates its bearer as name. If
// permissions is nil, the line grants the usual ones. The line does not hold the token, and the token cannot be computed
// from it. The error says that the name is not valid.
func NewToken(name string, permissions *Permissions) (token secret.Text, line string, err error) {
	if !validName(name) {
		return secret.Text{}, "", errNoName
	}
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // never fails
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	hash := sha256.Sum256([]byte(text))
	line = name + " " + hashPrefix + hex.EncodeToString(hash[:])
	if permissions != nil {
		line += " " + permissions.String()
	}
	return secret.New(text), line, nil
}
