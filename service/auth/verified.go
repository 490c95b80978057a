package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// verifiedFor is how long an account stays verified after the store has accepted it.
	verifiedFor = 5 * time.Minute
	// maxVerifiedAccounts bounds the number of verified accounts. Only accounts that the store has accepted are kept, so
	// only users of the store can fill the table.
	maxVerifiedAccounts = 4096
)

// verifiedAccounts holds the accounts that the store has accepted. It keeps an HMAC of each under a key of this process,
// so that not even a guessed password can be confirmed without the key.
type verifiedAccounts struct {
	key []byte

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func newVerifiedAccounts() *verifiedAccounts {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &verifiedAccounts{key: key, until: map[[sha256.Size]byte]time.Time{}}
}

func (a *verifiedAccounts) has(account *Account) bool {
	mac := a.macOf(account)
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Before(a.until[mac])
}

func (a *verifiedAccounts) add(account *Account) {
	mac := a.macOf(account)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.until) >= maxVerifiedAccounts {
		clear(a.until)
	}
	a.until[mac] = time.Now().Add(verifiedFor)
}

func (a *verifiedAccounts) macOf(account *Account) [sha256.Size]byte {
	// A user name holds no colon, because Basic authentication could not carry it: the text is unambiguous.
	return a.mac(account.Username + ":" + account.Password.Reveal())
}

func (a *verifiedAccounts) mac(text string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(text))
	return [sha256.Size]byte(mac.Sum(nil))
}
