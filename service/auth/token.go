package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

const (
	// tokenPrefix lets people and scanners of repositories tell what a string is that they find somewhere.
	tokenPrefix = "fcgw_"
	// tokenBytes of randomness cannot be guessed, so that one round of SHA-256 keeps the token safe: the slow hashes are
	// for passwords that people think of.
	tokenBytes = 32
	hashPrefix = "sha256:"
	maxToken   = 256 // bytes; what is longer is no token
	maxName    = 64
)

// NewToken makes a bearer token, and the line for the file of tokens that lets its bearer in under name. The line does
// not hold the token, which cannot be found from it.
func NewToken(name string, may *Permissions) (token secret.Text, line string, err error) {
	if !validName(name) {
		return secret.Text{}, "", errNoName
	}
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // it does not fail
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	hash := sha256.Sum256([]byte(text))
	line = name + " " + hashPrefix + hex.EncodeToString(hash[:])
	if may != nil {
		line += " " + may.String()
	}
	return secret.New(text), line, nil
}

var errNoName = errors.New("the name of a caller must be 1 to 64 letters, digits, '.', '_' or '-'")

// Tokens are the callers that a file of tokens lets in. There may be none: whoever takes the last line out of the file wants
// nobody to be let in.
type Tokens struct{ entries []tokenEntry }

// Len is how many tokens there are.
func (t *Tokens) Len() int { return len(t.entries) }

type tokenEntry struct {
	hash   [sha256.Size]byte
	caller *Caller
	line   int
	said   bool // the line says what the caller may change
}

// ParseTokens reads a file of tokens. A line is a name, the token's SHA-256, and what the caller may change (status,
// user_id, both with a comma between, or -). Several lines of one name are several tokens of one caller, as while one is
// replaced; what it may change one of them may say for all, and if none does it is usual. Empty lines and those that
// begin with # are skipped.
//
// The error tells all that is wrong, by the number of the line: what stands in it may be a token.
func ParseTokens(content []byte, usual Permissions) (*Tokens, error) {
	tokens := &Tokens{}
	var faults []string
	number := 0
	for line := range bytes.Lines(content) {
		number++
		columns := strings.Fields(string(line))
		if len(columns) == 0 || strings.HasPrefix(columns[0], "#") {
			continue
		}
		entry, err := parseToken(columns, usual)
		if err == nil {
			entry.line = number
			err = tokens.add(entry)
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %v", number, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.New(strings.Join(faults, "; "))
	}
	tokens.inherit()
	return tokens, nil
}

func parseToken(columns []string, usual Permissions) (tokenEntry, error) {
	entry := tokenEntry{}
	if len(columns) < 2 || len(columns) > 3 {
		return entry, errors.New("must be a name, sha256: with 64 hexadecimal digits, and perhaps what the caller may change")
	}
	if !validName(columns[0]) {
		return entry, errNoName
	}
	digits, ok := strings.CutPrefix(columns[1], hashPrefix)
	hash, err := hex.DecodeString(digits)
	if !ok || err != nil || len(hash) != sha256.Size {
		return entry, errors.New("the second column must be sha256: and 64 hexadecimal digits, as `fluentcart-gateway token NAME` prints them; the token itself does not belong here")
	}
	may := usual
	if len(columns) == 3 {
		if may, err = ParsePermissions(columns[2]); err != nil {
			return entry, err
		}
	}
	entry.hash = [sha256.Size]byte(hash)
	entry.caller, entry.said = &Caller{Name: columns[0], Authenticated: true, Share: columns[0], May: may}, len(columns) == 3
	return entry, nil
}

func (t *Tokens) add(entry tokenEntry) error {
	for _, known := range t.entries {
		switch {
		case known.hash == entry.hash:
			return fmt.Errorf("has the token of line %d: give each line one of its own", known.line)
		case known.caller.Name == entry.caller.Name && known.said && entry.said && known.caller.May != entry.caller.May:
			return fmt.Errorf("lets %s change other fields than line %d does: a caller may do the same with each of its tokens", entry.caller.Name, known.line)
		}
	}
	t.entries = append(t.entries, entry)
	return nil
}

// inherit lets a line that says nothing of what its caller may change have that of one that does.
func (t *Tokens) inherit() {
	said := map[string]*Caller{}
	for _, entry := range t.entries {
		if entry.said {
			said[entry.caller.Name] = entry.caller
		}
	}
	for i, entry := range t.entries {
		if one := said[entry.caller.Name]; one != nil {
			t.entries[i].caller = one
		}
	}
}

// find takes the same time for every token of one length, known or not.
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

// Bearers are callers with bearer tokens.
type Bearers struct {
	// Tokens returns the newest list.
	Tokens func() *Tokens
}

// Authenticate looks for the token.
func (b Bearers) Authenticate(presented Presented) (*Caller, error) {
	token, problem := credentialOf(presented, "Bearer", maxToken)
	if problem != "" {
		return nil, &RefusedError{Problem: problem + "; send the header Authorization: Bearer, and the token that the operator of this gateway gave out"}
	}
	who := b.Tokens().find(token)
	if who == nil {
		return nil, &RefusedError{Problem: "the token is not known here, or not any more; ask the operator of this gateway for one"}
	}
	return who, nil
}

// Challenge asks for a token.
func (Bearers) Challenge() string { return `Bearer realm="fluentcart-gateway"` }

// credentialOf returns what stands behind the scheme, or what is wrong.
func credentialOf(presented Presented, scheme string, limit int) (credential, problem string) {
	switch len(presented.Authorization) {
	case 0:
		return "", "the call has no credentials"
	case 1:
	default:
		return "", "the call has more than one Authorization"
	}
	given, credential, _ := strings.Cut(presented.Authorization[0], " ")
	credential = strings.Trim(credential, " ")
	switch {
	case !strings.EqualFold(given, scheme):
		return "", "the credentials are of another kind"
	case credential == "" || len(credential) > limit:
		return "", "the credentials cannot be right"
	}
	return credential, ""
}

// validName keeps names fit for logs, labels and files.
func validName(name string) bool {
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
		default:
			return false
		}
	}
	return len(name) >= 1 && len(name) <= maxName
}
