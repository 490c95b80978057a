// Package sandbox is a stand-in for a FluentCart store: the REST calls that read and update a customer, over a few
// customers held in memory. It answers as a live store of version 1.5.2 was recorded answering, oddities included.
// "(F9)" and the like in the comments number the facts measured on that store.
package sandbox

import (
	"fmt"
	"net/http"
	"sync"
)

// Config is what a shop owner can set on a store that changes its answers.
type Config struct {
	// SplitNames makes the store ask for first_name and last_name in place of full_name (F11).
	SplitNames bool
}

// Store is one FluentCart store. It is safe for concurrent use.
type Store struct {
	splitNames  bool
	credentials map[string]credential

	mu        sync.RWMutex // guards what follows
	customers map[int64]customer
	accounts  map[int64]account
}

var _ http.Handler = (*Store)(nil)

// New returns a store in the fixture's state. It panics if the fixture is broken: that file is compiled into the
// binary, so the fault is the programmer's, any test that makes a store finds it, and no caller could mend it.
func New(cfg Config) *Store {
	f, err := readFixture()
	if err != nil {
		panic(fmt.Sprintf("sandbox: embedded fixture: %v", err))
	}
	return &Store{
		splitNames:  cfg.SplitNames,
		credentials: newCredentials(f.accounts),
		customers:   f.customers,
		accounts:    f.accounts,
	}
}
