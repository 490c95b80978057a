package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// verifiedFor is how long the store's word about an account is remembered.
	verifiedFor = 5 * time.Minute
	// maxVerifiedAccounts bounds how many are remembered. Only those that the store has taken are, so it is the store's users
	// who fill it.
	maxVerifiedAccounts = 4096
)

// verified are the accounts that the store has taken. They are kept as codes under a key of this process, from which no
// password can be found, not even by trying.
type verifiedAccounts struct {
	key []byte

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func newVerifiedAccounts() *verifiedAccounts {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it does not fail
	return &verifiedAccounts{key: key, until: map[[sha256.Size]byte]time.Time{}}
}

func (a *verifiedAccounts) has(account *Account) bool {
	code := a.codeOf(account)
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.until[code])
}

func (a *verifiedAccounts) add(account *Account) {
	code := a.codeOf(account)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.until) >= maxVerifiedAccounts {
		clear(a.until)
	}
	a.until[code] = time.Now().Add(verifiedFor)
}

func (a *verifiedAccounts) codeOf(account *Account) [sha256.Size]byte {
	// No user name has a colon: Basic authentication could not carry it.
	return a.code(account.Username + ":" + account.Password.Reveal())
}

func (a *verifiedAccounts) code(text string) [sha256.Size]byte {
	code := hmac.New(sha256.New, a.key)
	code.Write([]byte(text))
	return [sha256.Size]byte(code.Sum(nil))
}
