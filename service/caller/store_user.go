package caller

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// maxBasic bounds a Basic credential, in bytes: WordPress has user names of 60 characters and e-mail addresses of 100.
const maxBasic = 1024

// StoreUsers are callers with accounts in the store, which decides with every call whether they are let in.
type StoreUsers struct {
	may Permissions
	key []byte // of this process, so that a name in the log cannot be found by trying out e-mail addresses
}

// NewStoreUsers lets in whoever the store lets in.
func NewStoreUsers(may Permissions) *StoreUsers {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it does not fail
	return &StoreUsers{may: may, key: key}
}

// Authenticate takes the credential apart. Whether it is right only the store can say.
func (u *StoreUsers) Authenticate(presented Presented) (*Caller, error) {
	encoded, problem := credentialOf(presented, "Basic", maxBasic)
	if problem != "" {
		return nil, u.refused(problem)
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	username, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok || username == "" || password == "" || !printable(decoded) {
		return nil, u.refused("the credentials cannot be right")
	}
	return &Caller{Name: u.name(username), May: u.may, Store: &Account{Username: username, Password: secret.New(password)}}, nil
}

func (u *StoreUsers) refused(problem string) error {
	return &RefusedError{Problem: problem + "; send the header Authorization: Basic, with your user name in the store and an application password (WordPress: Users, Profile, Application Passwords)"}
}

// Challenge asks for an account.
func (*StoreUsers) Challenge() string { return `Basic realm="FluentCart store", charset="UTF-8"` }

// name is the user name where that is fit for a log. WordPress also takes e-mail addresses, which are personal data:
// those get a name that is the same for as long as the gateway runs.
func (u *StoreUsers) name(username string) string {
	if validName(username) {
		return username
	}
	code := hmac.New(sha256.New, u.key)
	code.Write([]byte(username))
	return "user-" + hex.EncodeToString(code.Sum(nil)[:8])
}

func printable(text []byte) bool {
	for _, r := range string(text) {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.Valid(text)
}
