package auth

import (
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
	may      Permissions
	verified *verifiedAccounts
}

// NewStoreUsers lets in whoever the store lets in.
func NewStoreUsers(may Permissions) *StoreUsers {
	return &StoreUsers{may: may, verified: newVerifiedAccounts()}
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
	account := &Account{Username: username, Password: secret.New(password), verified: u.verified}
	return &Caller{Name: u.name(account), Share: presented.From, May: u.may, Store: account}, nil
}

func (u *StoreUsers) refused(problem string) error {
	return &RefusedError{Problem: problem + "; send the header Authorization: Basic, with your user name in the store and an application password (WordPress: Users, Profile, Application Passwords)"}
}

// Challenge asks for an account.
func (*StoreUsers) Challenge() string { return `Basic realm="FluentCart store", charset="UTF-8"` }

// name is the user name where that is fit for a log. WordPress also takes e-mail addresses, which are personal data, and
// what the store has not agreed to may be anything, such as a password at the wrong place: those get a name that is the
// same for as long as the gateway runs.
func (u *StoreUsers) name(account *Account) string {
	if validName(account.Username) && account.Verified() {
		return account.Username
	}
	code := u.verified.code(account.Username)
	return "user-" + hex.EncodeToString(code[:8])
}

func printable(text []byte) bool {
	for _, r := range string(text) {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.Valid(text)
}
