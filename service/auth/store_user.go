package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// maxBasic bounds a Basic credential, in bytes. WordPress allows user names of 60 characters and e-mail addresses of 100.
const maxBasic = 1024

// Account is a store account: a user name and an application password, as a caller presented them.
type Account struct {
	Username string
	Password secret.Text

	verified *verifiedAccounts
}

// Verified reports whether the store has accepted this account during the last 5 minutes. It decides what an unverified
// account must not have, such as a position in a queue. The store authorizes each call itself.
func (a *Account) Verified() bool { return a.verified.has(a) }

// MarkVerified records that the store has accepted the account.
func (a *Account) MarkVerified() { a.verified.add(a) }

// StoreUsers is an Authenticator for callers with accounts in the store. It only parses the credentials; the store
// verifies them with each call.
type StoreUsers struct {
	permissions Permissions
	verified    *verifiedAccounts
}

// NewStoreUsers returns an Authenticator whose callers all have the same permissions. No account is verified yet.
func NewStoreUsers(permissions Permissions) *StoreUsers {
	return &StoreUsers{permissions: permissions, verified: newVerifiedAccounts()}
}

// Authenticate returns a caller with the presented account, and Authenticated false. Its *RefusedError means that the
// credentials cannot be parsed.
func (u *StoreUsers) Authenticate(presented Presented) (*Caller, error) {
	encoded, problem := credentialOf(presented, "Basic", maxBasic)
	if problem != "" {
		return nil, u.refused(problem)
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	username, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok || username == "" || password == "" || !printable(decoded) {
		return nil, u.refused("the credentials are malformed")
	}
	account := &Account{Username: username, Password: secret.New(password), verified: u.verified}
	return &Caller{Name: u.nameOf(account), Share: presented.From, May: u.permissions, Store: account}, nil
}

func (u *StoreUsers) refused(problem string) error {
	return &RefusedError{Problem: problem + "; send the header Authorization: Basic, with your user name in the store and an application password (WordPress: Users, Profile, Application Passwords)"}
}

// Challenge asks for a user name and a password.
func (*StoreUsers) Challenge() string { return `Basic realm="FluentCart store", charset="UTF-8"` }

// nameOf returns the user name if it is fit for the log. WordPress also accepts an e-mail address, which is personal data,
// and an unverified user name may be anything, a misplaced password for instance. Those get a pseudonym, which stays the
// same as long as the gateway runs.
func (u *StoreUsers) nameOf(account *Account) string {
	if validName(account.Username) && account.Verified() {
		return account.Username
	}
	mac := u.verified.mac(account.Username)
	return "user-" + hex.EncodeToString(mac[:8])
}

func printable(text []byte) bool {
	return utf8.Valid(text) && !bytes.ContainsFunc(text, unicode.IsControl)
}
